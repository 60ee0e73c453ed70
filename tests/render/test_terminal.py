"""Colours, characters, and text with values on a terminal."""

import json
from dataclasses import replace

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from charrnn.neurons.report import quantized
from charrnn.neurons.report_json import as_json
from charrnn.render.palettes import PALETTES, color, ink, luminance, probability_color
from charrnn.render.terminal import Place, explanation_lines, lines, report_lines
from charrnn.text.display import shown, shown_byte
from reports import HOSTILE, explanation, over_time, report


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("dark", [False, True])
def test_colours_go_from_end_to_end(palette: str, dark: bool) -> None:
    low, _, high = PALETTES[palette]
    assert color(-1, palette, dark=dark) == low
    assert color(1, palette, dark=dark) == high
    assert color(7, palette, dark=dark) == high
    middle = luminance(color(0, palette, dark=dark))
    steps = [abs(luminance(color(x, palette, dark=dark)) - middle) for x in np.linspace(0, 1, 21)]
    assert steps == sorted(steps), "the further from 0, the further from the ground"


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("dark", [False, True])
def test_every_colour_can_be_read(palette: str, dark: bool) -> None:
    """A contrast of 4.5 at least (WCAG 2, AA)."""
    for x in np.linspace(-1, 1, 201):
        ground = color(x, palette, dark=dark)
        bright, dim = sorted((luminance(ground), luminance(ink(ground))), reverse=True)
        assert (bright + 0.05) / (dim + 0.05) >= 4.5


def test_probabilities_grow_redder() -> None:
    shades = [probability_color(p) for p in (0, 0.1, 0.5, 1)]
    assert [green for _, green, _ in shades] == sorted((g for _, g, _ in shades), reverse=True)
    assert shades[0] == (255, 255, 255)


def test_quantized_values() -> None:
    assert quantized([-2, -1, 0, 0.5, 1]).tolist() == [-127, -127, 0, 64, 127]


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [("a", "a"), (" ", "·"), ("\n", "↵"), ("\t", "⇥"), ("\r", "␍"), ("\x00", "␀"), ("\x1b", "␛"),
     ("\u202e", "‹202E›"), ("\u0301", "◌\u0301"), ("\ud800", "‹D800›"), ("\u2028", "␤"),
     ("\u200b", "‹200B›"), ("é", "é"), ("字", "字"), ("🙂", "🙂")],
)  # fmt: skip
def test_every_character_can_be_seen(symbol: str, expected: str) -> None:
    assert shown(symbol) == expected


def test_no_character_does_anything() -> None:
    for code in (*range(0x3000), *range(0xD7F0, 0xE010), *range(0xFE00, 0x10000), 0xE0001):
        text = shown(chr(code))
        assert text.strip(), hex(code)
        assert text.isprintable() or text.startswith("◌"), hex(code)
        text.encode()


def test_bytes_are_ascii_or_numbers() -> None:
    assert [shown_byte(x) for x in (65, 10, 0x7F, 0xE2)] == ["A", "↵", "␡", "‹E2›"]


def drawn(text: str, values: list[float], width: int, *, colors: bool, predictions: int = 2) -> str:
    console = Console(
        color_system="truecolor" if colors else None, width=width, force_terminal=colors
    )
    places = [
        Place(shown(symbol), value, [("x", 0.9), ("字", 0.05)], symbol == "\n")
        for symbol, value in zip(text, values, strict=True)
    ]
    with console.capture() as capture:
        for line in lines(
            places, width=width, palette="blue-red", predictions=predictions, colors=colors
        ):
            console.print(line)
    return capture.get()


def test_sign_and_size_stand_below_each_character() -> None:
    values = [0.95, -0.55, 0.04, -1, 0.1]
    assert drawn("ab\ncd", values, 40, colors=False, predictions=0) == (
        "ab↵\n+-\n950\n\ncd\n-+\n91\n\n"
    )


def test_predictions_stand_below_and_columns_stay_aligned() -> None:
    shown_lines = drawn("ab", [0.95, -0.5], 40, colors=False).splitlines()
    # the second prediction takes two cells, so each column does
    assert shown_lines == ["a b", "+ -", "9 5", "x x", "字字", ""]


def test_lines_are_as_long_as_fits() -> None:
    text = drawn("abcdefghij", [0.5] * 10, 8, colors=False)
    assert text.splitlines()[0] == "a b c d"
    assert all(cell_len(line) <= 8 for line in text.splitlines())


def test_colours_are_those_of_the_palette() -> None:
    text = drawn("a", [1.0], 40, colors=True)
    assert "48;2;178;24;43" in text
    assert "48;2;" not in drawn("a", [1.0], 40, colors=False)


def test_hostile_text_on_a_terminal() -> None:
    text = drawn(HOSTILE, [0.5] * len(HOSTILE), 60, colors=False)
    assert not set(text) & set("\x00\x1b\t\r\u202e\u2066\u2028\ud800")


def test_an_explanation_in_lines() -> None:
    found = list(explanation_lines(explanation(), 60))
    assert found[0] == '  switches  rises at ‘"’ by 1.21 (input gate)'
    assert all(len(line) <= 60 for line in found)
    assert found[1].startswith("  rule      starts at -0.50; +1.40 inside quotes (r = 0.97")
    assert found[2].startswith(" " * 12), "what goes on is indented"
    headings = [line.split()[0] for line in found if not line.startswith("   ")]
    assert headings == ["switches", "rule", "memory", "sources", "readers"]


def test_a_report_with_an_explanation() -> None:
    one = report()
    first = replace(one.units[0], explanation=explanation())
    one = replace(one, units=[first, *one.units[1:]])
    lines = [
        line.plain for line in report_lines(one, rows=0, predictions=0, width=70, colors=False)
    ]
    assert lines[0].startswith("L0:0 (tanh(c)): state cell, quotes")
    assert lines[1].startswith("  switches  rises at")
    read = json.loads(json.dumps(as_json(one), allow_nan=False))
    assert read["units"][0]["explanation"]["rule"]["r"] == 0.97
    assert read["units"][0]["explanation"]["words"]["readers"].startswith("the output")
    assert read["units"][1]["explanation"] is None


def test_a_report_as_json() -> None:
    one = report()
    read = json.loads(json.dumps(as_json(one), allow_nan=False))
    assert read["format"] == "charrnn-neurons"
    assert read["characters"] == one.characters
    assert read["units"][0]["values"] == quantized(one.units[0].values).tolist()
    assert read["units"][0]["claim"]["effect"]["bits_on"] == 0.1
    assert read["table"][1]["feature"] == "line position"
    (quotes, position) = read["groups"]
    assert quotes["effect"]["bits"] == 0.03
    assert position == {
        "feature": "line position", "kind": "number", "claimed": 1, "near_duplicates": 0,
        "trivial": False, "untrained": 0.2, "effect": None,
        "cells": [{"layer": 0, "unit": 1, "score": -0.6, "alike": None}],
    }  # fmt: skip
    assert read["over_time"] is None
    history = as_json(report(over_time=over_time()))["over_time"]
    assert history["steps"] == [0, 100, 2000]
    assert history["losses"] == [6, 4, 3, 2.5]
    assert history["cells"][1] == {"layer": 0, "unit": 1, "scores": [0.2, 0.7, 0.4, 0.6]}
    arrays = one.arrays()
    assert arrays["values"].shape == (3, len(one.characters))
    assert arrays["tracks"].shape == (2, len(one.characters))
    assert arrays["predicted"].shape == arrays["probabilities"].shape == (len(one.characters), 5)
