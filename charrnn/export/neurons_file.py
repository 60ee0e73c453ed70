"""The units with a claim, from the JSON of `charrnn visualize-neurons`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from charrnn.checkpoints.format import Checkpoint
from charrnn.errors import CharRNNError
from charrnn.neurons.report_json import FORMAT, VERSION
from charrnn.nn.parameters import digest

UNEXPLAINED = "unexplained"


@dataclass(frozen=True)
class Neuron:
    """A unit and the `feature` that it follows: `label` says how, `score` from −1 to 1 how well."""

    layer: int
    unit: int
    feature: str
    label: str
    score: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def read_neurons(path: Path, checkpoint: Checkpoint) -> list[Neuron]:
    """The units of the model that have a claim in the file: the best of each feature, then the
    others.

    Raises CharRNNError where it cannot be read, is another kind of file, or belongs to another
    model.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CharRNNError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise CharRNNError(f"{path} is not JSON of `charrnn visualize-neurons`") from error
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise CharRNNError(f"{path} is not JSON of `charrnn visualize-neurons`")
    if report.get("version") != VERSION:
        raise CharRNNError(f"{path} was written by another version of charrnn: write it anew")
    if report.get("weights_sha256") != digest(checkpoint.weights):
        raise CharRNNError(
            f"{path} belongs to another model: write it anew with `charrnn visualize-neurons`"
        )
    held = "tanh(c)" if checkpoint.config.cell_type.memories else "h"
    if report.get("state") != held:
        raise CharRNNError(f"{path} is not about {held} of the units, which is what a page holds")
    try:
        rows = [row for row in report["table"] if row["label"] != UNEXPLAINED]
        neurons = [_neuron(row, checkpoint) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise CharRNNError(
            f"{path} is damaged: its table of units is not as it should be"
        ) from error
    return best_first(neurons)


def best_first(neurons: Sequence[Neuron]) -> list[Neuron]:
    """Ranked units in the order of a list to choose from: the first of each feature, then the
    others."""
    best = {neuron.feature: neuron for neuron in reversed(neurons)}
    return [
        *(neuron for neuron in neurons if best[neuron.feature] is neuron),
        *(neuron for neuron in neurons if best[neuron.feature] is not neuron),
    ]


def _neuron(row: Mapping[str, Any], checkpoint: Checkpoint) -> Neuron:
    config = checkpoint.config
    neuron = Neuron(row["layer"], row["unit"], row["feature"], row["label"], row["score"])
    if type(neuron.layer) is not int or type(neuron.unit) is not int:
        raise TypeError("a unit has whole numbers")
    if not (0 <= neuron.layer < config.layers and 0 <= neuron.unit < config.hidden_size):
        raise ValueError("a unit that is not there")
    if not (isinstance(neuron.feature, str) and isinstance(neuron.label, str)):
        raise TypeError("a feature has a name")
    if not isinstance(neuron.score, int | float) or not -1 <= neuron.score <= 1:
        raise ValueError("a score is from −1 to 1")
    return neuron
