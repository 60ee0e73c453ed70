"""`charrnn visualize-neurons`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from charrnn.cli.command import Command
from charrnn.cli.formatting import harmless, parsed_unit
from charrnn.cli.input_texts import text_ids
from charrnn.cli.neuron_output import (
    SHOWN,
    SHOWN_ON_PAGE,
    UNITS_ON_PAGE,
    NeuronOutput,
    shown_units,
)
from charrnn.cli.neuron_snapshots import with_snapshots
from charrnn.cli.shared_options import chosen_checkpoint, text_option, unknown_option
from charrnn.cli.stage_bar import StageBar
from charrnn.errors import CorpusError, OptionError
from charrnn.render.palettes import DEFAULT_PALETTE, PALETTES

if TYPE_CHECKING:
    from charrnn.model import Model
    from charrnn.neurons.build_report import ReportBuilder
    from charrnn.neurons.features.registry import Feature
    from charrnn.neurons.search import Ablations
    from charrnn.types import IdArray

STATE_NAMES = ("c", "h", "i", "f", "o", "g", "r", "z", "n")
"""The states of all cells; to look them up would take importing NumPy."""
CHARACTERS_READ = 120_000
TABLE_ROWS = 25


@click.command(cls=Command, short_help="Show which cells follow which features of a text.")
@click.argument("checkpoint", required=False, type=click.Path(path_type=Path))
@text_option("Text to read", allow_stdin=True)
@click.option(
    "--unit",
    help="Cell to show: L1:42 is unit 42 of layer 1, both counted from 0.  [default: the best one]",
)
@click.option(
    "--state",
    type=click.Choice(STATE_NAMES),
    help="State to show: the cell state c, as tanh(c); the output h; or a gate (i, f, o, g of "
    "LSTMs; r, z, n of GRUs).  "
    "[default: c if the cell has one, else h]",
)
@click.option(
    "--palette",
    type=click.Choice(list(PALETTES)),
    default=DEFAULT_PALETTE,
    help="Colours of low and high values; karpathy is blue and green.",
)
@click.option(
    "--feature",
    "features",
    multiple=True,
    metavar="NAME[=REGEX]",
    help="NAME lists all cells that follow this feature, and colours the text by the best of them. "
    "NAME=REGEX searches for one more feature, which is on at the last character of each match of "
    "the regular expression. Repeatable.  [default: a line for each feature]",
)
@click.option(
    "--over-time",
    is_flag=True,
    help="Show when the cells of the table came to follow their features, by the snapshots of "
    "train --keep.",
)
@click.option(
    "--characters",
    type=click.IntRange(1),
    default=CHARACTERS_READ,
    help="Read at most this many characters.",
)
@click.option(
    "--length",
    type=click.IntRange(1),
    help="Characters of the text to show.  "
    f"[default: {SHOWN}; {SHOWN_ON_PAGE} with --html, --json and --npz]",
)
@click.option(
    "--predictions",
    type=click.IntRange(0, 5),
    default=5,
    help="How many of the most probable next characters to show below each character.",
)
@click.option(
    "--rows",
    type=click.IntRange(0),
    default=TABLE_ROWS,
    help="Rows of the table of features; 0 for no table.",
)
@click.option(
    "--all-units",
    is_flag=True,
    help=f"Write all cells to --html, --json and --npz, not only {UNITS_ON_PAGE}.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a web page to explore.  [default: none]",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Write table, text and values as JSON; - for standard output.  [default: none]",
)
@click.option(
    "--npz",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write text and values as NumPy arrays.  [default: none]",
)
@click.option(
    "--svg",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what the terminal would show as a picture.  [default: none]",
)
@click.option(
    "--width", type=click.IntRange(40, 400), default=100, help="Columns of the --svg picture."
)
@click.option(
    "--explain",
    is_flag=True,
    help="Describe the cell in words: what switches it, a rule for it, how long it remembers, what "
    "it does to the text that the model writes, and its connections. With --html or --json, for up "
    "to 32 cells with a claim.",
)
@click.option("--seed", type=click.IntRange(0), default=1, help="Seed of the untrained networks.")
@unknown_option("the text")
def visualize_neurons(
    checkpoint: Path | None,
    text: Path | None,
    unit: str | None,
    state: str | None,
    palette: str,
    features: tuple[str, ...],
    over_time: bool,
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
    explain: bool,
    seed: int,
    unknown: Literal["error", "skip"],
) -> None:
    """Show what single cells (units of the network) do while a model reads a text, and find the
    cells that follow a feature of the text.

    Prints a table of the features with the best cell of each, and then the text, coloured by the
    best cell of the first feature or by --unit. With --html, --json, --npz or --svg, it writes
    these files instead. The scores come from text on which nothing was chosen.
    """
    from charrnn.checkpoints.format import read_checkpoint
    from charrnn.checkpoints.snapshot_file import own_snapshots
    from charrnn.machine.blas import one_thread
    from charrnn.model import model_of
    from charrnn.neurons.build_report import ReportBuilder

    checkpoint = chosen_checkpoint(checkpoint, "looking at")
    saved = read_checkpoint(checkpoint)
    model = model_of(saved)
    wanted = None if unit is None else parsed_unit(unit, model.network.config)
    opened, known = known_features(features)
    check_alone(wanted, opened, over_time=over_time)
    kept = own_snapshots(checkpoint, saved.training) if over_time else {}
    shown_rows = rows if wanted is None else 0
    output = NeuronOutput(html, json_file, npz, svg, length, shown_rows, predictions, width, opened)
    output.check()
    ids = not_empty(text_ids(saved, model, checkpoint, text, unknown)[:characters])
    builder = ReportBuilder(model, ids, known, chosen_state(model, state, explain), seed=seed)
    with one_thread():  # the steps are too short to be shared out
        if wanted is None or html or json_file or explain:
            ablations = shown_ablations(output, single=wanted is not None)
            builder = searched(builder, seed, ablations, may_fail=bool(wanted) and not explain)
        first = wanted or builder.best_unit(opened)
        excerpt = builder.excerpt(first, output.characters)
        units = shown_units(builder, first, excerpt, output, all_units=all_units)
        if explain:
            builder = explained(builder, units, seed)
        title = f"{checkpoint.name}: {saved.training.get('corpus', {}).get('name', 'a text')}"
        report = builder.build(
            excerpt, units, title=title, palette=palette, with_data=output.has_data
        )
        report = with_snapshots(report, builder, output, checkpoint, kept)
    output.write(report)


def chosen_state(model: "Model", state: str | None, explain: bool) -> str:
    """The state to show, by default what the cells remember: what `explain` describes."""
    from charrnn.neurons.search import default_state

    if explain and state not in (None, default_state(model)):
        raise OptionError("`explain` describes what cells remember: leave out `state`")
    return state or default_state(model)


def not_empty(ids: "IdArray") -> "IdArray":
    """The ids of a text. Raises CorpusError where there are none."""
    if len(ids) == 0:
        raise CorpusError("the text is empty: give another `text`")
    return ids


def check_alone(unit: tuple[int, int] | None, opened: Sequence[str], *, over_time: bool) -> None:
    """Raise OptionError for options of the table, where a single unit is shown."""
    if unit is None:
        return
    if opened:
        raise OptionError("`features` NAME lists cells, `unit` shows a single one: choose")
    if over_time:
        raise OptionError("`over_time` shows the cells of the table, `unit` a single one: choose")


def known_features(wishes: Sequence[str]) -> tuple[list[str], list["Feature"]]:
    """The features to open, and all features, flags first, with those given as NAME=REGEX."""
    from charrnn.neurons.features.registry import FEATURES, user_feature
    from charrnn.neurons.search import by_kind

    own = [user_feature(*wish.split("=", 1)) for wish in wishes if "=" in wish]
    known = by_kind([*FEATURES.values(), *own])
    names = [feature.name for feature in known]
    opened = [wish for wish in wishes if "=" not in wish]
    for name in opened:
        if name not in names:
            raise OptionError(
                f"`features` {harmless(name)}: there is no such feature; choose from "
                f"{', '.join(names)}, or give a new one as NAME=REGEX"
            )
    return list(dict.fromkeys(opened)), known


def shown_ablations(output: NeuronOutput, *, single: bool) -> "Ablations":
    """The ablations of which the output shows something: none with a `single` cell."""
    if output.has_data or output.opened:
        return "all"
    return "none" if single else "best"


def searched(
    builder: "ReportBuilder", seed: int, ablations: "Ablations", *, may_fail: bool
) -> "ReportBuilder":
    """The same with the findings of a search; without them where there is too little text for a
    search and it `may_fail`. `ablations` are those that will be shown: of all claimed cells, of the
    best of each feature, or none."""
    from dataclasses import replace

    from charrnn.neurons.search import search

    try:
        with StageBar() as bar:
            found = search(
                builder.model,
                builder.ids,
                features=builder.features,
                state=builder.state,
                seed=seed,
                ablations=ablations,
                progress=bar,
            )
    except CorpusError:
        if may_fail:
            return builder
        raise
    return replace(builder, found=found)


def explained(
    builder: "ReportBuilder", units: Sequence[tuple[int, int]], seed: int
) -> "ReportBuilder":
    """The same with explanations of the first of these units, and of the others with a claim."""
    from dataclasses import replace

    from charrnn.neurons.explain.explain import explain_found

    assert builder.found is not None
    with StageBar() as bar:
        explanations = explain_found(
            builder.model, builder.ids, builder.found, units, seed=seed, progress=bar
        )
    return replace(builder, explanations=explanations)
