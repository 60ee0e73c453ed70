"""Which characters a cell of the last layer makes more and less probable.

Its output h is set to its 95th percentile and to its 5th, one after the other, while all other
units stay as they were. The probabilities of the next character follow from the logits, which are
linear in h: z + V_u·(x − h). This is the cell's direct effect on one prediction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.neurons.explain.recording import Recording
from charrnn.nn.softmax import softmax
from charrnn.text.streams import Positions

Floats = NDArray[np.float64]

MOST_SYMBOLS = 3
"""That are named, of those made more and of those made less probable."""
PLACES = 1500
"""Predictions that are averaged."""
SMALLEST_FACTOR = 1.25
"""By which a share changes, at least."""
SMALLEST_SHARE = 0.002
"""Of a character in one of the two cases, at least."""
TINY = 1e-5
"""Share below which characters are not told apart."""
LOW, HIGH = 0.05, 0.95


@dataclass(frozen=True)
class Factor:
    """A character `symbol` comes `factor` times as often in one case as in another."""

    symbol: str
    factor: float

    def in_words(self) -> str:
        """For example: ‘"’ × 12."""
        if self.factor < 0.01:
            return f"{self.symbol} × less than 0.01"
        return f"{self.symbol} × {self.factor:.{0 if self.factor >= 10 else 2}f}"


def largest_factors(
    chosen: tuple[Floats, Floats], unseen: tuple[Floats, Floats], names: Sequence[str]
) -> list[Factor]:
    """The characters whose shares differ most between two cases, the largest factor first.

    Each pair has the shares (V,) of all characters in the one case and in the other. Which are
    named is decided by the pair `chosen`, the factors are those of the other pair.
    """
    high, low = chosen
    size = np.abs(np.log(np.maximum(high, TINY) / np.maximum(low, TINY)))
    size[np.maximum(high, low) < SMALLEST_SHARE] = 0
    found = []
    for raised in (True, False):
        of_sign = np.where((high > low) == raised, size, 0)
        for id in np.argsort(-of_sign)[:MOST_SYMBOLS].tolist():
            factor = float((unseen[0][id] + TINY) / (unseen[1][id] + TINY))
            is_same = max(factor, 1 / factor) >= SMALLEST_FACTOR and (factor > 1) == raised
            if of_sign[id] >= np.log(SMALLEST_FACTOR) and is_same:
                found.append(Factor(names[id], factor))
    return sorted(found, key=lambda one: -one.factor)


def output_effects(
    recording: Recording,
    cell: tuple[int, int],
    chosen: Positions,
    unseen: Positions,
    names: Sequence[str],
) -> list[Factor]:
    """The characters that depend most on a cell (layer, unit) of the last layer: how many times as
    probable each is with a high output as with a low one; none for a cell of another layer.

    Which are named is decided at some places of a recording, `chosen`; the factors come from other
    places, `unseen`."""
    if cell[0] + 1 < recording.network.config.layers:
        return []
    pairs = [_probabilities(recording, cell[1], places) for places in (chosen, unseen)]
    return largest_factors(pairs[0], pairs[1], names)


def _probabilities(recording: Recording, unit: int, places: Positions) -> tuple[Floats, Floats]:
    """The mean probability of each next symbol (V,) with a high and with a low output."""
    some = places[np.linspace(0, len(places) - 1, min(PLACES, len(places))).astype(np.intp)]
    V = recording.network.parameters["V"]
    h = recording.h[-1, some]
    logits = V[:, :-1] @ h.T + V[:, -1:]
    low, high = np.quantile(recording.h[-1, places, unit], (LOW, HIGH))
    own = V[:, unit : unit + 1]
    with_high, with_low = (
        softmax(logits + own * (value - h[:, unit])).mean(axis=1) for value in (high, low)
    )
    return with_high, with_low
