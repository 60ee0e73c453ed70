"""The report on the units of a network as JSON."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from charrnn.neurons.report import (
    Claim,
    FeatureTrack,
    Group,
    OverTime,
    Report,
    Saturation,
    ShownUnit,
    quantized,
)

FORMAT, VERSION = "charrnn-neurons", 1


def as_json(report: Report) -> dict[str, Any]:
    """All of a report as JSON; values as whole numbers from −127 to 127, which stand for −1 to 1,
    shares and probabilities with four digits."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "title": report.title,
        "model": report.model,
        "weights_sha256": report.weights_sha256,
        "state": report.state,
        "palette": report.palette,
        "explained": report.explained,
        "notes": report.notes,
        "characters": report.characters,
        "ends_line": [int(ends) for ends in report.ends_line],
        "predictions": [[[symbol, round(p, 4)] for symbol, p in row] for row in report.predictions],
        "features": [_feature_json(feature) for feature in report.features],
        "units": [_unit_json(unit) for unit in report.units],
        "table": [
            {"layer": layer, "unit": unit} | _claim_json(claim)
            for layer, unit, claim in report.table
        ],
        "groups": [_group_json(group) for group in report.groups],
        "over_time": None if report.over_time is None else _over_time_json(report.over_time),
        "saturation": [_saturation_json(entry) for entry in report.saturation],
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
        "explanation": None if unit.explanation is None else unit.explanation.to_json(),
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


def _group_json(group: Group) -> dict[str, Any]:
    return {
        "feature": group.feature,
        "kind": group.best.kind,
        "claimed": group.claimed,
        "near_duplicates": group.near_duplicates,
        "trivial": group.best.is_trivial,
        "untrained": _json(group.best.untrained),
        "cells": [
            {"layer": layer, "unit": unit, "score": _json(claim.score), "alike": alike}
            for (layer, unit, claim), alike in zip(group.cells, group.alike, strict=True)
        ],
        "effect": None if group.effect is None else _json(asdict(group.effect)),
    }


def _over_time_json(over_time: OverTime) -> dict[str, Any]:
    return {
        "steps": over_time.steps,
        "losses": [_json(loss) for loss in over_time.losses],
        "cells": [
            {"layer": layer, "unit": unit, "scores": [_json(score) for score in scores]}
            for (layer, unit), scores in over_time.scores.items()
        ],
    }


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
