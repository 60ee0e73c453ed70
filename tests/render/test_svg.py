"""A report as a picture."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from rich.text import Text

from charrnn.render.svg import CELL_WIDTH, LINE_HEIGHT, svg
from charrnn.render.terminal import report_lines
from reports import HOSTILE, report

SVG = "{http://www.w3.org/2000/svg}"


def drawn(text: str = 'He said "no".\n' * 4, width: int = 60, rows: int = 3) -> str:
    one = report(text)
    lines = report_lines(one, rows=rows, predictions=2, width=width, colors=True)
    return svg(lines, title=one.title, palette=one.palette, width=width)


def texts(picture: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(picture).iter(f"{SVG}text")]


@pytest.mark.parametrize("text", ["He said.\n", HOSTILE, "字🙂e\u0301\t𝄞\n", '<&>"'])
def test_it_is_xml_and_loads_nothing(text: str) -> None:
    picture = drawn(text)
    picture.encode()
    assert ET.fromstring(picture).tag == f"{SVG}svg"
    assert picture.count("http") == picture.count("http://www.w3.org/2000/svg") == 1
    assert not re.search(r"url\(|@import|href|<script|<foreignObject|<image|\son\w+=", picture)
    kinds = {element.tag.removeprefix(SVG) for element in ET.fromstring(picture).iter()}
    assert kinds <= {"svg", "title", "style", "rect", "path", "g", "text", "tspan"}


def test_the_text_and_the_table_are_in_it() -> None:
    picture = drawn()
    whole = " ".join(texts(picture))
    for part in ("feature", "alike", "L0:0", "quotes", "+0.90", "+0.0300*", "a note <b>"):
        assert part in whole
    assert "L0:0 (tanh(c)): state cell, quotes, +0.90" in texts(picture)
    assert "He·said·" in "".join(texts(picture))
    assert "unit" not in texts(drawn(rows=0))


def test_every_character_has_a_place_of_its_own() -> None:
    line = Text().append("ab ", "black on red").append("字🙂e\u0301x", "white on blue").append(" c")
    picture = svg([line], title="t", palette="blue-red", width=40)
    places = [
        (element.text, int(element.get("x", "")) / CELL_WIDTH)
        for element in ET.fromstring(picture).iter()
        if element.get("x") and element.text in {"ab", "字", "🙂", "e\u0301", "x", "c"}
    ]
    assert places == [("ab", 0), ("字", 3), ("🙂", 5), ("e\u0301", 7), ("x", 8), ("c", 10)]
    grounds = [path.get("d") for path in ET.fromstring(picture).iter(f"{SVG}path")][-2:]
    assert sorted(grounds, key=str) == [
        f"M0 0h{3 * CELL_WIDTH}v{LINE_HEIGHT}H0z",
        f"M{3 * CELL_WIDTH} 0h{6 * CELL_WIDTH}v{LINE_HEIGHT}H{3 * CELL_WIDTH}z",
    ]


def test_the_picture_is_as_wide_as_it_has_to_be() -> None:
    def width(line: str, columns: int) -> int:
        picture = svg([Text(line)], title="t", palette="blue-red", width=columns)
        return int(ET.fromstring(picture).get("width", ""))

    assert width("x", 50) - width("x", 40) == 10 * CELL_WIDTH
    assert width("x" * 50, 40) == width("x", 50), "no line is cut"


def test_empty_lines_at_the_end_take_no_room() -> None:
    one, other = (
        svg(map(Text, lines), title="t", palette="karpathy", width=40)
        for lines in (["a"], ["a", "", ""])
    )
    assert one == other
    assert svg([], title="t", palette="karpathy", width=40)


def test_colours_are_those_of_the_cells() -> None:
    one = report("abc")
    one.units[0].values[:] = np.array([-1, 0, 1])
    lines = report_lines(one, rows=0, predictions=0, width=40, colors=True)
    picture = svg(lines, title="t", palette="blue-red", width=40)
    for ground, column in (("#2166ac", 0), ("#f7f7f7", 1), ("#b2182b", 2)):
        assert f'<path fill="{ground}" d="M{column * CELL_WIDTH} {2 * LINE_HEIGHT}h' in picture


def test_only_the_first_characters() -> None:
    one = report("abcdefgh")
    lines = report_lines(one, rows=0, predictions=0, width=40, colors=False, length=3)
    assert [line.plain for line in lines][2] == "abc"


def test_long_sentences_are_wrapped() -> None:
    one = report(notes=["word " * 40])
    lines = [line.plain for line in report_lines(one, rows=1, predictions=0, width=40, colors=True)]
    assert sum(line.startswith("word") for line in lines) == 5
    assert all(len(line) <= 40 for line in lines[2 : lines.index("")])
