"""A null distribution for scores of slow signals, by circular shifts.

A unit that changes slowly and a feature that changes slowly have a large score by chance much more
often than independent characters would. So chance is measured on the same signals: the features are
shifted along the text, around its end, by every multiple of a `SHIFTS`-th of its length that is at
least `SMALLEST_SHIFT` characters either way. Units and features stay as slow as they are; only the
relation between them is lost.

Each score is divided by its spread over all shifts that are far from its own, so that slow units
and rare features do not make the test harder for all others. The largest such value of all pairs of
unit and feature is the statistic (the maximum statistic of Westfall & Young 1993), so that p holds
for the whole family of pairs.

All shifts are computed at once. A text of S·M characters is S pieces of M, r_p and w_p, and a shift
by s pieces is a circular correlation along the pieces, which a Fourier transform along p turns into
one product for each frequency k (the convolution theorem):

    C_s = Σ_p r_p · w_(p+s)          Ĉ_k = conj(r̂_k) · ŵ_k          p, s and k = 0 … S − 1

So all shifts together take less time than ranking the units does. None is left out to save time,
and p needs no correction as that of a null which stops early would (Besag & Clifford 1991).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.neurons.scores import FeatureWeights, Flags, Floats, map_ranks

SHIFTS = 240
"""Shifts of which those count that are far enough: 216 or more."""
SMALLEST_SHIFT = 2000
"""Characters."""
SHORTEST_TEXT = 40_000
"""Characters under which there is no test."""

Spectrum = NDArray[np.complexfloating]


class ShiftNull:
    """The distribution of scores by chance, for units `values` (N, U), `flags` (N, F) and `numbers`
    (N, F′) of one text.

    The result is the same for any number of `threads`. Memory: two copies of the ranks of
    `scores.UNITS_AT_ONCE` units for each thread, and two of the features.
    """

    def __init__(self, values: Floats, flags: Flags, numbers: Floats, *, threads: int = 1) -> None:
        weights = FeatureWeights.of(flags, numbers)
        if len(values) < SHORTEST_TEXT:
            self.shifts = 0
            self.scores: Floats = np.vstack(map_ranks(weights.scores, values, threads))
            """(U, F + F′), without a shift."""
            return
        shifts = _Shifts.of(weights.w)

        def of_units(ranks: Floats) -> tuple[Floats, Floats, Floats]:
            return weights.scores(ranks), *shifts.extremes(ranks)

        scores, reached, largest = zip(*map_ranks(of_units, values, threads), strict=True)
        self.scores = np.vstack(scores)
        self._reached = np.vstack(reached)
        self._largest = np.max(largest, axis=0)
        self.shifts = len(self._largest)

    def p(self, unit: int, feature: int) -> float | None:
        """The probability that chance alone gives any pair a score as extreme as that of this unit
        and feature; None where the text is too short to tell."""
        if self.shifts == 0:
            return None
        reached = self._largest >= self._reached[unit, feature]
        return float((1 + reached.sum()) / (1 + self.shifts))


@dataclass(frozen=True)
class _Shifts:
    """The features, transformed, (S // 2 + 1, `step`, F): what does not fill a piece at the end of
    the text is left out. Shifts by less than `nearest` pieces either way do not count."""

    transformed: Spectrum
    step: int
    nearest: int

    @classmethod
    def of(cls, weights: Floats) -> "_Shifts":
        """Those of weights (N, F)."""
        step = len(weights) // SHIFTS
        pieces = weights[: SHIFTS * step].reshape(SHIFTS, step, -1)
        return cls(np.fft.rfft(pieces, axis=0), step, -(-SMALLEST_SHIFT // step))

    def extremes(self, ranks: Floats) -> tuple[Floats, Floats]:
        """Of the units with `ranks` (U, N): the |products| (U, F) with the features where they are,
        and for each shift that counts the largest one of all pairs; each divided by its spread."""
        products = self.products(ranks)
        products /= _spread(products, self.nearest)
        np.abs(products, out=products)
        far = products[self.nearest : SHIFTS - self.nearest + 1]
        return products[0].copy(), far.max(axis=(1, 2))

    def products(self, ranks: Floats) -> Floats:
        """The products of `ranks` (U, N) with the weights, shifted by 0, 1, … pieces: (S, U, F)."""
        pieces = ranks[:, : SHIFTS * self.step].reshape(len(ranks), SHIFTS, self.step)
        spectrum = np.fft.rfft(pieces, axis=1).transpose(1, 0, 2)  # (S // 2 + 1, U, step)
        np.conjugate(spectrum, out=spectrum)
        products = np.fft.irfft(spectrum @ self.transformed, SHIFTS, axis=0)
        return products.astype(np.float32, copy=False)


def _spread(shifted: Floats, nearest: int) -> Floats:
    """For each shift of (S, U, F), the root mean square of the shifts that are at least `nearest`
    away from it, either way around."""
    S = len(shifted)
    squares = np.square(shifted)
    total = squares.sum(axis=0, dtype=np.float64)
    near = squares.copy()
    for distance in range(1, nearest):
        near += np.roll(squares, distance, axis=0)
        near += np.roll(squares, -distance, axis=0)
    spread = np.sqrt(np.maximum(total - near, 0) / (S - 2 * nearest + 1))
    found: Floats = np.maximum(spread, np.finfo(np.float32).tiny).astype(np.float32)
    return found
