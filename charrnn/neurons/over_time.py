"""When cells came to follow their features: their scores in snapshots of the training."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from charrnn.analysis.activations import read
from charrnn.model import Model
from charrnn.neurons.claims import Finding
from charrnn.neurons.report import OverTime
from charrnn.neurons.scores import Flags, Floats, score
from charrnn.neurons.search import Search, characters, tracks_of
from charrnn.nn.network import Network
from charrnn.types import Array, IdArray

UnitScores = dict[tuple[int, int], float]
"""The score of each unit, by layer and number."""


def over_time(
    found: Search,
    model: Model,
    ids: IdArray,
    units: Sequence[tuple[int, int]],
    snapshots: Iterable[tuple[int, Array]],
    *,
    progress: Callable[[int], object] = lambda done: None,
) -> OverTime:
    """The scores of some `units` of the model, for the feature that each of them follows best, in
    the `snapshots` (steps and weights (P,)) and in the model itself; all on the second half of the
    text `ids` (N,).

    Each snapshot is read once; `progress` is called with the number of those that are done.
    Memory: the states of one network on half of the text.
    """
    findings = {found.place(one.unit): one for one in found.findings.units}
    watched = _WatchedUnits(found, model, ids, {unit: findings[unit] for unit in units})
    steps: list[int] = []
    seen: list[tuple[float, UnitScores]] = []
    for step, weights in snapshots:
        steps.append(step)
        seen.append(watched.in_network(model.network.with_weights(weights)))
        progress(len(steps))
    seen.append(watched.in_network(model.network))
    return OverTime(
        steps,
        [loss for loss, _ in seen],
        {unit: [scores[unit] for _, scores in seen] for unit in units},
    )


class _WatchedUnits:
    """Some units, with the features and the text on which they are scored."""

    def __init__(
        self, found: Search, model: Model, ids: IdArray, findings: Mapping[tuple[int, int], Finding]
    ) -> None:
        half, text = found.halves[1], characters(model, ids)
        self._state, self._ids, self._before = found.state, ids[half], ids[: half.start]
        self._units: dict[str, list[tuple[int, int]]] = {}
        self._tracks: dict[str, tuple[Flags, Floats]] = {}
        for unit, finding in findings.items():
            feature = finding.feature
            self._units.setdefault(feature.name, []).append(unit)
            if feature.name not in self._tracks:
                flags, numbers = tracks_of(text, [feature])
                self._tracks[feature.name] = flags[half], numbers[half]
        self._signs = {unit: 1 if one.score >= 0 else -1 for unit, one in findings.items()}

    def in_network(self, network: Network) -> tuple[float, UnitScores]:
        """The loss of a network (bits per character), and the scores of its units."""
        reading = read(network, self._ids, (self._state,), before=self._before)
        states, scores = reading.states[self._state], {}
        for name, units in self._units.items():
            layers, places = zip(*units, strict=True)
            values = states[list(layers), :, list(places)].T  # (N, U)
            for unit, value in zip(units, score(values, *self._tracks[name])[:, 0], strict=True):
                scores[unit] = self._signs[unit] * float(value)
        return float(np.nanmean(reading.losses) / np.log(2)), scores
