"""Which units follow which features, and which of that may be claimed.

A claim is made of a unit and one feature: the one that it follows best of those that it follows
better than untrained networks do, if there are any. Everything that is chosen (the feature, the
sign, a threshold) is chosen on the first half of a text; every number that is reported comes from
the second half. A claim needs all of these:

    size       |score| ≥ 0.5 on the second half, with the sign of the first
    chance     p < 0.05, by a null in which slow signals stay slow (`shift_null`)
    training   a clearly larger |score| than any unit of the untrained baseline: networks of the
               same shape with fresh weights (see `required_score`)

The claim is of a *state cell* if the score also holds among equal characters, else of a *character
detector*.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.neurons.features.registry import Feature
from charrnn.neurons.scores import (
    Flags,
    Floats,
    best_threshold,
    overlap,
    score,
    within_groups,
)
from charrnn.neurons.shift_null import ShiftNull

SMALLEST_SCORE = 0.5
"""|score| of a claim, at least."""
SIGNIFICANCE = 0.05
"""p of a claim, less than."""
SMALLEST_WITHIN = 0.25
"""Score among equal characters from which a unit is a state cell: half of what a claim needs, since
the information in the character itself is gone."""
MARGIN, SHARE_OF_REST = 0.2, 0.75
"""By how much a claim has to exceed the untrained baseline: by this score, or by this share of what
the baseline lacks to 1, whichever is less."""
FEWEST_EPISODES = 20
"""Runs of a flag in each half, at least."""


@dataclass(frozen=True)
class Half:
    """A half of the text, or another part of it: the values of U units (N, U), flags (N, F) and
    numbers (N, F′) of the text, and the symbols themselves (N,)."""

    values: Floats
    flags: Flags
    numbers: Floats
    symbols: NDArray[np.integer]

    def part(self, part: slice) -> "Half":
        """A part of it."""
        return Half(*(array[part] for array in vars(self).values()))

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

    All numbers come from the second half: `score`; `p`, None for too little text; `untrained`, the
    best score of the untrained baseline for this feature; `within`, the score among equal
    characters, None where no claim depends on it and NaN where no two characters are equal;
    `overlap`, the intersection over union of a flag with the unit beyond a threshold. `label` is
    "state cell", "character detector" or "unexplained", and `reason` says why there is no claim.
    """

    unit: int
    feature: Feature
    score: float
    p: float | None
    untrained: float
    within: float | None
    overlap: float | None
    label: str
    reason: str

    @property
    def is_claim(self) -> bool:
        return self.label != "unexplained"


@dataclass(frozen=True)
class Findings:
    """One finding for each unit, in their order; features that were too rare, with the episodes in
    the half that has fewer; and the number of shifts of the null, 0 for too little text."""

    units: list[Finding]
    skipped: dict[str, int]
    shifts: int

    @property
    def claims(self) -> list[Finding]:
        """The largest score first."""
        return sorted((u for u in self.units if u.is_claim), key=lambda u: -abs(u.score))

    @property
    def best_claims(self) -> list[Finding]:
        """Of each feature the one with the largest score; the largest score first."""
        best: dict[str, Finding] = {}
        for finding in self.claims:
            best.setdefault(finding.feature.name, finding)
        return list(best.values())

    @property
    def explained(self) -> float:
        """The share of the units of which there is a claim."""
        return len(self.claims) / len(self.units) if self.units else 0.0


def find(
    features: Sequence[Feature],
    first: Half,
    second: Half,
    untrained: Floats,
    *,
    threads: int = 1,
) -> Findings:
    """Look for units that follow one of the `features` (flags first).

    `untrained` are the best |scores| of the untrained baseline for all `features` (F + F′,), such
    as `best_scores` gives for each of its networks. The result is the same for any number of
    `threads`. Memory beside the halves: that of `ShiftNull`.
    """
    names = [feature.name for feature in features if feature.kind == "flag"]
    rarest = np.minimum(episodes(first.flags), episodes(second.flags))
    is_kept = rarest >= FEWEST_EPISODES
    counts = zip(names, rarest.tolist(), strict=True)
    skipped = {name: count for name, count in counts if count < FEWEST_EPISODES}
    baseline = untrained[[feature.name not in skipped for feature in features]]
    features = [feature for feature in features if feature.name not in skipped]
    if not features:
        return Findings([], skipped, 0)
    first, second = first.keep(is_kept), second.keep(is_kept)
    chosen = score(first.values, first.flags, first.numbers, threads=threads)
    null = ShiftNull(second.values, second.flags, second.numbers, threads=threads)
    candidates = [
        Candidate(
            unit=unit,
            feature=int(feature),
            sign=1 if chosen[unit, feature] >= 0 else -1,
            score=float(null.scores[unit, feature]),
            p=null.p(unit, feature),
            untrained=float(baseline[feature]),
        )
        for unit, feature in enumerate(best_features(np.abs(chosen), baseline))
    ]
    findings = [judged(one, features[one.feature], first, second) for one in candidates]
    return Findings(findings, skipped, null.shifts)


def best_scores(half: Half, *, threads: int = 1) -> Floats:
    """The best |score| of all units for each feature, (F + F′,)."""
    scores = score(half.values, half.flags, half.numbers, threads=threads)
    best: Floats = np.abs(scores).max(axis=0)
    return best


def best_features(sizes: Floats, baseline: Floats) -> NDArray[np.intp]:
    """The feature of each unit (U,), by the |scores| (U, F) on the first half: the largest of those
    that could be claimed, with the untrained baseline (F,), or else the largest of all."""
    required = np.array([max(required_score(float(best)), SMALLEST_SCORE) for best in baseline])
    # a score that could be claimed comes before all others
    best: NDArray[np.intp] = (sizes + 2 * (sizes >= required)).argmax(axis=1)
    return best


def required_score(untrained: float) -> float:
    """The |score| that a claim needs where the best unit of the untrained baseline has `untrained`.

    A new untrained network would be one more of their kind: its best unit beats those of five
    others in one case of six, so to be better is not enough.
    """
    return untrained + min(MARGIN, SHARE_OF_REST * (1 - untrained))


@dataclass(frozen=True)
class Candidate:
    """A unit, the number of the feature and the `sign` that were chosen for it on the first half,
    and the numbers that `Finding` reports of them."""

    unit: int
    feature: int
    sign: int
    score: float
    p: float | None
    untrained: float


def judged(one: Candidate, feature: Feature, first: Half, second: Half) -> Finding:
    """What may be claimed of a candidate."""
    label, reason, within, shared = "unexplained", "", None, None
    if one.sign * one.score < SMALLEST_SCORE:
        reason = f"its score is below {SMALLEST_SCORE}"
    elif one.p is None:
        reason = "there is too little text to test"
    elif one.p >= SIGNIFICANCE:
        reason = f"p is not below {SIGNIFICANCE}"
    elif abs(one.score) < required_score(one.untrained):
        reason = "untrained networks do nearly as well"
    else:
        values = second.values[:, one.unit]
        within = within_groups(values, second.track(one.feature), second.symbols)
        is_state = math.isfinite(within) and one.sign * within >= SMALLEST_WITHIN
        label = "state cell" if is_state else "character detector"
        if feature.kind == "flag":
            threshold = best_threshold(
                first.values[:, one.unit], first.flags[:, one.feature], one.sign
            )
            shared = overlap(values, second.flags[:, one.feature], one.sign, threshold)
    return Finding(
        one.unit, feature, one.score, one.p, one.untrained, within, shared, label, reason
    )


def episodes(flags: Flags) -> NDArray[np.intp]:
    """How often each flag of (N, F) goes on, (F,)."""
    starts = flags.copy()
    starts[1:] &= ~flags[:-1]
    count: NDArray[np.intp] = starts.sum(axis=0)
    return count
