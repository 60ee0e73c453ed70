"""`charrnn export`."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import click

from charrnn.cli.command import Command
from charrnn.errors import CharRNNError, OptionError

ENDINGS = (".html",)


@click.command(cls=Command)
@click.argument("checkpoint", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--neurons",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="List the units with a claim in this file of `visualize-neurons --json` on the page.  "
    "[default: none]",
)
@click.option(
    "--float16", is_flag=True, help="Write weights of 16 bits: half the size, less precise."
)
@click.option("--force", "overwrite", is_flag=True, help="Overwrite an existing output.")
def export(
    checkpoint: Path, output: Path, neurons: Path | None, float16: bool, overwrite: bool
) -> None:
    """Write a model for use elsewhere.

    OUTPUT.html is a web page in one file, which runs the network in the browser: it writes, reads,
    and shows what the network thinks.
    """
    if output.suffix.lower() not in ENDINGS:
        raise OptionError(
            f"the output {output} must end in {' or '.join(ENDINGS)}, which says what to write"
        )
    if output.exists() and not overwrite:
        raise OptionError(f"{output} exists: name another file, or pass `overwrite`")
    content = page(checkpoint, neurons, float16)
    replace(output, lambda file: file.write(content))


def page(checkpoint: Path, neurons: Path | None, float16: bool) -> bytes:
    from charrnn.checkpoints.format import read_checkpoint
    from charrnn.export.live_page import live_page
    from charrnn.export.neurons_file import read_neurons

    model = read_checkpoint(checkpoint)
    listed = [] if neurons is None else read_neurons(neurons, model)
    html = live_page(model, title=checkpoint.stem, neurons=listed, float16=float16)
    return html.encode("utf-8")


def replace(output: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write the output as a whole, or not at all."""
    from charrnn.checkpoints.atomic_write import replace_file

    try:
        replace_file(output, write)
    except OSError as error:
        raise CharRNNError(f"cannot write {output}: {error.strerror or error}") from error
