"""The table of features and cells, as lines of text."""

from dataclasses import replace
from typing import Any

from charrnn.render.neuron_table import table
from charrnn.render.terminal import report_lines
from reports import report


def lines(rows: int = 25, width: int = 80, opened: tuple[str, ...] = (), **changes: Any) -> str:
    return "\n".join(table(report(units=7, **changes), rows, width, opened))


def test_a_line_for_each_feature() -> None:
    header, quotes, position, *_ = lines().splitlines()
    assert header.split() == [
        "feature", "cells", "alike", "best", "score", "untrained", "cost", "all", "cost"
    ]  # fmt: skip
    assert quotes.split() == ["quotes", "3", "2", "L0:0", "+0.90", "0.30", "+0.0100*", "+0.0300*"]
    assert position.split() == ["line", "position", "2", "L0:1", "-0.60", "0.20"]
    for name in ("cells", "alike", "score", "untrained"):
        end = header.index(name) + len(name)
        assert quotes[end - 1] != " " == quotes[end], name


def test_no_line_is_too_long() -> None:
    long = report(units=7)
    group = replace(long.groups[0], feature="a feature with a name that goes on 字字字")
    for one in (long, replace(long, groups=[group])):
        assert all(len(line) <= 80 for line in table(one, 25, 80))
    assert "a feature with a…" in "\n".join(table(replace(long, groups=[group]), 25, 80))


def test_rows_bound_the_lines() -> None:
    assert "line position" not in lines(rows=1)
    shown = [line.plain for line in report_lines(
        report(), rows=0, predictions=0, width=80, colors=False
    )]  # fmt: skip
    assert shown[0].startswith("L0:0"), "no table, no legend"


def test_an_opened_feature_shows_all_its_cells() -> None:
    shown = lines(rows=1, width=120, opened=("quotes",))
    title, header, *cells = shown.splitlines()[:5]
    assert title.startswith("quotes (in quotes); held at their means together they cost +0.0300")
    assert header.split()[:3] == ["unit", "score", "within"]
    assert [cell.split()[0] for cell in cells] == ["L0:0", "L0:3", "L0:6"]
    assert cells[1].split()[-4:] == ["L0:0", "state", "cell,", "used"]
    assert "line position" not in shown
    assert lines(opened=("url",)).startswith("url: no cell follows it")


def test_without_a_claim_the_nearest_are_shown() -> None:
    one = report(units=7)
    layer, unit, claim = one.table[2]
    (group,) = [replace(one.groups[0], cells=[(layer, unit, claim)], alike=[None], effect=None)]
    shown = "\n".join(table(replace(one, groups=[group]), 25, 80))
    assert shown.splitlines()[1].split() == ["quotes", "0", "L0:2", "+0.10", "0.30"]
    assert "by 0 features" in shown
