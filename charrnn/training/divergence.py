"""When a training has diverged."""

import math

import numpy as np

from charrnn.checkpoints.format import LARGEST_WEIGHT
from charrnn.training.run_state import RunState
from charrnn.types import Array, IdArray

DIVERGED = 1.5
"""Times the entropy of single symbols: the loss above which a network that had learned has
diverged."""
LEARNED = 0.9
"""Times that entropy: below it a network knows more than the frequencies of symbols."""
HOPELESS = 50.0
"""Loss in nats above which any training has diverged."""
RECENT_SYMBOLS = 4096
"""Symbols over which the loss is averaged, at least, before it counts."""


class DivergenceError(Exception):
    """The training has diverged; the message says what was seen."""


class Watch:
    """Sees from the losses of a training whether it has diverged.

    It compares them with the entropy of the symbols `ids` (N,), the loss of a model that knows how
    often each of them occurs and nothing else. What it remembers stands in `state`.
    """

    def __init__(self, ids: IdArray, window: int, state: RunState) -> None:
        """`window` is the number of symbols in a step."""
        self._entropy = entropy(ids)
        self._share = min(1.0, window / RECENT_SYMBOLS)
        self._state = state

    def check(self, loss: float, norm: float) -> None:
        """Take note of a step's loss (nats) and gradient norm. Raises DivergenceError."""
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise DivergenceError("the loss is no longer a number")
        state = self._state
        recent = loss if state.watch_recent is None else state.watch_recent
        recent += self._share * (loss - recent)
        lowest = recent if state.watch_lowest is None else min(state.watch_lowest, recent)
        state.watch_recent, state.watch_lowest = recent, lowest
        if recent > HOPELESS or (self._knew_more and recent > DIVERGED * self._entropy):
            raise DivergenceError(f"the loss has risen to {recent:.3g} nats")

    @property
    def is_sound(self) -> bool:
        """Whether the recent losses are low enough for a state to go back to."""
        recent = self._state.watch_recent
        most = LEARNED if self._knew_more else DIVERGED
        return recent is not None and recent <= most * self._entropy

    @property
    def _knew_more(self) -> bool:
        lowest = self._state.watch_lowest
        return lowest is not None and lowest < LEARNED * self._entropy


def check_loss(loss: float) -> None:
    """Raise DivergenceError for a validation loss that is no finite number. However high it is, the
    network may only have overfitted."""
    if not math.isfinite(loss):
        raise DivergenceError("the validation loss is no longer a number")


def check_weights(weights: Array) -> None:
    """Raise DivergenceError where some of the weights (P,) are no numbers, or too large to use.

    A weight that the current window does not use does not show in its loss.
    """
    if not (weights.min() >= -LARGEST_WEIGHT and weights.max() <= LARGEST_WEIGHT):
        raise DivergenceError("the weights are too large, or no longer numbers")


def entropy(ids: IdArray, most: int = 2**20) -> float:
    """Of single symbols, in nats; in a long text, of about `most` of them from all over it."""
    counts = np.bincount(ids[:: max(1, len(ids) // most)])
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())
