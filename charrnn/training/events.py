"""What a training reports to those who watch it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Step:
    """A step is done: the smoothed training loss in nats, and how far the run is (0 … 1)."""

    step: int
    characters: int
    """Read so far, in all streams and epochs."""
    epoch: float
    progress: float
    loss: float
    validation_loss: float | None
    """Of the newest validation, in nats."""
    learning_rate: float
    gradient_norm: float
    characters_per_second: float
    seconds: float
    """Of training so far, earlier runs included."""


@dataclass(frozen=True)
class Report(Step):
    """A step worth a line in a log; `validated` where the validation loss is a new one."""

    validated: bool


@dataclass(frozen=True)
class Saved:
    """The checkpoint was written, for the state after `step`."""

    path: Path
    step: int


@dataclass(frozen=True)
class NotSaved:
    """The checkpoint could not be written for the state after `step`, for the `reason`; the one
    before is still there, and the training goes on and will try again."""

    path: Path
    step: int
    reason: str


@dataclass(frozen=True)
class Recovered:
    """The training diverged after the step `lost`, for the `reason`: it has gone back to the good
    state of `step`, with the `learning_rate` as its new peak."""

    lost: int
    step: int
    reason: str
    learning_rate: float


@dataclass(frozen=True)
class Measuring:
    """At the end of the run, the loss on a part of the text is being measured: the share that is
    `done`, 0 … 1. `part` is "validation" or "test"."""

    part: str
    done: float


@dataclass(frozen=True)
class Finished:
    """The end of the run: the whole of it, an `early` end because the validation loss stalled, or
    `stopped` on request.

    The losses (nats) are those of the best weights on the held-out text and the test part, over the
    `symbols` of each ("validation", "test"); None where they were not measured.
    """

    step: int
    seconds: float
    stopped: bool
    validation_loss: float | None
    test_loss: float | None
    early: bool
    path: Path | None
    symbols: Mapping[str, int] = field(default_factory=dict)


Event = Step | Report | Saved | NotSaved | Recovered | Measuring | Finished


class Speedometer:
    """Characters per second over the last seconds."""

    def __init__(self, window: float = 5.0) -> None:
        self._window = window
        self._marks: list[tuple[float, int]] = []
        self._total = 0

    def add(self, characters: int) -> float:
        """Count characters that were just done; the speed now."""
        now = time.monotonic()
        self._total += characters
        self._marks.append((now, self._total))
        while len(self._marks) > 2 and now - self._marks[0][0] > self._window:
            self._marks.pop(0)
        (start, before), (end, after) = self._marks[0], self._marks[-1]
        return (after - before) / (end - start) if end > start else 0.0
