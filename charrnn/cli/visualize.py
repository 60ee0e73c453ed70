"""`charrnn visualize-neurons`."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from charrnn.cli.command import Command
from charrnn.cli.formatting import harmless, parsed_unit
from charrnn.cli.input_texts import text_ids
from charrnn.cli.neuron_output import SHOWN, SHOWN_ON_PAGE, NeuronOutput
from charrnn.errors import CorpusError, OptionError

if TYPE_CHECKING:
    from charrnn.model import Model
    from charrnn.neurons.features.registry import Feature
    from charrnn.neurons.search import Search
    from charrnn.types import IdArray

PALETTE_NAMES = ("blue-red", "karpathy")
"""Of `charrnn.render.palettes.PALETTES`."""
STATE_NAMES = ("c", "h", "i", "f", "o", "g", "r", "z", "n")
CHARACTERS = 120_000
UNITS_ON_PAGE = 64
ROWS = 25


@click.command(cls=Command)
@click.argument("checkpoint", required=False, type=click.Path(path_type=Path))
@click.option(
    "--text",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Text to read; - for standard input.  [default: what the training held out of its own]",
)
@click.option("--unit", "wanted", help="Cell to show, such as L1:42.  [default: the best one]")
@click.option(
    "--state",
    type=click.Choice(STATE_NAMES),
    help="What to show of it: the cell state c as tanh(c), h, or a gate.  "
    "[default: c where there is one, else h]",
)
@click.option(
    "--palette",
    type=click.Choice(PALETTE_NAMES),
    default="blue-red",
    help="Colours of low and high values; karpathy is blue and green.",
)
@click.option(
    "--feature",
    "features",
    multiple=True,
    metavar="NAME=REGEX",
    help="A feature to look for beside those that are known: on where a match of the expression "
    "ends; repeatable.  [default: none]",
)
@click.option(
    "--characters", type=click.IntRange(1), default=CHARACTERS, help="Characters to read, at most."
)
@click.option(
    "--length",
    type=click.IntRange(1),
    help=f"Characters to show.  [default: {SHOWN}; {SHOWN_ON_PAGE} on a page and in files]",
)
@click.option(
    "--predictions", type=click.IntRange(0, 5), default=5, help="Most probable next ones to show."
)
@click.option("--rows", type=click.IntRange(0), default=ROWS, help="Lines of the table of cells.")
@click.option("--all-units", is_flag=True, help="Put the values of every unit into page and files.")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a page to explore.  [default: none]",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Write all that is shown as JSON; - for standard output.  [default: none]",
)
@click.option(
    "--npz",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the values for NumPy.  [default: none]",
)
@click.option(
    "--svg",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what the terminal shows as a picture, for example for a README.  [default: none]",
)
@click.option("--width", type=click.IntRange(40, 400), default=100, help="Columns of the picture.")
@click.option("--seed", type=click.IntRange(0), default=1, help="Seed of the fresh networks.")
@click.option(
    "--unknown",
    type=click.Choice(["error", "skip"]),
    default="error",
    help="What to do with characters of the text that the model does not know.",
)
def visualize_neurons(
    checkpoint: Path | None,
    text: Path | None,
    wanted: str | None,
    state: str | None,
    palette: str,
    features: tuple[str, ...],
    characters: int,
    length: int | None,
    predictions: int,
    rows: int,
    all_units: bool,
    html: Path | None,
    json_file: Path | None,
    npz: Path | None,
    svg: Path | None,
    width: int,
    seed: int,
    unknown: Literal["error", "skip"],
) -> None:
    """Show what single cells of a model do while it reads, and find those that mean something.

    A table ranks the cells by how well they follow a feature of the text, with statistics from text
    that played no part in finding them; then the text, coloured by the best cell.
    """
    from charrnn.checkpoints.format import newest_checkpoint, read_checkpoint
    from charrnn.machine.blas import one_thread
    from charrnn.model import model_of
    from charrnn.neurons.build_report import exhibit
    from charrnn.neurons.features.registry import FEATURES, user_feature
    from charrnn.neurons.search import by_kind, default_state

    if checkpoint is None:
        checkpoint = newest_checkpoint(Path())
        click.echo(f"charrnn: looking at {checkpoint}", err=True)
    saved = read_checkpoint(checkpoint)
    model = model_of(saved)
    unit = None if wanted is None else parsed_unit(wanted, model.network.config)
    known = by_kind([*FEATURES.values(), *(user_feature(*named(item)) for item in features)])
    output = NeuronOutput(
        html, json_file, npz, svg, length, rows if unit is None else 0, predictions, width
    )
    output.check()
    ids = text_ids(saved, model, checkpoint, text, unknown)[:characters]
    if len(ids) == 0:
        raise CorpusError("the text is empty: give another --text")
    state = default_state(model) if state is None else state
    with one_thread():  # the steps are too short to be shared out
        found = None
        if unit is None or html or json_file:
            found = look(
                model, ids, state, [f for f in known if f.name not in FEATURES], seed, unit
            )
        part, units = chosen(model, ids, known, found, unit, output, all_units)
        report = exhibit(
            model,
            ids,
            part,
            units,
            state=state,
            found=found,
            features=known,
            title=f"{checkpoint.name}: {saved.training.get('corpus', {}).get('name', 'a text')}",
            notes=list(notes(found)),
            palette=palette,
        )
    output.write(report)


def named(item: str) -> tuple[str, str]:
    """Name and expression of NAME=REGEX."""
    name, equals, pattern = item.partition("=")
    if not equals:
        raise OptionError(f"--feature {harmless(item)} has no =: give NAME=REGEX")
    return name, pattern


def look(
    model: "Model",
    ids: "IdArray",
    state: str,
    extra: Sequence["Feature"],
    seed: int,
    unit: tuple[int, int] | None,
) -> "Search | None":
    """The search for cells; nothing where there is too little text for it and one is named."""
    from charrnn.neurons.search import search

    def progress(message: str) -> None:
        if sys.stderr is not None and sys.stderr.isatty():
            click.echo(f"charrnn: {message} ...", err=True)

    try:
        return search(model, ids, state=state, extra=extra, seed=seed, progress=progress)
    except CorpusError:
        if unit is None:
            raise
        return None


def chosen(
    model: "Model",
    ids: "IdArray",
    features: Sequence["Feature"],
    found: "Search | None",
    unit: tuple[int, int] | None,
    output: NeuronOutput,
    all_units: bool,
) -> tuple[slice, list[tuple[int, int]]]:
    """The part of the text to show, and the units whose values are shown: the one that was asked
    for, or the best one, first."""
    from charrnn.neurons.build_report import liveliest
    from charrnn.neurons.search import characters

    length = output.characters
    ranked = [] if found is None else [found.place(x.unit) for x in found.ranked()]
    first = unit or (ranked[0] if ranked else (0, 0))
    start = 0 if found is None else found.halves[1].start
    part = slice(start, min(len(ids), start + length))
    if found is not None and first in ranked:
        finding = found.ranked()[ranked.index(first)]
        half = found.halves[1]
        lively = liveliest(finding.feature.track(characters(model, ids))[half], length)
        part = slice(half.start + lively.start, half.start + lively.stop)
    units = [first]
    if output.has_data:
        config = model.network.config
        every = ranked or [(n, m) for n in range(config.layers) for m in range(config.hidden_size)]
        units += [place for place in every if place != first]
        if not all_units:
            units = units[:UNITS_ON_PAGE]
        else:
            size = len(units) * (part.stop - part.start) * 4 / 3
            click.echo(f"charrnn: {len(units):,} units take about {size / 1e6:.1f} MB", err=True)
    return part, units


def notes(found: "Search | None") -> Iterator[str]:
    """What else should be known about the findings."""
    if found is None:
        return
    findings = found.findings
    if findings.skipped:
        rare = ", ".join(f"{name} ({count})" for name, count in findings.skipped.items())
        yield f"not looked for, since it comes fewer than 20 times in a half of the text: {rare}"
    if findings.mismatches == 0:
        yield "too little text to test: no p-values, and no claims; 81,000 characters would do"
    used = sum(effect.is_used for effect in found.controls.values())
    if found.controls:
        mean = sum(effect.bits for effect in found.controls.values()) / len(found.controls)
        yield (
            f"of {len(found.controls)} cells without a claim and of like spread, {used} are used "
            f"by the same measure, with {mean:+.4f} bits in the mean"
        )
