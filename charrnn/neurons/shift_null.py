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
"""

import numpy as np

from charrnn.neurons.scores import (
    Flags,
    Floats,
    centred_ranks,
    flag_weights,
    inverse_norms,
    number_weights,
)

SHIFTS = 240
"""Shifts of which those count that are far enough: 216 or more."""
SMALLEST_SHIFT = 2000
"""Characters."""
SHORTEST_TEXT = 40_000
"""Characters under which there is no test."""


class ShiftNull:
    """The distribution of scores by chance, for units `values` (N, U), `flags` (N, F) and `numbers`
    (N, F′) of one text."""

    def __init__(self, values: Floats, flags: Flags, numbers: Floats) -> None:
        ranks = centred_ranks(values)
        weights = np.hstack([flag_weights(flags), number_weights(numbers)])
        scale = np.ones((len(ranks), weights.shape[1]), np.float32)
        scale[:, flags.shape[1] :] = inverse_norms(ranks)[:, np.newaxis]
        self.scores: Floats = ranks @ weights * scale
        """(U, F + F′), without a shift."""
        self.shifts = 0
        if len(weights) < SHORTEST_TEXT:
            return
        step = len(weights) // SHIFTS
        nearest = -(-SMALLEST_SHIFT // step)
        shifted = _shifted(ranks, weights, step)
        shifted /= _spread(shifted, nearest)
        np.abs(shifted, out=shifted)
        self._reached = shifted[:, 0].copy()
        self._largest = shifted[:, nearest : SHIFTS - nearest + 1].max(axis=(0, 2))
        self.shifts = len(self._largest)

    def p(self, unit: int, feature: int) -> float | None:
        """The probability that chance alone gives any pair a score as extreme as that of this unit
        and feature; None where the text is too short to tell."""
        if self.shifts == 0:
            return None
        reached = self._largest >= self._reached[unit, feature]
        return float((1 + reached.sum()) / (1 + self.shifts))


def _shifted(ranks: Floats, weights: Floats, step: int) -> Floats:
    """The products of `ranks` (U, N) with `weights` (N, F) that are shifted around by 0, 1, …
    times `step` characters: (U, `SHIFTS`, F). What does not fill a step at the end is left out."""
    U, F, n = len(ranks), weights.shape[1], SHIFTS
    # (step, n·F): the same place in every piece side by side
    by_place = weights[: n * step].reshape(n, step, F).transpose(1, 0, 2)
    pieces = np.ascontiguousarray(by_place).reshape(step, n * F)
    total = np.zeros((U, n, F), np.float32)
    products = np.empty((U, n * F), np.float32)
    for piece in range(n):
        np.matmul(ranks[:, piece * step : (piece + 1) * step], pieces, out=products)
        of_pieces = products.reshape(U, n, F)
        total[:, : n - piece] += of_pieces[:, piece:]
        total[:, n - piece :] += of_pieces[:, :piece]
    return total


def _spread(shifted: Floats, nearest: int) -> Floats:
    """For each shift of (U, S, F), the root mean square of the shifts that are at least `nearest`
    away from it, either way around."""
    S = shifted.shape[1]
    squares = np.square(shifted)
    total = squares.sum(axis=1, keepdims=True, dtype=np.float64)
    near = squares.copy()
    for distance in range(1, nearest):
        near += np.roll(squares, distance, axis=1)
        near += np.roll(squares, -distance, axis=1)
    spread = np.sqrt(np.maximum(total - near, 0) / (S - 2 * nearest + 1))
    found: Floats = np.maximum(spread, np.finfo(np.float32).tiny).astype(np.float32)
    return found
