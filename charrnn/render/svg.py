"""Lines of a terminal as one self-contained SVG: no font, style or script from elsewhere.

Every character stands in a cell of a fixed size, as on a terminal; where it stands is said in the
file, so that the columns are straight whatever the font of the reader. The picture brings its own
light ground and is readable on light and dark pages.
"""

import re
from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.text import Text

from charrnn.render.palettes import color

CELL_WIDTH, LINE_HEIGHT = 8, 18
"""Of a character, in pixels."""
MARGIN = 16
TITLE_HEIGHT = 40
LEGEND_STEPS = 11

BASELINE = 13
TITLE_BASELINE = 25
INK, QUIET, PAPER, FRAME = "#1f2328", "#59636e", "#ffffff", "#d0d7de"

_STYLE = (
    "text{font:13.3px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}"
    "path{shape-rendering:crispEdges}"
)
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def svg(lines: Iterable[Text], *, title: str, palette: str, width: int) -> str:
    """The lines as a picture of `width` columns, or of as many as the longest line has."""
    rows = [_segments(line) for line in lines]
    while rows and not rows[-1]:
        rows.pop()
    columns = max([width, *(sum(cell_len(s.text) for s in row) for row in rows)])
    pixels = columns * CELL_WIDTH + 2 * MARGIN
    height = len(rows) * LINE_HEIGHT + TITLE_HEIGHT + MARGIN
    name = _text(title)
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {pixels} {height}" '
            f'width="{pixels}" height="{height}" role="img" aria-label="{name}">',
            f"<title>{name}</title>",
            f"<style>{_STYLE}</style>",
            f'<rect x="0.5" y="0.5" width="{pixels - 1}" height="{height - 1}" rx="8" '
            f'fill="{PAPER}" stroke="{FRAME}"/>',
            _label(name, MARGIN),
            *_legend(palette, pixels - MARGIN),
            f'<g fill="{INK}" transform="translate({MARGIN} {TITLE_HEIGHT})">',
            *_grounds(rows),
            *(part for n, row in enumerate(rows) for part in _texts(row, n)),
            "</g>",
            "</svg>",
            "",
        )
    )


def _segments(line: Text) -> list[Segment]:
    """The pieces of a line, each with one style."""
    console = Console(color_system="truecolor", force_terminal=True, width=10**6)
    return [segment for segment in line.render(console) if segment.text.strip("\n")]


def _legend(palette: str, right: int) -> Iterator[str]:
    """The colours from −1 to 1, in the line of the title, ending at the pixel `right`."""
    left = right - (LEGEND_STEPS + 3) * CELL_WIDTH
    yield _label("−1", left - 3 * CELL_WIDTH)
    for step in range(LEGEND_STEPS):
        ground = _hex(*color(2 * step / (LEGEND_STEPS - 1) - 1, palette))
        x = left + step * CELL_WIDTH
        yield f'<path fill="{ground}" d="M{x} 12h{CELL_WIDTH}v{LINE_HEIGHT}h-{CELL_WIDTH}z"/>'
    yield _label("+1", right - 2 * CELL_WIDTH)


def _label(text: str, x: int) -> str:
    return f'<text x="{x}" y="{TITLE_BASELINE}" fill="{QUIET}">{text}</text>'


def _grounds(rows: list[list[Segment]]) -> Iterator[str]:
    """The coloured cells: one path for each colour."""
    paths: dict[str, list[str]] = {}
    for n, row in enumerate(rows):
        column = 0
        for segment in row:
            size = cell_len(segment.text)
            if segment.style is not None and segment.style.bgcolor is not None:
                ground = _hex(*segment.style.bgcolor.get_truecolor())
                x, y = column * CELL_WIDTH, n * LINE_HEIGHT
                paths.setdefault(ground, []).append(
                    f"M{x} {y}h{size * CELL_WIDTH}v{LINE_HEIGHT}H{x}z"
                )
            column += size
    for ground, cells in sorted(paths.items()):
        yield f'<path fill="{ground}" d="{"".join(cells)}"/>'


def _texts(row: list[Segment], n: int) -> Iterator[str]:
    """The characters of a row: one element for each run of one ink."""
    column = 0
    for ink, segments in groupby(row, key=_ink):
        run = "".join(segment.text for segment in segments)
        yield from _run(run, column, n, ink)
        column += cell_len(run)


def _ink(segment: Segment) -> str:
    style = segment.style
    if style is None or not (style.color or style.dim):
        return INK
    return QUIET if style.color is None else _hex(*style.color.get_truecolor())


def _run(run: str, column: int, n: int, ink: str) -> Iterator[str]:
    """An element for each phrase of a run that begins in a column of row n."""
    y = n * LINE_HEIGHT + BASELINE
    for phrase in re.finditer(r"\S+(?: \S+)*", run):
        x = (column + cell_len(run[: phrase.start()])) * CELL_WIDTH
        fill = "" if ink == INK else f' fill="{ink}"'
        if phrase[0].isascii():
            length = len(phrase[0]) * CELL_WIDTH
            yield f'<text x="{x}" y="{y}" textLength="{length}"{fill}>{_text(phrase[0])}</text>'
        else:
            yield f'<text y="{y}"{fill}>{"".join(_placed(phrase[0], x))}</text>'


def _placed(phrase: str, x: int) -> Iterator[str]:
    """Each character at its own place, with the marks that stand on it: other fonts have other
    widths for what is not ASCII."""
    clusters: list[str] = []
    for character in phrase:
        if clusters and cell_len(character) == 0:
            clusters[-1] += character
        else:
            clusters.append(character)
    for cluster in clusters:
        if cluster != " ":
            yield f'<tspan x="{x}">{_text(cluster)}</tspan>'
        x += cell_len(cluster) * CELL_WIDTH


def _text(text: str) -> str:
    """Text as XML shows it, without what XML does not have."""
    return escape(_NOT_IN_XML.sub("\ufffd", text))


def _hex(red: int, green: int, blue: int) -> str:
    return f"#{red:02x}{green:02x}{blue:02x}"
