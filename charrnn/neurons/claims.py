"""Which units follow which features, and which of that may be claimed.

A claim is made of a unit and one feature: the one that it follows best, of those that it follows
better than fresh networks do, if there are any. What is chosen (the feature, the sign, a threshold)
is chosen on the first half of a text, and every number that is shown comes from the second. A claim
needs all of these:

    size       |score| ≥ 0.5 on the second half, with the sign of the first
    chance     p < 0.05, by a null in which slow signals keep their slowness (see `Null`)
    training   a clearly larger |score| than any unit of networks of the same shape with fresh
               weights (see `bar`)

It is one of a *state cell* if the score also holds among characters that are alike, else of a
*character detector*.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.neurons.features.registry import Feature
from charrnn.neurons.scores import (
    Flags,
    Floats,
    best_threshold,
    centred_ranks,
    flag_weights,
    inverse_norms,
    number_weights,
    overlap,
    score,
    within_groups,
)

SIZE = 0.5
"""|score| of a claim, at least."""
CHANCE = 0.05
"""p of a claim, less than."""
WITHIN = 0.25
"""Score among equal characters from which a unit is a state cell: half of what a claim needs, since
what a character alone tells is gone."""
MARGIN, GAP = 0.2, 0.75
"""What a claim has to have beyond the best of fresh networks: this much of the score, or this share
of what is missing to 1, whichever is less."""
EPISODES = 20
"""Runs of a flag in each half, at least."""
FAR = 2000
"""Characters by which features are moved away from their place in the null, at least."""
SHIFTS = 240
"""Places to which they could be moved; 216 or more of them are far enough."""
SHORTEST = 40_000
"""Characters of a half under which there is no test."""


@dataclass(frozen=True)
class Half:
    """A half of the text: what U units did (N, U), flags (N, F) and numbers (N, F′) of the text,
    and the symbols themselves (N,)."""

    values: Floats
    flags: Flags
    numbers: Floats
    symbols: NDArray[np.integer]

    def keep(self, flags: NDArray[np.bool_]) -> "Half":
        """The same with some of the flags."""
        return Half(self.values, self.flags[:, flags], self.numbers, self.symbols)

    def track(self, feature: int) -> NDArray[np.generic]:
        """A feature (N,), counting flags first."""
        F = self.flags.shape[1]
        track = self.flags[:, feature] if feature < F else self.numbers[:, feature - F]
        found: NDArray[np.generic] = track
        return found


@dataclass(frozen=True)
class Finding:
    """What was found about one unit and the feature that it follows best.

    `chosen` is the score on the first half, all else comes from the second: `score`, `p` (None for
    too little text), `twins`, the best score of fresh networks for this feature, `within`, the
    score among equal characters (None where no claim depends on it, NaN where no two characters are
    alike), and `overlap` (intersection over union) with the feature above `threshold`, where the
    unit is counted by its sign. `label` is "state cell", "character detector" or "unexplained", and
    `reason` says why it is unexplained.
    """

    unit: int
    feature: Feature
    chosen: float
    score: float
    p: float | None
    twins: float
    within: float | None
    overlap: float | None
    threshold: float | None
    label: str
    reason: str

    @property
    def is_claim(self) -> bool:
        return self.label != "unexplained"


@dataclass(frozen=True)
class Findings:
    """One finding for each unit, in their order; features that were too rare, with the episodes in
    the half that has fewer; and mismatches under the null (0 for too little text)."""

    units: list[Finding]
    skipped: dict[str, int]
    mismatches: int

    @property
    def claims(self) -> list[Finding]:
        """The largest score first."""
        return sorted((u for u in self.units if u.is_claim), key=lambda u: -abs(u.score))

    @property
    def explained(self) -> float:
        """The share of the units of which there is a claim."""
        return len(self.claims) / len(self.units) if self.units else 0.0


def find(
    features: Sequence[Feature],
    first: Half,
    second: Half,
    twins: Iterable[tuple[Half, ...]],
) -> Findings:
    """Look for units that follow one of the `features` (flags first).

    Each of `twins` has halves of a fresh network of the same shape, with the same features. Memory:
    the ranks of one half, U·N numbers, beside the halves themselves.
    """
    rarest = np.minimum(episodes(first.flags), episodes(second.flags))
    is_kept = rarest >= EPISODES
    names = [feature.name for feature in features if feature.kind == "flag"]
    skipped = {
        name: int(count)
        for name, count, kept in zip(names, rarest, is_kept, strict=True)
        if not kept
    }
    features = [feature for feature in features if feature.name not in skipped]
    first, second = first.keep(is_kept), second.keep(is_kept)
    if not features:
        return Findings([], skipped, 0)

    chosen = score(first.values, first.flags, first.numbers)
    null = Null(second)
    best_of_twins = np.zeros(len(features))
    for halves in twins:
        for half in halves:
            kept = half.keep(is_kept)
            scores = np.abs(score(kept.values, kept.flags, kept.numbers))
            best_of_twins = np.maximum(best_of_twins, scores.max(axis=0))
    findings = []
    for unit, feature in enumerate(best_features(np.abs(chosen), best_of_twins)):
        numbers = (
            float(chosen[unit, feature]),
            float(null.scores[unit, feature]),
            null.p(unit, feature),
            float(best_of_twins[feature]),
        )
        findings.append(_judged(unit, features[feature], int(feature), numbers, first, second))
    return Findings(findings, skipped, null.mismatches)


def best_features(sizes: Floats, twins: NDArray[np.float64]) -> NDArray[np.intp]:
    """The feature of each unit (U,), by the |scores| (U, F) on the first half: the largest of those
    that could be claimed, with the best of fresh networks (F,), or else the largest of all."""
    bars = np.array([max(bar(float(best)), SIZE) for best in twins])
    # a score that could be claimed comes before all others
    best: NDArray[np.intp] = (sizes + 2 * (sizes >= bars)).argmax(axis=1)
    return best


def _judged(
    unit: int,
    feature: Feature,
    number: int,
    numbers: tuple[float, float, float | None, float],
    first: Half,
    second: Half,
) -> Finding:
    chosen, found, p, twins = numbers
    sign = 1 if chosen >= 0 else -1
    label, reason, within, shared, threshold = "unexplained", "", None, None, None
    if sign * found < SIZE:
        reason = f"its score is below {SIZE}"
    elif p is None:
        reason = "there is too little text to test"
    elif p >= CHANCE:
        reason = f"p is not below {CHANCE}"
    elif abs(found) < bar(twins):
        reason = "fresh networks do nearly as well"
    else:
        track = second.track(number)
        within = within_groups(second.values[:, unit], track, second.symbols)
        is_state = math.isfinite(within) and sign * within >= WITHIN
        label = "state cell" if is_state else "character detector"
        if feature.kind == "flag":
            flag = first.flags[:, number]
            threshold = best_threshold(first.values[:, unit], flag, sign)
            shared = overlap(second.values[:, unit], second.flags[:, number], sign, threshold)
    return Finding(unit, feature, chosen, found, p, twins, within, shared, threshold, label, reason)


def bar(twins: float) -> float:
    """The |score| that a claim needs where the best unit of a few fresh networks has `twins`.

    A fresh network is one more of their kind: its best unit beats those of five others in one case
    of six, so to be better is not enough.
    """
    return twins + min(MARGIN, GAP * (1 - twins))


class Null:
    """What scores chance brings where both the units and the features move slowly.

    The activations of one piece of text meet the features of another: the features are shifted
    around against the units, by every multiple of a `SHIFTS`-th of the text that is at least
    `FAR` characters either way. Both keep their own course, so whatever is slow stays slow, and
    only what binds one to the other is lost. The score of each pair of unit and feature is divided
    by its spread over all shifts that are far from its own, the truth being the shift by nothing:
    so a slow unit, or a rare feature, does not raise the bar for all others. The largest of all
    pairs is what a score has to exceed (the maximum statistic of Westfall & Young 1993), so that p
    holds for the whole family.
    """

    def __init__(self, half: Half) -> None:
        ranks = centred_ranks(half.values)
        weights = np.hstack([flag_weights(half.flags), number_weights(half.numbers)])
        scale = np.ones((len(ranks), weights.shape[1]), np.float32)
        scale[:, half.flags.shape[1] :] = inverse_norms(ranks)[:, np.newaxis]
        self.scores: Floats = ranks @ weights * scale
        """(U, F + F′), with everything in its place."""
        self.mismatches = 0
        if len(weights) < SHORTEST:
            return
        step = len(weights) // SHIFTS
        nearest = -(-FAR // step)
        shifted = _shifted(ranks, weights, step)
        shifted /= _spread(shifted, nearest)
        np.abs(shifted, out=shifted)
        self._reached = shifted[:, 0].copy()
        self._largest = shifted[:, nearest : SHIFTS - nearest + 1].max(axis=(0, 2))
        self.mismatches = len(self._largest)

    def p(self, unit: int, feature: int) -> float | None:
        """The probability that chance alone brings any pair as far as this one; None where there
        is too little text to tell."""
        if self.mismatches == 0:
            return None
        reached = self._largest >= self._reached[unit, feature]
        return float((1 + reached.sum()) / (1 + self.mismatches))


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


def episodes(flags: Flags) -> NDArray[np.intp]:
    """How often each flag of (N, F) goes on, (F,)."""
    starts = flags.copy()
    starts[1:] &= ~flags[:-1]
    count: NDArray[np.intp] = starts.sum(axis=0)
    return count
