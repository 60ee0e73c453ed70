"""The scores of cells in snapshots of a training."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from charrnn.analysis.activations import read
from charrnn.model import Model
from charrnn.neurons import over_time as module
from charrnn.neurons.claims import Finding, Findings
from charrnn.neurons.features.registry import FEATURES
from charrnn.neurons.over_time import over_time
from charrnn.neurons.report import OverTime
from charrnn.neurons.scores import score
from charrnn.neurons.search import Search
from charrnn.nn.network import Network, NetworkConfig
from charrnn.text.vocabulary import Vocabulary
from charrnn.types import Array

N = 2000
HALF = slice(1100, N)
UNITS = {(0, 2): "quotes", (1, 4): "quotes", (1, 0): "line position"}


def model() -> Model:
    config = NetworkConfig(4, 5, 2)
    vocabulary = Vocabulary(np.array([10, 34, 97, 98], np.uint32))  # a line end, ", a and b
    return Model(Network.create(config, np.random.default_rng(3)), vocabulary)


IDS = np.random.default_rng(7).integers(4, size=N)
TEXT = "".join('\n"ab'[id] for id in IDS)


def scored(network: Network) -> tuple[float, dict[tuple[int, int], float]]:
    """One unit after the other, with a text that is read at once."""
    reading = read(network, IDS, ("c",))
    found = {}
    for (layer, unit), name in UNITS.items():
        track = FEATURES[name].track(TEXT)[HALF, np.newaxis]
        values = reading.states["c"][layer, HALF, unit : unit + 1]
        none = np.zeros((len(values), 0), np.float32)
        is_flag = FEATURES[name].kind == "flag"
        both = (track.astype(bool), none) if is_flag else (none.astype(bool), track)
        found[layer, unit] = float(score(values, *both)[0, 0])
    return float(np.nanmean(reading.losses[HALF])) / np.log(2), found


def found(one: Model) -> Search:
    _, scores = scored(one.network)
    findings = [
        Finding(5 * layer + unit, FEATURES[name], scores[layer, unit], 0.01, 0.1, 0.5, None,
                "state cell", "")
        for (layer, unit), name in UNITS.items()
    ]  # fmt: skip
    return Search("c", 5, list(FEATURES.values()), Findings(findings, {}, 200), (slice(0, 9), HALF))


def test_scores_are_those_of_each_network_with_the_sign_of_the_model() -> None:
    one = model()
    others = [Network.create(one.network.config, np.random.default_rng(n)) for n in (4, 5)]
    snapshots = [(step, each.parameters.flat) for step, each in zip((0, 70), others, strict=True)]
    done: list[int] = []
    result = over_time(found(one), one, IDS, list(UNITS), snapshots, progress=done.append)
    assert (result.steps, done) == ([0, 70], [1, 2])
    _, final = scored(one.network)
    for n, network in enumerate((*others, one.network)):
        loss, scores = scored(network)
        assert result.losses[n] == pytest.approx(loss, rel=1e-4)
        for unit in UNITS:
            expected = scores[unit] * np.sign(final[unit])
            assert result.scores[unit][n] == pytest.approx(expected, abs=2e-3)
    assert all(scores[-1] > 0 for scores in result.scores.values())
    assert min(final.values()) < 0, "the example has a cell that is low where its feature is on"


def test_each_snapshot_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    one = model()
    drawn: list[int] = []
    readings: list[int] = []

    def snapshots() -> Iterator[tuple[int, Array]]:
        for step in (0, 10, 20):
            drawn.append(step)
            yield step, one.network.parameters.flat

    def counted(*arguments: Any, **options: Any) -> Any:
        readings.append(len(drawn))
        return read(*arguments, **options)

    monkeypatch.setattr(module, "read", counted)
    over_time(found(one), one, IDS, list(UNITS), snapshots())
    assert readings == [1, 2, 3, 3], "one snapshot after the other, and the model"


def test_since_when() -> None:
    rows = {
        "in the end": [0.1, 0.2, 0.3, 0.9],
        "always": [0.5, 0.7, 0.9, 0.9],
        "after a relapse": [0.6, 0.4, 0.6, 0.8],
        "lost": [0.6, 0.7, 0.8, 0.4],
        "a constant": [float("nan"), 0.6, 0.7, 0.8],
    }
    one = OverTime([0, 10, 20], [1.0] * 4, {(0, n): row for n, row in enumerate(rows.values())})
    found = {name: one.since(0, n) for n, name in enumerate(rows)}
    assert found == {
        "in the end": None, "always": 0, "after a relapse": 20, "lost": None, "a constant": 10
    }  # fmt: skip
