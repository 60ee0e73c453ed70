"""`charrnn info`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from charrnn.cli.command import Command
from charrnn.cli.formatting import clock, harmless, nats_and_bits, sparkline
from charrnn.cli.shared_options import chosen_checkpoint, json_option, text_option
from charrnn.errors import CorpusError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from charrnn.checkpoints.format import Checkpoint

ROWS = 12
"""Of the history, at most."""


@click.command(cls=Command)
@click.argument("checkpoints", nargs=-1, type=click.Path(path_type=Path), metavar="[CHECKPOINT]...")
@click.option(
    "--gradient-flow",
    is_flag=True,
    help="Show how the gradient of a loss fades on its way back through time.",
)
@click.option("--reach", type=click.IntRange(1, 10_000), default=100, help="How many steps back.")
@text_option("Text for the gradient", allow_stdin=False)
@click.option(
    "--plot",
    "picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw losses, learning rate and gradients to a .svg or .png file (needs matplotlib).  "
    "[default: no drawing]",
)
@json_option("Print the checkpoint's whole header as JSON.")
@click.option(
    "--system",
    is_flag=True,
    help="Show what matters for speed: NumPy, its kernels, how fast they are, what is amiss.",
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
    """Say what a CHECKPOINT holds, and how its training went.

    Without one, the newest checkpoint of this folder is taken. Of several, losses and gradients are
    drawn into one picture.
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
    click.echo(f"drawn to {picture}", err=True)


def description(path: Path, checkpoint: "Checkpoint") -> Iterator[str]:
    """What the checkpoint holds, line by line."""
    from charrnn.checkpoints.training_record import history

    config, vocabulary, record = checkpoint.config, checkpoint.vocabulary, checkpoint.training
    kind = "bytes" if vocabulary.is_bytes else "characters"
    yield harmless(str(path))
    yield f"  network     {config.layers} × {config.hidden_size} {config.cell.upper()}"
    yield f"  weights     {config.size:,}"
    yield f"  vocabulary  {vocabulary.size:,} {kind}"
    corpus = record.get("corpus")
    if isinstance(corpus, dict):
        yield f"  corpus      {harmless(str(corpus.get('name')))}, {corpus.get('symbols'):,} {kind}"
        yield f"  sha256      {harmless(str(corpus.get('sha256')))}"
    options = record.get("options")
    if isinstance(options, dict):
        yield f"  options     {harmless(explicit(options))}"
    yield from losses_of(record)
    entries = history(checkpoint)
    if entries:
        yield ""
        yield from history_table(entries)


def explicit(options: Mapping[str, Any]) -> str:
    """Options as on a command line."""
    return " ".join(
        f"--{name.replace('_', '-')} {value:g}" if isinstance(value, float)
        else f"--{name.replace('_', '-')} {value}"
        for name, value in options.items()
        if value is not None
    )  # fmt: skip


def losses_of(record: Mapping[str, Any]) -> Iterator[str]:
    """The losses that the training has measured."""
    for name, key in (("validation", "validation_loss"), ("test", "test_loss")):
        if isinstance(record.get(key), int | float):
            yield f"  {name:10}  {nats_and_bits(record[key])}"
    if rescues := record.get("rescues"):
        yield f"  explosions  {rescues}, each answered by half the learning rate"


def history_table(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The first entry and looks at the held-out text, or other entries where these are few; curves
    of all."""
    looks = [entry for entry in entries if entry["validation_loss"] is not None]
    best = min(looks, key=lambda entry: float(entry["validation_loss"]), default=None)
    of_interest = looks if len(looks) >= ROWS // 2 else entries
    shown = [entries[0], *evenly(of_interest, ROWS)]
    yield f"{'step':>9}  {'epoch':>7}  {'time':>8}  {'loss':>7}  {'validation':>10}  {'rate':>8}"
    for entry in shown:
        held_out = entry["validation_loss"]
        mark = " *" if entry is best else ""
        yield (
            f"{entry['step']:>9,}  {entry['epoch']:>7.2f}  {clock(entry['seconds']):>8}  "
            f"{entry['loss']:>7.4f}  {'' if held_out is None else format(held_out, '.4f'):>10}  "
            f"{entry['learning_rate']:>8.2g}{mark}"
        )
    yield f"loss        {sparkline([entry['loss'] for entry in entries])}"
    if looks:
        yield f"validation  {sparkline([entry['validation_loss'] for entry in looks])}"


def evenly(entries: Sequence[Mapping[str, Any]], count: int) -> list[Mapping[str, Any]]:
    """At most `count` entries after the first, evenly spread and with the last one."""
    last = len(entries) - 1
    return [
        entries[n] for n in sorted({round(n * last / count) for n in range(1, count + 1)} - {0})
    ]


def flow_of(
    checkpoint: "Checkpoint", path: Path, text: Path | None, reach: int
) -> "NDArray[np.float64]":
    """The norms of the gradient (L, reach + 1), on the given text or what was held out."""
    from charrnn.analysis.gradient_flow import gradient_flow
    from charrnn.checkpoints.training_text import held_out, own_text
    from charrnn.text.corpus import read_corpus

    if text is None:
        _, ids = held_out(checkpoint, own_text(checkpoint, path.parent))
        name = "the held-out text"
    else:
        vocabulary = checkpoint.vocabulary
        corpus = read_corpus([text], as_bytes=vocabulary.is_bytes)
        if not vocabulary.includes(corpus.vocabulary):
            raise CorpusError(f"{text} has characters that {path} does not know: give another text")
        ids, name = corpus.recoded(vocabulary).ids, str(text)
    if len(ids) < reach + 2:
        raise CorpusError(
            f"{name} has {len(ids):,} characters: for a --reach of {reach} at least {reach + 2} "
            "are needed"
        )
    return gradient_flow(checkpoint.network(), ids, reach)


def flow_table(norms: "NDArray[np.float64]") -> Iterator[str]:
    """How the gradient fades: for each layer its norm at some distances, and where it has lost
    99 of 100 parts."""
    import numpy as np

    layers, reach = len(norms), norms.shape[1] - 1
    yield ""
    yield "gradient of the loss at t by the units at t − k (mean norm)"
    yield f"{'k':>6}  " + "  ".join(f"{f'layer {layer}':>9}" for layer in range(layers))
    distances = sorted({0, reach, *(2**n for n in range(reach.bit_length()))})
    for k in distances:
        yield f"{k:>6}  " + "  ".join(f"{norms[layer, k]:>9.2e}" for layer in range(layers))
    for layer in range(layers):
        faded = np.flatnonzero(norms[layer] < norms[layer].max() / 100)
        faded = faded[faded > norms[layer].argmax()]
        where = f"at k = {faded[0]}" if len(faded) else f"beyond k = {reach}"
        bars = sparkline(np.log(np.maximum(norms[layer], 1e-30)).tolist())
        yield f"layer {layer}: a hundredth of its largest norm is left {where}"
        yield f"  {bars}"


def print_system() -> None:
    """Versions, processors, the library that does the products and its speed; what is amiss."""
    import platform

    import numpy as np

    import charrnn
    from charrnn.machine.diagnosis import libraries, product_speed, warnings
    from charrnn.options import usable_threads

    speed = product_speed()
    click.echo(f"charrnn {charrnn.__version__}, Python {platform.python_version()}")
    click.echo(f"NumPy {np.__version__}, {usable_threads()} processors")
    for library in libraries():
        click.echo(f"products: {library}")
    click.echo(
        f"speed of matrix products on one thread: {speed.usual / 1e9:.0f} GFLOP/s, "
        f"{speed.peak / 1e9:.0f} within the cache"
    )
    for warning in warnings(speed):
        click.echo(f"charrnn: {warning}", err=True)
