"""When cells were learned, on a terminal and on a page."""

import math
import re

import pytest

from charrnn.render.learning_curves import (
    HEIGHT,
    MARGIN,
    STEP,
    curve,
    over_time_card,
    over_time_lines,
)
from charrnn.render.neuron_table import table
from charrnn.render.page import page
from charrnn.render.sparklines import sparkline
from reports import over_time, report


def test_bars_between_two_values() -> None:
    assert sparkline([-1, 0, 0.5, 1, 2], 0, 1) == "▁▁▅██"
    assert sparkline([3, 3], 3, 3) == "▁▁"
    assert sparkline([math.nan, 1, 2]) == " ▁█"


def test_a_line_for_each_cell_and_one_for_the_loss() -> None:
    one = report(over_time=over_time())
    lines = list(over_time_lines(over_time(), one.cells_in_table(25)))
    assert (
        lines[1] == "score in 3 snapshots, of step 0 to 2,000, and in the model, bars from 0 to 1"
    )
    assert lines[2].split("  ")[0] == "quotes"
    assert lines[2].endswith("L0:0  ▂▅▇▇  0.5 or more from step 100 on")
    assert lines[3].endswith("L0:1  ▂▆▄▅")
    assert lines[4].endswith("█▄▂▁  6.00 to 2.50 bits per character")
    assert all(len(line) <= 80 for line in lines)


def test_the_lines_follow_the_table() -> None:
    one = report(units=7, over_time=over_time(7))
    whole = "\n".join(table(one, 1, 80))
    assert whole.count("L0:0") == 2
    assert "L0:1" not in whole
    opened = "\n".join(table(one, 25, 80, ("quotes",)))
    assert re.findall(r"^quotes +(L0:\d)  ", opened, re.M) == ["L0:0", "L0:3", "L0:6"]


def test_the_points_of_a_curve() -> None:
    found = curve([0, math.nan, 1, 5], 0, 1, 'a "label" <b>')
    top, bottom = f"{MARGIN}.0", f"{MARGIN + HEIGHT}.0"
    assert (
        f'points="{MARGIN},{bottom} {2 * STEP + MARGIN},{top} {3 * STEP + MARGIN},{top}"' in found
    )
    assert 'aria-label="a &quot;label&quot; &lt;b&gt;"' in found


def test_the_page_has_a_card() -> None:
    html = page(report(over_time=over_time()))
    assert html.count('<svg class="curve"') == 3
    assert "when it was learned" in html
    assert "score of L0:0 over time: 0.10, 0.60, 0.80, 0.90" in html
    assert "when it was learned" not in page(report())


@pytest.mark.parametrize("steps", [[0], [0, 10]])
def test_few_snapshots(steps: list[int]) -> None:
    one = over_time()
    few = type(one)(steps, one.losses[-len(steps) - 1 :], {
        unit: scores[-len(steps) - 1 :] for unit, scores in one.scores.items()
    })  # fmt: skip
    card = "".join(over_time_card(few, report().cells_in_table(25)))
    assert ("a snapshot of step 0, and in the model" in card) == (len(steps) == 1)
