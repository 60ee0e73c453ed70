"""Ablation: how much the loss rises when a unit, or several at once, are held at their means."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from charrnn.analysis.activations import HeldUnits, losses_with_held_units
from charrnn.machine.blas import one_thread
from charrnn.nn.network import Network
from charrnn.nn.reading import map_in_threads
from charrnn.options import usable_threads
from charrnn.text.batches import spread
from charrnn.text.streams import Streams
from charrnn.types import IdArray

BLOCK_CHARACTERS = 1000
"""Characters of a block: the bootstrap draws whole blocks."""
MOST_BLOCKS = 24
BLOCK_WARM_UP = 200
"""Characters that are read before a block, with the units held already."""
STREAMS_AT_ONCE = 240
"""Streams that a thread reads side by side, at most: those of some ablations."""
FEWEST_PARTS = 2
"""Parts into which ablations are divided, at least, where there are as many. With more parts, more
threads could share few ablations, but each would take longer."""
RESAMPLES = 2000
LEVEL = 0.95
"""Of the bootstrap's confidence intervals (Efron 1979), between percentiles."""


@dataclass(frozen=True)
class Effect:
    """The change of the loss, in bits per character, when a unit or several at once are held at
    their means: over the whole text, and where their feature is on (NaN for a number), each with
    the ends of its confidence interval."""

    bits: float
    low: float
    high: float
    bits_on: float
    low_on: float
    high_on: float

    @property
    def is_used(self) -> bool:
        """Whether the network predicts worse without the units: the whole interval lies above 0,
        overall or where the feature is on."""
        return self.low > 0 or self.low_on > 0


def effects(
    network: Network,
    ids: IdArray,
    held: Sequence[HeldUnits],
    tracks: Sequence[NDArray[np.bool_] | None],
    rng: np.random.Generator,
    *,
    tell: Callable[[float], object] = lambda share: None,
    threads: int | None = None,
) -> list[Effect]:
    """The effects (R,) of R ablations on blocks of the text `ids` (N,). Each of `held` has the
    means at which one unit or several at once are held; `tracks` (R,) are their features (N,), or
    None for a number.

    All effects use the same resamples of the blocks. `tell` is called with the share that is done.
    The result is the same for any number of `threads`; None uses all processors. Raises ValueError
    for a text shorter than a block with its warm-up.
    """
    if len(ids) <= BLOCK_WARM_UP + BLOCK_CHARACTERS:
        least = BLOCK_WARM_UP + BLOCK_CHARACTERS + 1
        raise ValueError(f"{least} symbols are needed, not {len(ids)}")
    count = min(MOST_BLOCKS, (len(ids) - BLOCK_WARM_UP - 1) // BLOCK_CHARACTERS)
    blocks = Streams.pieces(len(ids), count, BLOCK_CHARACTERS, BLOCK_WARM_UP)
    # the loss at each of these places is that of the next symbol
    places = blocks.starts[:, np.newaxis] + np.arange(BLOCK_CHARACTERS)
    resamples = rng.integers(count, size=(RESAMPLES, count))
    threads = usable_threads() if threads is None else threads
    losses = _losses(network, ids, blocks, [{}, *held], tell, threads)
    free, *without = losses / np.log(2)  # in bits

    def effect(of_held: NDArray[np.float64], track: NDArray[np.bool_] | None) -> Effect:
        change = of_held - free
        on = np.zeros(change.shape, np.bool_) if track is None else track[places]
        overall = _interval(change, np.ones(change.shape, np.bool_), resamples)
        return Effect(*overall, *_interval(change, on, resamples))

    return [effect(*one) for one in zip(without, tracks, strict=True)]


def _losses(
    network: Network,
    ids: IdArray,
    blocks: Streams,
    held: Sequence[HeldUnits],
    tell: Callable[[float], object],
    threads: int,
) -> NDArray[np.float64]:
    """The losses (R, B, N) of `losses_with_held_units`, shared out among threads."""
    # divided in the same way for any number of threads, so that the results are the same
    at_once = max(1, STREAMS_AT_ONCE // len(blocks))
    parts = max(-(-len(held) // at_once), min(FEWEST_PARTS, len(held)))
    borders = spread(len(held), parts).tolist()
    tell(0)
    with one_thread():
        of_parts = map_in_threads(
            lambda part: losses_with_held_units(network, ids, blocks, held[slice(*part)]),
            list(pairwise(borders)),
            threads,
            tell,
        )
    return np.concatenate(of_parts)


def _interval(
    change: NDArray[np.float64], counts: NDArray[np.bool_], resamples: NDArray[np.intp]
) -> tuple[float, float, float]:
    """The mean of the changes (B, N) that count, and its bootstrap interval over blocks."""
    sums, numbers = (change * counts).sum(axis=1), counts.sum(axis=1)
    if numbers.sum() == 0:
        return (float("nan"),) * 3
    drawn = numbers[resamples].sum(axis=1)
    means = sums[resamples].sum(axis=1)[drawn > 0] / drawn[drawn > 0]
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(sums.sum() / numbers.sum()), float(low), float(high)
