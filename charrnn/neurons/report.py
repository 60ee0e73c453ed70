"""The report on the units of a network, which page, terminal and files show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from charrnn.neurons.claims import SMALLEST_SCORE
from charrnn.neurons.explain.explanation import Explanation


@dataclass(frozen=True)
class Effect:
    """The change of the loss in bits per character when a cell, or several at once, are held at
    their means (ablation): overall and where their feature is on, each with the ends of its 95 %
    confidence interval; None where there is none. `used` says whether one of the intervals lies
    above 0."""

    bits: float
    low: float
    high: float
    bits_on: float | None
    low_on: float | None
    high_on: float | None
    used: bool


@dataclass(frozen=True)
class Claim:
    """A finding about a unit and the `feature` that it follows best, with its effect.

    `within_character`, `iou` and `untrained` are `within`, `overlap` and `untrained` of
    `charrnn.neurons.claims.Finding`; all else has the same name there.
    """

    feature: str
    kind: str
    score: float
    within_character: float | None
    iou: float | None
    p: float | None
    untrained: float
    label: str
    reason: str
    effect: Effect | None

    @property
    def is_explained(self) -> bool:
        return self.label != "unexplained"

    @property
    def is_trivial(self) -> bool:
        """Whether the best cell of untrained networks follows the feature well enough for the score
        of a claim: then a trained cell that follows it need not have learned it."""
        return self.untrained >= SMALLEST_SCORE

    @property
    def verdict(self) -> str:
        """The label, why there is no claim, and whether the network uses the cell."""
        verdict = f"{self.label}: {self.reason}" if self.reason else self.label
        if self.effect is not None:
            verdict += ", used" if self.effect.used else ", no effect measured"
        return verdict


Cell = tuple[int, int, Claim]
"""Layer and number of a unit, and what was found about it."""


@dataclass(frozen=True)
class Group:
    """The cells that follow one feature best, the largest score first: those with a claim, or,
    where there is none, all that are most like it.

    `alike` names for each cell the cell before it of which it is a near-duplicate, or None.
    `effect` is that of holding all claimed cells at once; None where it was not measured.
    """

    feature: str
    description: str
    cells: list[Cell]
    alike: list[tuple[int, int] | None]
    effect: Effect | None

    @property
    def best(self) -> Claim:
        """What was found about the first cell."""
        return self.cells[0][2]

    @property
    def claimed(self) -> int:
        """The number of cells with a claim."""
        return len(self.cells) if self.best.is_explained else 0

    @property
    def near_duplicates(self) -> int:
        return sum(other is not None for other in self.alike)


@dataclass(frozen=True)
class Peak:
    """A character at which a unit had an extreme `value`, and the text around it, as shown."""

    value: float
    before: str
    character: str
    after: str


@dataclass(frozen=True)
class ShownUnit:
    """A unit with its value (N,) at each character of the text, between −1 and 1.

    The histograms count, in bins of equal width from −1 to 1, characters of the second half where
    the unit's feature is on and off; for a number all are in the first of them. `highest` and
    `lowest` are the most extreme values in that half, at some distance from each other.
    `explanation` describes the unit in words, where that was asked for.
    """

    layer: int
    unit: int
    values: NDArray[np.float32]
    claim: Claim | None
    histogram_on: list[int]
    histogram_off: list[int]
    highest: list[Peak]
    lowest: list[Peak]
    explanation: Explanation | None = None


@dataclass(frozen=True)
class FeatureTrack:
    """A feature of the text, (N,): flags as 0 and 1."""

    name: str
    kind: str
    description: str
    track: NDArray[np.float32]


@dataclass(frozen=True)
class Saturation:
    """For each unit of a layer (H,), the share of characters at which a gate is below 0.1 (`low`),
    and above 0.9 (`high`)."""

    layer: int
    gate: str
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class OverTime:
    """How cells came to follow what they do: `scores` (S + 1,) of each of them, by layer and unit,
    after the `steps` (S,) of the snapshots, and of the model itself; with its sign in the model, so
    that this last one is positive. `losses` (S + 1,) are in bits per character, on the same text.
    """

    steps: list[int]
    losses: list[float]
    scores: dict[tuple[int, int], list[float]]

    def since(self, layer: int, unit: int) -> int | None:
        """The step from which on a cell had the score of a claim in every snapshot; None where it
        has it in the model alone, or not at all."""
        scores = self.scores[layer, unit]
        below = [n for n, score in enumerate(scores) if not score >= SMALLEST_SCORE]
        first = below[-1] + 1 if below else 0
        return self.steps[first] if first < len(self.steps) else None


@dataclass(frozen=True)
class Report:
    """The report on a text of N characters.

    `model` describes the model in words and numbers; `state` names the state of the units that is
    shown; `characters` (N) are the symbols of the text as they are shown, `ends_line` (N) whether a
    line ends with them, `predictions` (N) the most probable next symbols with their probabilities.
    `units` are those with values; `table` has all cells, the claims first, and `groups` has them by
    feature, the strongest that is not trivial first (`charrnn.neurons.groups`).
    `explained` is the share of units with a claim; `notes` say what else should be known.
    `over_time` is there on request. `weights_sha256` is the `charrnn.nn.parameters.digest` of the
    model.
    """

    title: str
    model: dict[str, str | int | float]
    state: str
    characters: list[str]
    ends_line: list[bool]
    predictions: list[list[tuple[str, float]]]
    units: list[ShownUnit]
    features: list[FeatureTrack]
    table: list[Cell]
    groups: list[Group]
    saturation: list[Saturation]
    explained: float
    notes: list[str]
    palette: str = "blue-red"
    weights_sha256: str = ""
    over_time: OverTime | None = None

    @property
    def groups_in_table(self) -> list[Group]:
        """The groups with a claim, or all where there is none."""
        return [group for group in self.groups if group.claimed] or self.groups

    def cells_in_table(self, rows: int, features: Sequence[str] = ()) -> list[Cell]:
        """The best cell of each of the first `rows` groups, or all cells of the groups of these
        `features`."""
        if features:
            return [
                cell for group in self.groups if group.feature in features for cell in group.cells
            ]
        return [group.cells[0] for group in self.groups_in_table[:rows]]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays of it, for NumPy: `values` (units, N), `units` (units, 2) their layer and
        number, `tracks` (features, N) and their names, `characters`, `predicted` and
        `probabilities` (N, 5)."""
        return {
            "values": np.array([unit.values for unit in self.units], np.float32),
            "units": np.array([(unit.layer, unit.unit) for unit in self.units], np.int64),
            "tracks": np.array([feature.track for feature in self.features], np.float32),
            "features": np.array([feature.name for feature in self.features], np.str_),
            "characters": np.array(self.characters, np.str_),
            "predicted": np.array([[s for s, _ in row] for row in self.predictions], np.str_),
            "probabilities": np.array([[p for _, p in row] for row in self.predictions]),
        }


def number(value: float | None, form: str) -> str:
    """A number in a format; nothing for None and NaN."""
    return "" if value is None or value != value else format(value, form)


def quantized(values: ArrayLike) -> NDArray[np.int8]:
    """Values in [−1, 1] as whole numbers from −127 to 127."""
    whole: NDArray[np.int8] = np.rint(np.clip(values, -1, 1) * 127.0).astype(np.int8)
    return whole
