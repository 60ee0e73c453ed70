"""From the logits of the network to the next symbol.

    p = softmax(z / temperature), over the symbols that are allowed
    typical-p keeps the fewest symbols that together have at least the share p of the probability,
              those first whose −ln p is nearest to its mean, the entropy (Meister et al. 2023)
    top-p     keeps the fewest most probable symbols that together have at least the share p of the
              probability (Holtzman et al. 2020)
    top-k     keeps the k most probable symbols
    min-p     keeps the symbols with at least this share of the most probable one's probability

The filters apply in this order, each to what the one before it has kept; the probabilities that are
left are scaled to sum to 1. Each filter keeps at least one symbol.
"""

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import CheckpointError, OptionError
from charrnn.sampling.options import SamplingOptions
from charrnn.text.vocabulary import Vocabulary
from charrnn.types import Array, IdArray

Floats = NDArray[np.float64]


class RandomNumbers(Protocol):
    """A source of random numbers, such as a `numpy.random.Generator`."""

    def random(self, size: int, /) -> Floats:
        """Numbers (size,) from [0, 1)."""
        ...


class Filters:
    """Temperature and filters of `options`; the ids `forbidden` (N,) are never drawn."""

    def __init__(self, options: SamplingOptions, forbidden: IdArray | None = None) -> None:
        self._options = options
        self.forbidden = np.zeros(0, np.intp) if forbidden is None else forbidden

    def probabilities(self, logits: Array) -> Floats:
        """The probability of each symbol (V, S) to be drawn, for logits (V, S)."""
        p = self._weights(logits)
        p /= p.sum(axis=0)
        return p

    def draw(self, logits: Array, random: RandomNumbers) -> NDArray[np.intp]:
        """The next symbol of each stream (S,), for logits (V, S). Temperature 0 takes the most
        probable symbol, the first of equals. Raises CheckpointError for logits that are infinite,
        or no numbers."""
        if self._options.temperature == 0:
            allowed = self._allowed(logits)
            best: NDArray[np.intp] = allowed.argmax(axis=0)
            check_finite(allowed[best, np.arange(len(best))])
            return best
        # the first symbol whose cumulative probability exceeds a number drawn from [0, 1)
        drawn: NDArray[np.intp]
        streams = logits.shape[1]
        if streams == 1:  # without an axis, NumPy takes half the time
            p = self._weights(logits[:, 0]).cumsum()
            if not math.isfinite(p[-1]):
                raise predictions_are_no_numbers()
            drawn = p.searchsorted(random.random(1) * p[-1], side="right")
        else:
            p = self._weights(logits).cumsum(axis=0)
            check_finite(p[-1])
            drawn = (p <= random.random(streams) * p[-1]).sum(axis=0)
        return drawn

    def _allowed(self, logits: Array) -> Array:
        if not len(self.forbidden):
            return logits
        allowed = logits.copy()
        allowed[self.forbidden] = -np.inf
        return allowed

    def _weights(self, logits: Array) -> Floats:
        """Numbers proportional to the probabilities, for logits (V, S) or (V,)."""
        options, logits = self._options, self._allowed(logits)
        if options.temperature == 0:
            p = np.zeros(logits.shape)
            p[logits.argmax(axis=0), np.arange(logits.shape[1])] = 1
            return p
        z: Floats = np.subtract(logits, logits.max(axis=0), dtype=np.float64)
        if options.temperature != 1:
            with np.errstate(over="ignore"):  # −∞ will do: the probability is 0
                z /= options.temperature
        p = np.exp(z, out=z)
        if options.typical_p < 1:
            keep_typical_p(p, options.typical_p)
        if options.top_p < 1:
            keep_top_p(p, options.top_p)
        if options.top_k:
            keep_top_k(p, options.top_k)
        if options.min_p:
            p[p < options.min_p * p.max(axis=0)] = 0
        return p


def check_finite(numbers: Array) -> None:
    """Raise CheckpointError where a number made of predictions is infinite, or no number."""
    if not np.isfinite(numbers).all():
        raise predictions_are_no_numbers()


def predictions_are_no_numbers() -> CheckpointError:
    """The error to raise: products of large weights have overflowed."""
    return CheckpointError("the model's weights are too large: its predictions are no numbers")


def keep_typical_p(p: Floats, share: float) -> None:
    """Zero the columns of p (V, S) but for the fewest symbols that have `share` of the column's sum
    together, those first whose −ln p is nearest to the entropy; of equals, the first ones."""
    q = p / p.sum(axis=0)
    surprisal = -np.log(np.maximum(q, np.finfo(q.dtype).tiny))  # (V, S), in nats
    entropy = (q * surprisal).sum(axis=0)
    keep_share(p, np.argsort(np.abs(surprisal - entropy), axis=0, kind="stable"), share)


def keep_top_p(p: Floats, share: float) -> None:
    """Zero the columns of p (V, S) but for the fewest most probable symbols that have `share` of
    the column's sum together; of equals, the first ones are kept."""
    keep_share(p, np.argsort(-p, axis=0, kind="stable"), share)


def keep_share(p: Floats, order: NDArray[np.intp], share: float) -> None:
    """Zero the columns of p (V, S) but for the first symbols in each column's `order` (V, S), as
    few as have `share` of the column's sum together, and at least one."""
    ranked = np.take_along_axis(p, order, axis=0)
    before = ranked.cumsum(axis=0) - ranked  # the sum of those that come earlier
    drop = before >= share * ranked.sum(axis=0)
    drop[0] = False
    ranked[drop] = 0
    np.put_along_axis(p, order, ranked, axis=0)


def keep_top_k(p: Floats, k: int) -> None:
    """Zero the columns of p (V, S) but for the k most probable symbols, the first of equals."""
    order = np.argsort(-p, axis=0, kind="stable")
    np.put_along_axis(p, order[k:], 0, axis=0)


def forbidden_ids(options: SamplingOptions, vocabulary: Vocabulary) -> NDArray[np.intp]:
    """The ids of the symbols that may not be written. Raises OptionError if all are forbidden."""
    is_allowed = np.ones(vocabulary.size, np.bool_)
    if options.allow is not None:
        is_allowed[:] = False
        is_allowed[vocabulary.encode(options.allow, unknown="skip")] = True
    is_allowed[vocabulary.encode(options.suppress, unknown="skip")] = False
    if not is_allowed.any():
        raise OptionError(
            "no character is left to write: `suppress` fewer characters, or `allow` more"
        )
    return np.flatnonzero(~is_allowed)
