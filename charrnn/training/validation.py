"""The looks at the held-out text in the course of a training, and the best weights so far."""

import math
import time
from typing import Any

from charrnn.nn.network import Network
from charrnn.training.evaluation import Evaluation
from charrnn.types import Array, IdArray

LOOKS = 20
"""In a run, evenly spread over its course."""
SYMBOLS = 32768
"""Symbols that a look takes in; the end of the run takes in the whole held-out text."""
SHARE = 0.03
"""Of a run that is measured in minutes, the share of the time that the looks may take."""


class Validation:
    """Looks at the symbols `held_out` (N,), which follow `before`; N may be 0, for none.

    `weights` (P,) are the best until there is a look. Memory: P numbers beside that of the looks.
    """

    def __init__(self, before: IdArray, held_out: IdArray, weights: Array, *, threads: int) -> None:
        self.best_weights = weights.copy()
        self.best_loss = math.inf
        self.loss: float | None = None
        """That of the newest look, in nats."""
        self.seconds = 0.0
        """Spent on looks."""
        self.stale = 0
        """Looks since the best one."""
        self._looks = 0
        self._whole = self._quick = None
        if len(held_out) > 0:
            self._whole = Evaluation(before, held_out, threads=threads)
            self._quick = Evaluation(before, held_out, limit=SYMBOLS, threads=threads)

    @property
    def symbols(self) -> int:
        """How many of them are held out."""
        return 0 if self._whole is None else self._whole.count

    def is_due(self, progress: float, seconds: float, *, timed: bool) -> bool:
        """Whether to look now: at a `progress` (0 … 1) of the run, `seconds` after its start.

        A run measured in steps looks at the same steps every time, whatever it costs; one that is
        `timed` does not when that took too long before.
        """
        if self._quick is None or progress * LOOKS < self._looks + 1:
            return False
        return progress >= 1 or not timed or self.seconds <= SHARE * seconds

    def look(self, network: Network, progress: float) -> float:
        """The loss on a part of the held-out text; the weights are kept if they are the best.

        A loss that is no number leaves everything as it was.
        """
        assert self._quick is not None
        start = time.monotonic()
        loss = self._quick.loss(network)
        if not math.isfinite(loss):
            return loss
        self._looks = int(progress * LOOKS)
        self.loss = loss
        self.stale += 1
        if loss < self.best_loss:
            self.best_loss = loss
            self.best_weights[:] = network.parameters.flat
            self.stale = 0
        self.seconds += time.monotonic() - start
        return loss

    def measure_best(self, network: Network) -> float | None:
        """The exact loss of the best weights, on all of the held-out text."""
        if self._whole is not None:
            self.loss = self._whole.loss(network.with_weights(self.best_weights))
        return self.loss

    def update_best(self, network: Network) -> None:
        """Where there is nothing to choose by yet, the newest weights are the best."""
        if math.isinf(self.best_loss):
            self.best_weights[:] = network.parameters.flat

    def record(self) -> dict[str, Any]:
        """What `restore` takes, as JSON."""
        return {
            "best_loss": None if math.isinf(self.best_loss) else self.best_loss,
            "validation_loss": self.loss,
            "validation_seconds": self.seconds,
            "stale_looks": self.stale,
        }

    def restore(self, record: dict[str, Any], best_weights: Array, progress: float) -> None:
        """Go on from what `record` said at a `progress` of the run as it is now planned."""
        self.best_weights[:] = best_weights
        self.best_loss = math.inf if record["best_loss"] is None else record["best_loss"]
        self.loss, self.seconds = record["validation_loss"], record["validation_seconds"]
        self.stale = record["stale_looks"]
        self._looks = int(progress * LOOKS)
