"""`charrnn export`."""

from pathlib import Path

import click

from charrnn.cli.command import Command
from charrnn.cli.output_files import write_file
from charrnn.errors import OptionError

ENDINGS = (".html", ".safetensors")


@click.command(cls=Command, short_help="Write a model as a web page, or for PyTorch.")
@click.argument("checkpoint", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--neurons",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="List on the page the cells with a claim in this file, which `visualize-neurons --json` "
    "has written.  [default: none]",
)
@click.option(
    "--float16",
    is_flag=True,
    help="Store 16 bits for each weight of a page: half the size, less precise.",
)
@click.option("--force", "overwrite", is_flag=True, help="Overwrite an existing output.")
def export(
    checkpoint: Path, output: Path, neurons: Path | None, float16: bool, overwrite: bool
) -> None:
    """Write a model for use elsewhere.

    An OUTPUT that ends in .html is a web page in one file: it runs the network in the browser,
    writes, reads, and shows what the network thinks. One that ends in .safetensors has the weights
    in the layout of PyTorch, with the vocabulary.
    """
    ending = output.suffix.lower()
    if ending not in ENDINGS:
        raise OptionError(
            f"the output {output} must end in {' or '.join(ENDINGS)}, which says what to write"
        )
    if ending != ".html" and (neurons is not None or float16):
        name = "float16" if float16 else "neurons"
        raise OptionError(f"`{name}` is for pages, whose names end in .html")
    if output.exists() and not overwrite:
        raise OptionError(f"{output} exists: name another file, or pass `overwrite`")
    content = page(checkpoint, neurons, float16) if ending == ".html" else tensors(checkpoint)
    write_file(output, content)


def page(checkpoint: Path, neurons: Path | None, float16: bool) -> bytes:
    """A model as a web page."""
    from charrnn.checkpoints.format import read_checkpoint
    from charrnn.export.live_page import live_page
    from charrnn.export.neurons_file import read_neurons

    model = read_checkpoint(checkpoint)
    listed = [] if neurons is None else read_neurons(neurons, model)
    html = live_page(model, title=checkpoint.stem, neurons=listed, float16=float16)
    return html.encode("utf-8")


def tensors(checkpoint: Path) -> bytes:
    """A model as safetensors."""
    from charrnn.checkpoints.format import read_checkpoint
    from charrnn.checkpoints.safetensors_format import safetensors_bytes

    return safetensors_bytes(read_checkpoint(checkpoint))
