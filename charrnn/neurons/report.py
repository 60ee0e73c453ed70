"""What a page, a table or a notebook is told about the units of a network."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FORMAT, VERSION = "charrnn-neurons", 1


@dataclass(frozen=True)
class Effect:
    """The change of the loss in bits per character when the cell is held at its mean: overall, and
    where its feature is on, with the ends of their 95 % intervals; None where there is none."""

    bits: float
    low: float
    high: float
    bits_on: float | None
    low_on: float | None
    high_on: float | None
    used: bool


@dataclass(frozen=True)
class Claim:
    """What is said about a unit and the `feature` that it follows best: see
    `charrnn.neurons.claims.Finding`. `label` is "state cell", "character detector" or
    "unexplained", for the `reason` given."""

    feature: str
    kind: str
    score: float
    within_character: float | None
    iou: float | None
    p: float | None
    twins: float
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
class Moment:
    """A character at which a unit had its `value`, and what stands around it, as it is shown."""

    value: float
    before: str
    character: str
    after: str


@dataclass(frozen=True)
class ShownUnit:
    """A unit with its value (N,) at each character of the text, between −1 and 1.

    The histograms count, in bins of equal width from −1 to 1, characters of the second half where
    the unit's feature is on and off; for a number all are in the first of them. `highest` and
    `lowest` are the moments of that half at which the unit went furthest, one of each episode.
    """

    layer: int
    unit: int
    values: NDArray[np.float32]
    claim: Claim | None
    histogram_on: list[int]
    histogram_off: list[int]
    highest: list[Moment]
    lowest: list[Moment]


@dataclass(frozen=True)
class FeatureTrack:
    """A feature of the text, (N,): flags as 0 and 1."""

    name: str
    kind: str
    description: str
    track: NDArray[np.float32]


@dataclass(frozen=True)
class Saturation:
    """For each unit of a layer (H,), the share of time in which a gate is below 0.1, and above
    0.9."""

    layer: int
    gate: str
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class Report:
    """All that is shown.

    `model` says in words and numbers what the model is; `state` names what is shown of the units;
    `characters` (N) are the symbols of the text as they are shown, `ends_line` (N) whether a line
    ends with them, `predictions` (N) what may come next with its probability. `units` are those
    with values, `table` has (layer, unit, claim) for all, the claims first. `explained` is the
    share of units with a claim; `notes` say what else should be known. `weights_sha256` is the
    `charrnn.nn.parameters.digest` of the model.
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
            "features": [
                {
                    "name": feature.name,
                    "kind": feature.kind,
                    "description": feature.description,
                    "track": [int(x) for x in feature.track.tolist()],
                }
                for feature in self.features
            ],
            "units": [
                {
                    "layer": unit.layer,
                    "unit": unit.unit,
                    "claim": None if unit.claim is None else _json(asdict(unit.claim)),
                    "histogram_on": unit.histogram_on,
                    "histogram_off": unit.histogram_off,
                    "highest": [_json(asdict(moment)) for moment in unit.highest],
                    "lowest": [_json(asdict(moment)) for moment in unit.lowest],
                    "values": quantized(unit.values).tolist(),
                }
                for unit in self.units
            ],
            "table": [
                {"layer": layer, "unit": unit} | _json(asdict(claim))
                for layer, unit, claim in self.table
            ],
            "saturation": [
                {
                    "layer": entry.layer,
                    "gate": entry.gate,
                    "low": np.round(entry.low, 4).tolist(),
                    "high": np.round(entry.high, 4).tolist(),
                }
                for entry in self.saturation
            ],
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


def _json(value: Any) -> Any:
    """The same without numbers that JSON does not have, and with no more digits than count."""
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
