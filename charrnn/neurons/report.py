"""The report on the units of a network, which page, terminal and files show."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FORMAT, VERSION = "charrnn-neurons", 1


@dataclass(frozen=True)
class Effect:
    """The change of the loss in bits per character when the cell is held at its mean (ablation):
    overall and where its feature is on, each with the ends of its 95 % confidence interval; None
    where there is none. `used` says whether one of the intervals lies above 0."""

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
    def verdict(self) -> str:
        """The label, why there is no claim, and whether the network uses the cell."""
        verdict = f"{self.label}: {self.reason}" if self.reason else self.label
        if self.effect is not None:
            verdict += ", used" if self.effect.used else ", no effect measured"
        return verdict


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
    """

    layer: int
    unit: int
    values: NDArray[np.float32]
    claim: Claim | None
    histogram_on: list[int]
    histogram_off: list[int]
    highest: list[Peak]
    lowest: list[Peak]


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
class Report:
    """The report on a text of N characters.

    `model` describes the model in words and numbers; `state` names the state of the units that is
    shown; `characters` (N) are the symbols of the text as they are shown, `ends_line` (N) whether a
    line ends with them, `predictions` (N) the most probable next symbols with their probabilities.
    `units` are those with values; `table` has (layer, unit, claim) for all, the claims first.
    `explained` is the share of units with a claim; `notes` say what else should be known.
    `weights_sha256` is the `charrnn.nn.parameters.digest` of the model.
    """

    title: str
    model: dict[str, str | int | float]
    state: str
    characters: list[str]
    ends_line: list[bool]
    predictions: list[list[tuple[str, float]]]
    units: list[ShownUnit]
    features: list[FeatureTrack]
    table: list[tuple[int, int, Claim]]
    saturation: list[Saturation]
    explained: float
    notes: list[str]
    palette: str = "blue-red"
    weights_sha256: str = ""

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON; values as whole numbers from −127 to 127, which stand for −1 to 1,
        shares and probabilities with four digits."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "title": self.title,
            "model": self.model,
            "weights_sha256": self.weights_sha256,
            "state": self.state,
            "palette": self.palette,
            "explained": self.explained,
            "notes": self.notes,
            "characters": self.characters,
            "ends_line": [int(ends) for ends in self.ends_line],
            "predictions": [
                [[symbol, round(p, 4)] for symbol, p in row] for row in self.predictions
            ],
            "features": [_feature_json(feature) for feature in self.features],
            "units": [_unit_json(unit) for unit in self.units],
            "table": [
                {"layer": layer, "unit": unit} | _claim_json(claim)
                for layer, unit, claim in self.table
            ],
            "saturation": [_saturation_json(entry) for entry in self.saturation],
        }

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


def _feature_json(feature: FeatureTrack) -> dict[str, Any]:
    return {
        "name": feature.name,
        "kind": feature.kind,
        "description": feature.description,
        "track": [int(x) for x in feature.track.tolist()],
    }


def _unit_json(unit: ShownUnit) -> dict[str, Any]:
    return {
        "layer": unit.layer,
        "unit": unit.unit,
        "claim": None if unit.claim is None else _claim_json(unit.claim),
        "histogram_on": unit.histogram_on,
        "histogram_off": unit.histogram_off,
        "highest": [_json(asdict(peak)) for peak in unit.highest],
        "lowest": [_json(asdict(peak)) for peak in unit.lowest],
        "values": quantized(unit.values).tolist(),
    }


def _claim_json(claim: Claim) -> dict[str, Any]:
    """`twins` is an older name of `untrained`, which readers of the file may expect."""
    fields: dict[str, Any] = _json(asdict(claim))
    return fields | {"twins": fields["untrained"]}


def _saturation_json(entry: Saturation) -> dict[str, Any]:
    return {
        "layer": entry.layer,
        "gate": entry.gate,
        "low": np.round(entry.low, 4).tolist(),
        "high": np.round(entry.high, 4).tolist(),
    }


def _json(value: Any) -> Any:
    """The same with five significant digits, and null for what is no number in JSON."""
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    return value


def number(value: float | None, form: str) -> str:
    """A number in a format; nothing for None and NaN."""
    return "" if value is None or value != value else format(value, form)


def quantized(values: ArrayLike) -> NDArray[np.int8]:
    """Values in [−1, 1] as whole numbers from −127 to 127."""
    whole: NDArray[np.int8] = np.rint(np.clip(values, -1, 1) * 127.0).astype(np.int8)
    return whole
