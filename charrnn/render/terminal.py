"""A report on cells in lines of text: for a terminal, a plain file, or a picture.

A table of the cells comes first, then the text with the value of one cell at each character.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.style import Style
from rich.text import Text

from charrnn.neurons.explain.explanation import Explanation
from charrnn.neurons.report import Claim, Report
from charrnn.render.neuron_table import table
from charrnn.render.palettes import Color, color, ink, probability_color

Prediction = tuple[str, float]
"""A next symbol, as it is shown, and its probability."""


@dataclass(frozen=True)
class Place:
    """One character of a text as it is shown, the value of the unit after reading it (−1 … 1), and
    the predictions of the next character, the most probable first."""

    shown: str
    value: float
    predictions: Sequence[Prediction]
    ends_line: bool = False


def report_lines(
    report: Report,
    *,
    rows: int,
    predictions: int,
    width: int,
    colors: bool,
    length: int | None = None,
    opened: Sequence[str] = (),
) -> Iterator[Text]:
    """At most `rows` of the table, or the cells of the `opened` features; then up to `length`
    characters of the text with the values of the report's first unit and the `predictions` most
    probable next characters."""
    if rows:
        yield from map(Text, table(report, rows, width, opened))
    unit = report.units[0]
    yield Text(f"L{unit.layer}:{unit.unit} ({report.state}){in_words(unit.claim)}")
    if unit.explanation is not None:
        yield from map(Text, explanation_lines(unit.explanation, width))
    yield Text("")
    places = [
        Place(symbol, float(value), prediction, ends)
        for symbol, value, prediction, ends in zip(
            report.characters, unit.values, report.predictions, report.ends_line, strict=True
        )
    ]
    yield from lines(
        places[:length],
        width=width,
        palette=report.palette,
        predictions=predictions,
        colors=colors,
    )


def in_words(claim: Claim | None) -> str:
    """What follows the name of a cell; nothing without a claim."""
    if claim is None:
        return ""
    if claim.label == "unexplained":
        return f": unexplained ({claim.reason}); most like {claim.feature}, {claim.score:+.2f}"
    return f": {claim.label}, {claim.feature}, {claim.score:+.2f}"


def explanation_lines(explanation: Explanation, width: int) -> Iterator[str]:
    """What a cell does in words, in lines of at most `width` characters."""
    for heading, text in explanation.paragraphs():
        label = f"  {heading:9} "
        yield from textwrap.wrap(
            text, width, initial_indent=label, subsequent_indent=" " * len(label)
        )


def lines(
    places: Sequence[Place], *, width: int, palette: str, predictions: int, colors: bool
) -> Iterator[Text]:
    """The text in lines of at most `width` columns, with rows below each line and an empty line.

    Below each character are the sign of the value and its absolute value in tenths, so that nothing
    is shown by colour alone; then the `predictions` most probable next characters. Without `colors`
    the lines have no styles.
    """
    for row in rows(places, width):
        widths = [cell_width(place, predictions) for place in row]
        yield assembled(
            [place.shown for place in row],
            [value_style(place.value, palette) if colors else None for place in row],
            widths,
        )
        quiet = Style(dim=True) if colors else None
        for part in (sign, size):
            yield assembled([part(place.value) for place in row], [quiet] * len(row), widths)
        for rank in range(predictions):
            found = [(*place.predictions, *[("", 0.0)] * predictions)[rank] for place in row]
            yield assembled(
                [shown for shown, _ in found],
                [probability_style(p) if colors and shown else None for shown, p in found],
                widths,
            )
        yield Text("")


def rows(places: Sequence[Place], width: int, predictions: int = 5) -> Iterator[list[Place]]:
    """The places of each line: up to a line end, or as many as fit into the width."""
    row: list[Place] = []
    used = 0
    for place in places:
        cells = cell_width(place, predictions)
        if row and used + cells > width:
            yield row
            row, used = [], 0
        row.append(place)
        used += cells
        if place.ends_line:
            yield row
            row, used = [], 0
    if row:
        yield row


def cell_width(place: Place, predictions: int) -> int:
    """The width of the column of a character: that of the widest symbol in it."""
    below = [cell_len(shown) for shown, _ in place.predictions[:predictions]]
    return max(1, cell_len(place.shown), *below)


def assembled(shown: Sequence[str], styles: Sequence[Style | None], widths: Sequence[int]) -> Text:
    """A row of symbols, each padded to the width of its column."""
    text = Text(no_wrap=True, end="\n")
    for symbol, style, width in zip(shown, styles, widths, strict=True):
        text.append(symbol + " " * (width - cell_len(symbol)), style)
    text.rstrip()
    return text


def sign(value: float) -> str:
    return " " if size(value) == "0" else "+" if value > 0 else "-"


def size(value: float) -> str:
    """The absolute value in tenths; 9 for 0.9 and more."""
    return str(min(9, int(abs(value) * 10)))


def value_style(value: float, palette: str) -> Style:
    return on(color(value, palette))


def probability_style(p: float) -> Style:
    return on(probability_color(p))


def on(ground: Color) -> Style:
    """A background colour, with a readable text colour."""
    return Style(color=RichColor.from_rgb(*ink(ground)), bgcolor=RichColor.from_rgb(*ground))
