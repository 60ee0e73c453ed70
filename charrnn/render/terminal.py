"""Text with the value of a unit at each character, for a terminal or a plain file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.style import Style
from rich.text import Text

from charrnn.render.palettes import Color, color, ink, probability_color

Prediction = tuple[str, float]
"""What may come next, as it is shown, and its probability."""


@dataclass(frozen=True)
class Place:
    """One character of a text: as it is shown, the value of the unit after it was read (−1 … 1),
    and the predictions of what comes next, the most probable first."""

    shown: str
    value: float
    predictions: Sequence[Prediction]
    ends_line: bool = False


def lines(
    places: Sequence[Place], *, width: int, palette: str, predictions: int, colors: bool
) -> Iterator[Text]:
    """The text in lines of at most `width` cells, each with rows beneath it.

    Beneath each character stand the sign of the value and its size in tenths, so that nothing rests
    on colour alone, and `predictions` rows of what may come next. An empty line follows. Without
    `colors` all of it is plain.
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
    """The places of each line: up to a line end, or as many as fit."""
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
    """The cells of the widest thing in the column of a character."""
    below = [cell_len(shown) for shown, _ in place.predictions[:predictions]]
    return max(1, cell_len(place.shown), *below)


def assembled(shown: Sequence[str], styles: Sequence[Style | None], widths: Sequence[int]) -> Text:
    """A row of characters, each in a column of its own width."""
    text = Text(no_wrap=True, end="\n")
    for symbol, style, width in zip(shown, styles, widths, strict=True):
        text.append(symbol + " " * (width - cell_len(symbol)), style)
    text.rstrip()
    return text


def sign(value: float) -> str:
    return " " if size(value) == "0" else "+" if value > 0 else "-"


def size(value: float) -> str:
    """Its amount in tenths: 9 for 0.9 and more."""
    return str(min(9, int(abs(value) * 10)))


def value_style(value: float, palette: str) -> Style:
    return on(color(value, palette))


def probability_style(p: float) -> Style:
    return on(probability_color(p))


def on(ground: Color) -> Style:
    """A ground, with the ink that can be read on it."""
    return Style(color=RichColor.from_rgb(*ink(ground)), bgcolor=RichColor.from_rgb(*ground))
