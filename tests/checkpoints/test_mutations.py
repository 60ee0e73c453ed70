"""Checkpoints that are damaged in many ways: the short version of `python tests/mutations.py`."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli_helpers import environment

pytest.importorskip("resource", reason="no measure of memory on this system")


def test_damaged_checkpoints_end_in_one_line_or_in_a_valid_model() -> None:
    script = Path(__file__).parents[1] / "mutations.py"
    done = subprocess.run(
        [sys.executable, str(script), "--count", "400", "--seed", "11"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    outcomes = {what: int(number) for number, what in lines}
    assert sum(outcomes.values()) == 400
    assert outcomes["flipped: refused"] > 10
    assert outcomes["another_number: refused"] > 10
    assert sum(number for what, number in outcomes.items() if what.endswith(": unharmed")) > 5
    assert sum(number for what, number in outcomes.items() if what.endswith(": valid")) >= 5
