"""What `charrnn visualize-neurons` prints, and the files that it writes."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from charrnn.cli.standard_streams import discard, emit
from charrnn.errors import CharRNNError

if TYPE_CHECKING:
    from charrnn.neurons.report import Claim, Report


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
