"""Contestants that take turns on one machine, and how to compare their times.

A contestant that cannot run, because a library is missing or refuses what it is asked for, has a
reason instead of times; the others go on without it.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import exp, log
from statistics import median, quantiles
from typing import Any

from contestants import READY, ROOT

TURN_SECONDS = 0.7
"""How long a contestant works at a time, at least one turn of its own."""
COMMAND = (sys.executable, str(ROOT / "benchmarks" / "contestants.py"))
DASH = "–"

Shape = dict[str, Any]
Quartiles = list[float]


class CannotRunError(Exception):
    """The contestant cannot run here; the message is the reason."""


class Contestant:
    """A process that works when it is told to. Raises CannotRunError where it cannot."""

    def __init__(self, shape: Shape) -> None:
        self._process = subprocess.Popen(
            [*COMMAND, json.dumps(shape)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        answer = self._answer()
        if answer != READY:
            self.close()
            raise CannotRunError(answer)
        self._turns = 1
        first = min(self.seconds(), self.seconds())
        self._turns = max(1, round(TURN_SECONDS / first))

    def seconds(self) -> float:
        """Work for a while; seconds a turn took."""
        return float(self._ask(str(self._turns))) / self._turns

    def memory(self) -> int:
        """Peak resident bytes."""
        return int(self._ask("memory"))

    def _ask(self, question: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        if not answer:
            code = self._process.wait()
            self.close()
            raise CannotRunError(f"its process has ended with code {code}")
        return answer.strip()

    def close(self) -> None:
        self._process.kill()
        with self._process:
            pass


@dataclass(frozen=True)
class Race:
    """Seconds a turn took, round by round, for each contestant that ran; the reason for each that
    did not."""

    times: dict[str, list[float]]
    reasons: dict[str, str]

    def fastest(self, *prefixes: str) -> str | None:
        """The fastest contestant whose name begins like one of these; None where none of them
        ran."""
        names = [name for name in self.times if name.startswith(prefixes)]
        return min(names, key=lambda name: median(self.times[name]), default=None)

    def ratio(self, slow: str | None, fast: str | None) -> Quartiles | None:
        """Quartiles of how many times as fast the second contestant is as the first one; None
        where one of them did not run."""
        if slow not in self.times or fast not in self.times:
            return None
        pairs = zip(self.times[slow], self.times[fast], strict=True)
        return quantiles([a / b for a, b in pairs], n=4)

    def speeds(self, units: float) -> dict[str, float]:
        """Units a second of each contestant, of which a turn has so many."""
        return {name: units / median(times) for name, times in self.times.items()}


@contextmanager
def all_of(shapes: Mapping[str, Shape]) -> Iterator[tuple[dict[str, Contestant], dict[str, str]]]:
    """The contestants that run, and the reasons why the others do not."""
    contestants: dict[str, Contestant] = {}
    reasons: dict[str, str] = {}
    try:
        for name, shape in shapes.items():
            try:
                contestants[name] = Contestant(shape)
            except CannotRunError as error:
                reasons[name] = str(error)
        yield contestants, reasons
    finally:
        for contestant in contestants.values():
            contestant.close()


def take_turns(shapes: Mapping[str, Shape], rounds: int) -> Race:
    """Let the contestants work one after the other, in turns that change their order."""
    with all_of(shapes) as (contestants, reasons):
        times: dict[str, list[float]] = {name: [] for name in contestants}
        for round_ in range(rounds):
            names = list(contestants)
            for name in names if round_ % 2 == 0 else reversed(names):
                times[name].append(contestants[name].seconds())
    return Race(times, reasons)


def with_spread(quartiles: Quartiles | None) -> str:
    """The median, and the other quartiles in brackets; a dash for no figures."""
    if quartiles is None:
        return DASH
    low, middle, high = quartiles
    return f"{middle:5.2f} ({low:.2f}-{high:.2f})"


def geometric_mean(values: list[float]) -> float | None:
    return exp(sum(map(log, values)) / len(values)) if values else None
