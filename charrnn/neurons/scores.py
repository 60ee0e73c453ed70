"""How well units follow a feature of the text: scores between −1 and 1, many at once.

For a flag, with n on and m off characters, U₁ the rank sum of the on ones (Mann & Whitney 1947):

    2·AUC − 1 = 2·(U₁ − n(n + 1)/2) / (n·m) − 1

the probability that a unit is higher where the flag is on, minus the probability that it is lower.
For a number, Spearman's ρ (1904): the correlation of the ranks. Tied values share the mean of their
ranks. With ranks r that are centred on their mean (N + 1)/2, both scores are a sum over characters,
Σ_t r_t·w_t, with weights w that depend only on the feature:

    flag      w = 2/(n·m)·on, minus its mean       since Σ r = 0, and the expected rank of a
                                                   character without any relation is (N + 1)/2
    number    w = z / (‖r‖·‖z‖), z the centred ranks of the feature

So ranking each unit once and one product with the matrix of all w give every score.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from charrnn.nn.reading import map_in_threads

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Result = TypeVar("Result")

UNITS_AT_ONCE = 32
"""Units that are ranked at a time."""
ROWS_AT_ONCE = 256
"""Rows of values that are transposed at a time: few enough for a core's cache."""


def centred_ranks(values: NDArray[np.floating]) -> Floats:
    """The ranks of each column of (N, U) as float32, minus their mean; equal values share their
    mean rank.

    Returns a new array (U, N), in which the ranks of a unit are contiguous. N is at most 2²⁴, up to
    which float32 represents every multiple of ½.
    """
    N, U = values.shape
    columns, ranks = np.empty((2, U, N), np.float32)
    for start in range(0, N, ROWS_AT_ONCE):
        columns[:, start : start + ROWS_AT_ONCE] = values[start : start + ROWS_AT_ONCE].T
    places = np.arange(N)
    centred = (places - (N - 1) / 2).astype(np.float32)
    for column, out in zip(columns, ranks, strict=True):
        _rank(column, places, centred, out)
    return ranks


def map_ranks(
    work: Callable[[Floats], Result], values: NDArray[np.floating], threads: int
) -> list[Result]:
    """The results of `work` for the ranks (U′, N) of some units of (N, U) after others, in the
    order of the units.

    The units are divided in the same way for any number of threads. Memory: the ranks of
    `UNITS_AT_ONCE` units, and what `work` needs, for each thread.
    """
    starts = range(0, values.shape[1], UNITS_AT_ONCE)
    parts = [slice(start, start + UNITS_AT_ONCE) for start in starts]
    return map_in_threads(lambda part: work(centred_ranks(values[:, part])), parts, threads)


def _rank(column: Floats, places: NDArray[np.intp], centred: Floats, out: Floats) -> None:
    """Write the ranks of a column (N,) into `out` (N,); `centred` are 0 … N − 1 less their mean.

    Each value and its place are one integer, value above place: to sort these takes half the time
    of an `argsort`.
    """
    bits = (column + np.float32(0)).view(np.int32)  # + 0 turns −0 into 0
    # as integers, negative floats are in the opposite order until all bits but the sign are flipped
    keys = (bits ^ ((bits >> 31) & 0x7FFFFFFF)).astype(np.int64)
    keys <<= 32
    keys |= places
    keys.sort()
    order = keys & 0xFFFFFFFF
    out[order] = centred
    keys >>= 32
    (tied,) = np.nonzero(keys[1:] == keys[:-1])  # n where the values n and n + 1 are equal
    if len(tied) == 0:
        return
    starts = np.flatnonzero(np.diff(tied, prepend=-2) > 1)
    first, last = tied[starts], tied[np.append(starts[1:], len(tied)) - 1] + 1
    counts = last - first + 1
    before = np.cumsum(counts) - counts
    of_ties = np.repeat(first - before, counts) + np.arange(counts.sum())
    out[order[of_ties]] = np.repeat((centred[first] + centred[last]) / 2, counts)


def flag_weights(flags: Flags) -> Floats:
    """The weights w of flags (N, F) as (N, F); zero for a flag that is always on or always off."""
    N = len(flags)
    on = flags.sum(axis=0, dtype=np.float64)
    pairs = on * (N - on)
    share = np.divide(2.0, pairs, out=np.zeros_like(pairs), where=pairs > 0)
    weights: Floats = ((flags - on / N) * share).astype(np.float32)
    return weights


def number_weights(numbers: NDArray[np.floating]) -> Floats:
    """The weights w of numbers (N, F) as (N, F), without the factor 1/‖r‖ of the unit; zero for a
    constant."""
    ranks = centred_ranks(numbers).T.astype(np.float64)
    norms = np.sqrt((ranks * ranks).sum(axis=0))
    share = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    weights: Floats = (ranks * share).astype(np.float32)
    return weights


@dataclass(frozen=True)
class FeatureWeights:
    """The weights `w` (N, F + F′) of F flags and then of F′ numbers, these without the factor
    1/‖r‖ of the unit."""

    w: Floats
    flags: int

    @classmethod
    def of(cls, flags: Flags, numbers: NDArray[np.floating]) -> "FeatureWeights":
        """Those of flags (N, F) and numbers (N, F′)."""
        w = np.hstack([flag_weights(flags), number_weights(numbers)])
        return cls(w, flags.shape[1])

    def scores(self, ranks: Floats) -> Floats:
        """The scores (U, F + F′) of units by their ranks (U, N)."""
        found: Floats = ranks @ self.w
        found[:, self.flags :] *= inverse_norms(ranks)[:, np.newaxis]
        return found


def inverse_norms(ranks: Floats) -> Floats:
    """1/‖r‖ for the ranks (U, N) of each unit, (U,); zero for a constant unit."""
    norms = np.sqrt(np.einsum("un,un->u", ranks, ranks, dtype=np.float64))
    share = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    inverse: Floats = share.astype(np.float32)
    return inverse


def score(
    values: NDArray[np.floating],
    flags: Flags,
    numbers: NDArray[np.floating],
    *,
    threads: int = 1,
) -> Floats:
    """The scores (U, F + F′) of units (N, U) for flags (N, F) and then for numbers (N, F′)."""
    weights = FeatureWeights.of(flags, numbers)
    return np.vstack(map_ranks(weights.scores, values, threads))


def within_groups(
    values: NDArray[np.floating], track: NDArray[np.generic], groups: NDArray[np.integer]
) -> float:
    """The score of one unit (N,) for one feature (N,) among characters of the same group (N,).

    For a flag, over all pairs of characters of the same group with the flag on and off: the
    probability that the unit is higher where the flag is on, minus the probability that it is
    lower. For a number: the correlation of ranks within the groups. NaN where no group has such a
    pair.
    """
    order = np.argsort(groups, kind="stable")
    values, track, groups = values[order], track[order], groups[order]
    borders = np.flatnonzero(groups[1:] != groups[:-1]) + 1
    score = _flag_in_groups if track.dtype == np.bool_ else _number_in_groups
    above, total = score(np.split(values, borders), np.split(track, borders))
    return above / total if total > 0 else float("nan")


def _flag_in_groups(
    values: list[NDArray[np.floating]], flags: list[NDArray[np.generic]]
) -> tuple[float, float]:
    """Σ 2·Σ_on r and Σ n·m: a group's own score is 2·Σ_on r / (n·m)."""
    above = pairs = 0.0
    for x, on in zip(values, flags, strict=True):
        if 0 < (count := int(np.count_nonzero(on))) < len(on):
            ranks = centred_ranks(x[:, np.newaxis])[0]
            above += 2 * float(ranks[on.astype(np.bool_)].sum(dtype=np.float64))
            pairs += count * (len(on) - count)
    return above, pairs


def _number_in_groups(
    values: list[NDArray[np.floating]], numbers: list[NDArray[np.generic]]
) -> tuple[float, float]:
    """Σ r·z and √(Σ r² · Σ z²) of the ranks in each group."""
    products = squares = others = 0.0
    for x, y in zip(values, numbers, strict=True):
        r, z = (
            centred_ranks(column[:, np.newaxis])[0].astype(np.float64)
            for column in (x, y.astype(np.float32))
        )
        products, squares, others = products + r @ z, squares + r @ r, others + z @ z
    return products, (squares * others) ** 0.5


def best_threshold(values: NDArray[np.floating], flag: Flags, sign: int) -> float:
    """The threshold on sign · values (N,) with the largest `overlap` with the flag (N,)."""
    signed = sign * values
    order = np.argsort(-signed, kind="stable")
    on = np.cumsum(flag[order])
    count = np.arange(1, len(flag) + 1)
    overlaps = on / (count + on[-1] - on)
    # a threshold cannot separate equal values
    ordered = signed[order]
    overlaps[:-1][ordered[:-1] == ordered[1:]] = -1
    best = int(overlaps.argmax())
    lowest = float(ordered[best])
    return lowest if best + 1 == len(ordered) else (lowest + float(ordered[best + 1])) / 2


def overlap(values: NDArray[np.floating], flag: Flags, sign: int, threshold: float) -> float:
    """Intersection over union of the flag (N,) and sign · values (N,) at or above a threshold."""
    above = sign * values >= threshold
    union = (above | flag).sum()
    return float((above & flag).sum() / union) if union else 0.0
