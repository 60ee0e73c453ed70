"""`charrnn visualize-neurons`."""

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from charrnn.cli.shown import harmless, parsed_unit
from charrnn.cli.streams import discard, emit
from charrnn.errors import CharRNNError, CorpusError, OptionError

if TYPE_CHECKING:
    from charrnn.checkpoint import Checkpoint
    from charrnn.model import Model
    from charrnn.network import IdArray
    from charrnn.neurons.features import Feature
    from charrnn.neurons.search import Search
    from charrnn.render.report import Claim, Report

PALETTE_NAMES = ("blue-red", "karpathy")
"""Of `charrnn.render.palettes.PALETTES`."""
STATE_NAMES = ("c", "h", "i", "f", "o", "g", "r", "z", "n")
CHARACTERS = 120_000
SHOWN = 800
SHOWN_ON_PAGE = 4000
UNITS_ON_PAGE = 64
ROWS = 25


@click.command()
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
    seed: int,
    unknown: Literal["error", "skip"],
) -> None:
    """Show what single cells of a model do while it reads, and find those that mean something.

    A table ranks the cells by how well they follow a feature of the text, with statistics from text
    that played no part in finding them; then the text, coloured by the best cell.
    """
    from charrnn.blas import one_thread
    from charrnn.checkpoint import newest_checkpoint, read_checkpoint
    from charrnn.model import model_of
    from charrnn.neurons.exhibit import exhibit
    from charrnn.neurons.features import FEATURES, user_feature
    from charrnn.neurons.search import by_kind, default_state

    if checkpoint is None:
        checkpoint = newest_checkpoint(Path())
        click.echo(f"charrnn: looking at {checkpoint}", err=True)
    saved = read_checkpoint(checkpoint)
    model = model_of(saved)
    unit = None if wanted is None else parsed_unit(wanted, model.network.config)
    known = by_kind([*FEATURES.values(), *(user_feature(*named(item)) for item in features)])
    for path in (html, json_file, npz):
        check_writable(path)
    ids = text_ids(saved, model, checkpoint, text, unknown)[:characters]
    if len(ids) == 0:
        raise CorpusError("the text is empty: give another --text")
    state = default_state(model) if state is None else state
    to_file = html is not None or json_file is not None or npz is not None
    with one_thread():  # the steps are too short to be shared out
        found = None
        if unit is None or html or json_file:
            found = look(
                model, ids, state, [f for f in known if f.name not in FEATURES], seed, unit
            )
        part, units = chosen(model, ids, known, found, unit, length, to_file, all_units)
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
    write(report, html, json_file, npz)
    if not to_file:
        show(report, rows if unit is None else 0, predictions)


def named(item: str) -> tuple[str, str]:
    """Name and expression of NAME=REGEX."""
    name, equals, pattern = item.partition("=")
    if not equals:
        raise OptionError(f"--feature {harmless(item)} has no =: give NAME=REGEX")
    return name, pattern


def check_writable(path: Path | None) -> None:
    """Raise CharRNNError before the work where a file cannot be written."""
    if path is None or str(path) == "-":
        return
    try:
        existed = path.exists()
        path.open("ab").close()
        if not existed:
            path.unlink()
    except OSError as error:
        raise CharRNNError(f"cannot write {path}: {error.strerror}") from error


def text_ids(
    saved: "Checkpoint",
    model: "Model",
    path: Path,
    text: Path | None,
    unknown: Literal["error", "skip"],
) -> "IdArray":
    """The ids of the text to read. Says so where it was part of the training."""
    from charrnn.cli.sample import encoded_prime
    from charrnn.own_text import held_out, own_text

    if text is None:
        _, rest = held_out(saved, own_text(saved, path.parent))
        if len(rest) == 0:
            raise CorpusError("the training held nothing out: name another text with --text")
        return rest
    ids = encoded_prime(model, None, str(text), unknown)
    if unknown == "skip" and str(text) != "-":
        whole = Path(text).read_bytes()
        length = len(whole) if model.vocabulary.is_bytes else len(whole.decode())
        if length > len(ids):
            click.echo(
                f"charrnn: left out {length - len(ids):,} characters that the model does not know",
                err=True,
            )
    warn_of_overlap(saved, path, ids)
    return ids


def warn_of_overlap(saved: "Checkpoint", path: Path, ids: "IdArray") -> None:
    """Say so where pieces of the text stand in what the model has learned from; a few words prove
    nothing."""
    import numpy as np

    from charrnn.own_text import held_out, own_text

    try:
        train, _ = held_out(saved, own_text(saved, path.parent))
    except CharRNNError:
        return  # nobody knows
    dtype = saved.vocabulary.dtype
    learned = train.astype(dtype).tobytes()
    size = 50
    if len(ids) < size:
        return
    starts = np.linspace(0, len(ids) - size, 20).astype(int)
    common = sum(ids[start : start + size].astype(dtype).tobytes() in learned for start in starts)
    if common:
        click.echo(
            f"charrnn: {common} of 20 pieces of this text are in the text that the model learned "
            "from: what holds here may not hold elsewhere",
            err=True,
        )


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
    length: int | None,
    to_file: bool,
    all_units: bool,
) -> tuple[slice, list[tuple[int, int]]]:
    """The part of the text to show, and the units whose values are shown: the one that was asked
    for, or the best one, first."""
    from charrnn.neurons.exhibit import liveliest
    from charrnn.neurons.search import characters

    length = length or (SHOWN_ON_PAGE if to_file else SHOWN)
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
    if to_file:
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


def write(report: "Report", html: Path | None, json_file: Path | None, npz: Path | None) -> None:
    """Write the files that were asked for."""
    import numpy as np

    try:
        if html is not None:
            from charrnn.render.page import page

            html.write_text(page(report), encoding="utf-8", newline="")
        if json_file is not None:
            text = json.dumps(report.to_json(), ensure_ascii=True, separators=(",", ":")) + "\n"
            if str(json_file) == "-":
                emit([text])
            else:
                json_file.write_text(text, encoding="utf-8")
        if npz is not None:
            with npz.open("wb") as file:
                np.savez_compressed(file, allow_pickle=False, **report.arrays())
    except OSError as error:
        raise CharRNNError(f"cannot write {error.filename}: {error.strerror}") from error


def show(report: "Report", rows: int, predictions: int) -> None:
    """The table and the coloured text, on standard output."""
    from rich.console import Console

    from charrnn.render.terminal import Place, lines

    console = Console(file=sys.stdout, highlight=False, markup=False, soft_wrap=True, emoji=False)
    colors = console.color_system is not None and not console.no_color
    width = shutil.get_terminal_size().columns
    if rows:
        emit(line + "\n" for line in table(report, rows))
    unit = report.units[0]
    emit([f"L{unit.layer}:{unit.unit} ({report.state}){about(unit.claim)}\n\n"])
    places = [
        Place(symbol, float(value), prediction, ends)
        for symbol, value, prediction, ends in zip(
            report.characters, unit.values, report.predictions, report.ends_line, strict=True
        )
    ]
    try:
        for line in lines(
            places, width=width, palette=report.palette, predictions=predictions, colors=colors
        ):
            console.print(line, crop=False, overflow="ignore")
    except BrokenPipeError:
        discard(sys.stdout)
        sys.exit(0)


def about(claim: "Claim | None") -> str:
    if claim is None:
        return ""
    if claim.label == "unexplained":
        return f": unexplained ({claim.reason}); most like {claim.feature}, {claim.score:+.2f}"
    return f": {claim.label}, {claim.feature}, {claim.score:+.2f}"


def table(report: "Report", rows: int) -> Iterator[str]:
    """The first rows of the ranked table; then what else should be known."""
    yield (
        f"{'unit':>7}  {'feature':18} {'score':>6} {'alike':>6} {'IoU':>5} {'fresh':>5} {'p':>6}  "
        f"{'bits':>8} {'where on':>8}  what"
    )
    for layer, unit, claim in report.table[:rows]:
        effect = claim.effect
        what = claim.label if claim.label != "unexplained" else f"unexplained: {claim.reason}"
        if effect is not None:
            what += ", used" if effect.used else ", no effect measured"
        yield (
            f"{f'L{layer}:{unit}':>7}  {claim.feature:18} {claim.score:>+6.2f} "
            f"{number(claim.within_character, '+.2f'):>6} {number(claim.iou, '.2f'):>5} "
            f"{claim.twins:>5.2f} {number(claim.p, '.3f'):>6}  "
            f"{number(effect.bits if effect else None, '+.4f'):>8} "
            f"{number(effect.bits_on if effect else None, '+.3f'):>8}  {what}"
        )
    claims = sum(claim.label != "unexplained" for _, _, claim in report.table)
    yield (
        f"{claims} of {len(report.table)} units explained ({report.explained:.0%}). score: of the "
        "second half; alike: among equal characters; fresh: the best unit of fresh networks; bits: "
        "what holding the cell still costs per character, overall and where the feature is on"
    )
    yield from report.notes
    yield ""


def number(value: float | None, form: str) -> str:
    return "" if value is None or value != value else format(value, form)
