"""`charrnn info`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from charrnn.cli.command import Command
from charrnn.cli.formatting import clock, harmless, nats_and_bits
from charrnn.cli.shared_options import chosen_checkpoint, json_option, text_option
from charrnn.errors import CorpusError
from charrnn.render.sparklines import sparkline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from charrnn.checkpoints.format import Checkpoint

HISTORY_ROWS = 12
"""The most rows of the history that are shown."""


@click.command(cls=Command, short_help="Describe a model and its training.")
@click.argument("checkpoints", nargs=-1, type=click.Path(path_type=Path), metavar="[CHECKPOINT]...")
@click.option(
    "--gradient-flow",
    is_flag=True,
    help="Show how the gradient of the loss changes on its way back through time.",
)
@click.option(
    "--reach",
    type=click.IntRange(1, 10_000),
    default=100,
    help="Time steps to go back, for --gradient-flow.",
)
@text_option("Text for --gradient-flow", allow_stdin=False)
@click.option(
    "--plot",
    "picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Plot losses, learning rate and gradients to a .svg or .png file (needs matplotlib).  "
    "[default: no plot]",
)
@json_option("Print the header of the checkpoint as JSON.")
@click.option(
    "--system",
    is_flag=True,
    help="Show the versions of Python and NumPy, the BLAS library and the speed of its matrix "
    "products, with advice if that is low.",
)
def info(
    checkpoints: tuple[Path, ...],
    gradient_flow: bool,
    reach: int,
    text: Path | None,
    picture: Path | None,
    as_json: bool,
    system: bool,
) -> None:
    """Describe the model in a CHECKPOINT and its training.

    The default is the newest checkpoint of this folder. With several, --plot draws all of them into
    one picture.
    """
    from charrnn.checkpoints.format import read_checkpoint

    if system:
        print_system()
        return
    if picture is not None:
        from charrnn.render.plots import check_plot

        check_plot(picture)
    paths = checkpoints or (chosen_checkpoint(None),)  # the description names it
    models = {path: read_checkpoint(path) for path in paths}
    if as_json:
        for checkpoint in models.values():
            click.echo(json.dumps(checkpoint.header(), ensure_ascii=True))
        return
    flows = {}
    lines: list[str] = []
    for path, checkpoint in models.items():
        lines += description(path, checkpoint)
        if gradient_flow:
            flows[str(path)] = flow_of(checkpoint, path, text, reach)
            lines += flow_table(flows[str(path)])
    if picture is not None:
        draw(picture, models, flows)
    click.echo("\n".join(lines))


def draw(
    picture: Path,
    models: Mapping[Path, "Checkpoint"],
    flows: Mapping[str, "NDArray[np.float64]"],
) -> None:
    from charrnn.checkpoints.training_record import history
    from charrnn.render.plots import plot

    plot(picture, {str(path): history(model) for path, model in models.items()}, flows)
    click.echo(f"charrnn: wrote {harmless(str(picture))}", err=True)


def description(path: Path, checkpoint: "Checkpoint") -> Iterator[str]:
    """The network, the text, the options and the history of a checkpoint, line by line."""
    from charrnn.checkpoints.training_record import history

    config, vocabulary, record = checkpoint.config, checkpoint.vocabulary, checkpoint.training
    kind = vocabulary.kind
    yield harmless(str(path))
    yield f"  network     {config.layers} × {config.hidden_size} {config.cell.upper()}"
    yield f"  weights     {config.size:,}"
    yield f"  vocabulary  {vocabulary.size:,} {kind}"
    if corpus := record.get("corpus"):
        yield f"  corpus      {harmless(corpus['name'])}, {corpus['symbols']:,} {kind}"
        yield f"  sha256      {harmless(corpus['sha256'])}"
    if options := record.get("options"):
        yield f"  options     {harmless(command_line(options))}"
    yield from losses_of(record)
    if snapshots := record.get("snapshots"):
        yield f"  snapshots   {kept(path, [each['step'] for each in snapshots])}"
    entries = history(checkpoint)
    if entries:
        yield ""
        yield from history_table(entries)


def command_line(options: Mapping[str, Any]) -> str:
    """The options as they are typed."""
    return " ".join(
        f"--{name.replace('_', '-')} {as_typed(value)}"
        for name, value in options.items()
        if value not in (None, [])
    )


def as_typed(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def kept(path: Path, steps: Sequence[int]) -> str:
    """The snapshots of a training, and where they are."""
    from charrnn.checkpoints.snapshot_file import snapshots_path

    file = snapshots_path(path)
    where = harmless(str(file))
    where += f", {file.stat().st_size / 1e6:.1f} MB" if file.is_file() else ", which is missing"
    last = f" to {max(steps):,}" if len(steps) > 1 else ""
    return f"{len(steps)}, of step {min(steps):,}{last} ({where})"


def losses_of(record: Mapping[str, Any]) -> Iterator[str]:
    """The losses that the training has measured."""
    for name, key in (("validation", "validation_loss"), ("test", "test_loss")):
        if record.get(key) is not None:
            yield f"  {name:10}  {nats_and_bits(record[key])}"
    if rescues := record.get("rescues"):
        yield f"  divergences {rescues}, each followed by half the learning rate"


def history_table(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The first entry, and validations spread over the training, or other entries where these are
    few; curves of all."""
    validations = [entry for entry in entries if entry["validation_loss"] is not None]
    best = min(validations, key=lambda entry: float(entry["validation_loss"]), default=None)
    of_interest = validations if len(validations) >= HISTORY_ROWS // 2 else entries
    shown = [entries[0], *evenly(of_interest, HISTORY_ROWS)]
    yield f"{'step':>9}  {'epoch':>7}  {'time':>8}  {'loss':>7}  {'validation':>10}  {'rate':>8}"
    for entry in shown:
        held_out = entry["validation_loss"]
        mark = " *" if entry is best else ""
        yield (
            f"{entry['step']:>9,}  {entry['epoch']:>7.2f}  {clock(entry['seconds']):>8}  "
            f"{entry['loss']:>7.4f}  {'' if held_out is None else format(held_out, '.4f'):>10}  "
            f"{entry['learning_rate']:>8.2g}{mark}"
        )
    if best in shown:
        yield "* lowest validation loss"
    yield f"loss        {sparkline([entry['loss'] for entry in entries])}"
    if validations:
        yield f"validation  {sparkline([entry['validation_loss'] for entry in validations])}"


def evenly(entries: Sequence[Mapping[str, Any]], count: int) -> list[Mapping[str, Any]]:
    """At most `count` entries after the first, evenly spaced, the last one included."""
    last = len(entries) - 1
    return [
        entries[n] for n in sorted({round(n * last / count) for n in range(1, count + 1)} - {0})
    ]


def flow_of(
    checkpoint: "Checkpoint", path: Path, text: Path | None, reach: int
) -> "NDArray[np.float64]":
    """The norms of the gradient (L, reach + 1), on the given text or the validation part."""
    from charrnn.analysis.gradient_flow import gradient_flow
    from charrnn.checkpoints.training_text import held_out, own_text
    from charrnn.cli.input_texts import read_text
    from charrnn.model import model_of

    if text is None:
        _, ids = held_out(checkpoint, own_text(checkpoint, path.parent))
        name = "the held-out text"
    else:
        content, name = read_text(str(text), model_of(checkpoint)), str(text)
        ids = checkpoint.vocabulary.encode(content, unknown="skip")
        if len(ids) < len(content):
            raise CorpusError(f"{text} has characters that {path} does not know: give another text")
    if len(ids) < reach + 2:
        raise CorpusError(
            f"{name} has {len(ids):,} characters: for a --reach of {reach} at least {reach + 2} "
            "are needed"
        )
    return gradient_flow(checkpoint.network(), ids, reach)


def flow_table(norms: "NDArray[np.float64]") -> Iterator[str]:
    """The norm of the gradient of each layer at some distances, and where it falls below 1 % of
    its maximum."""
    import numpy as np

    layers, reach = len(norms), norms.shape[1] - 1
    yield ""
    yield "gradient of the loss at step t with respect to the units at step t − k (mean norm)"
    yield f"{'k':>6}  " + "  ".join(f"{f'layer {layer}':>9}" for layer in range(layers))
    distances = sorted({0, reach, *(2**n for n in range(reach.bit_length()))})
    for k in distances:
        yield f"{k:>6}  " + "  ".join(f"{norms[layer, k]:>9.2e}" for layer in range(layers))
    for layer in range(layers):
        faded = np.flatnonzero(norms[layer] < norms[layer].max() / 100)
        faded = faded[faded > norms[layer].argmax()]
        where = f"below 1 % from k = {faded[0]}" if len(faded) else f"above 1 % up to k = {reach}"
        bars = sparkline(np.log(np.maximum(norms[layer], 1e-30)).tolist())
        yield f"layer {layer}, norm relative to its maximum: {where}"
        yield f"  {bars}"


def print_system() -> None:
    """Print versions, processors, the library for matrix products and its speed; advice goes to
    standard error."""
    import platform

    import numpy as np

    import charrnn
    from charrnn.machine.diagnosis import choices, product_speed, warnings
    from charrnn.options import usable_threads

    speed = product_speed()
    click.echo(f"charrnn {charrnn.__version__}, Python {platform.python_version()}")
    click.echo(f"NumPy {np.__version__}, {usable_threads()} processors")
    for choice in choices():
        click.echo(choice)
    click.echo(
        f"speed of matrix products on one thread: {speed.usual / 1e9:.0f} GFLOP/s, "
        f"{speed.peak / 1e9:.0f} within the cache"
    )
    for warning in warnings(speed):
        click.echo(f"charrnn: {warning}", err=True)
