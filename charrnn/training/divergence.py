"""What to go back to when a training explodes."""

import math
from dataclasses import dataclass

import numpy as np

from charrnn.types import Array, IdArray

TRIES = 5
"""How often a training goes back before it gives up."""
EXPLODED = 1.5
"""Times the entropy of single symbols: a network that knew more, and whose loss is above this, has
lost what it knew."""
LEARNED = 0.9
"""Times that entropy: what a network has to fall below once before its loss can explode."""
HOPELESS = 50.0
"""Nats that no network worth to go on with loses at a symbol, however fresh it is."""
RECENT = 4096
"""Symbols over which the loss is averaged, at least, before it counts."""


class ExplosionError(Exception):
    """The network at hand is lost; a message says what was seen."""


@dataclass(frozen=True)
class GoodState:
    """All that a training changes, as copies: a state to go back to."""

    step: int
    optimizer_steps: int
    smoothed: float
    weights: Array
    moments: Array
    state: Array


class Watch:
    """Sees from the losses of the steps whether a training explodes.

    It compares them with the entropy of the symbols `ids` (N,), the loss of knowing how often each
    of them occurs and nothing else.
    """

    def __init__(self, ids: IdArray, window: int) -> None:
        self._entropy = entropy(ids)
        self._share = min(1.0, window / RECENT)
        self.recent = math.nan
        self.lowest = math.inf

    def check(self, loss: float, norm: float) -> None:
        """Take note of a step's loss (nats) and gradient norm. Raises ExplosionError."""
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise ExplosionError("the loss is no longer a number")
        if math.isnan(self.recent):
            self.recent = loss
        self.recent += self._share * (loss - self.recent)
        self.lowest = min(self.lowest, self.recent)
        knew_more = self.lowest < LEARNED * self._entropy
        if self.recent > HOPELESS or (knew_more and self.recent > EXPLODED * self._entropy):
            raise ExplosionError(f"the loss has risen to {self.recent:.3g} nats")

    def forget(self) -> None:
        """Begin again, for a state of which no loss is known."""
        self.recent, self.lowest = math.nan, math.inf


def entropy(ids: IdArray, most: int = 2**20) -> float:
    """Of single symbols, in nats; in a long text, of about `most` of them from all over it."""
    counts = np.bincount(ids[:: max(1, len(ids) // most)])
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())
