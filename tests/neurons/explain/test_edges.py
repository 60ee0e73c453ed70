"""Sources and readers of a cell."""

import numpy as np
import pytest

import planted_cells
from charrnn.neurons.explain.edges import STREAM, Edge, Wiring, streams_of
from charrnn.neurons.explain.recording import Parts, Recording
from charrnn.neurons.features.registry import FEATURES
from charrnn.nn.network import Network, NetworkConfig


def wiring(network: Network, text: str, feature: str) -> Wiring:
    half = len(text) // 2
    parts = Parts.of(slice(0, half - 500), slice(half + 500, len(text)))
    vocabulary = planted_cells.vocabulary()
    return Wiring(
        Recording.of(network, vocabulary.encode(text), parts.read),
        FEATURES[feature].track(text)[parts.read],
        parts.within(parts.chosen),
        parts.within(parts.unseen),
    )


def test_sources_of_a_planted_cell() -> None:
    found = wiring(planted_cells.model(1).network, planted_cells.text(), "quotes")
    edges = found.sources(*planted_cells.SECOND)
    assert (edges[0].layer, edges[0].unit) == planted_cells.OPENER
    assert edges[0].gate == "input gate"
    assert edges[0].beaten > 0.95
    assert {(edge.layer, edge.unit) for edge in edges} <= {
        planted_cells.OPENER,
        planted_cells.CLOSER,
    }
    assert found.readers(*planted_cells.SECOND) == []


def test_readers_of_a_planted_cell() -> None:
    found = wiring(planted_cells.model(0).network, planted_cells.text(), "quotes")
    edges = found.readers(*planted_cells.FIRST)
    assert (edges[0].layer, edges[0].unit) == planted_cells.READER
    assert edges[0].gate == "candidate"
    assert edges[0].cost > 0.9
    assert edges[0].in_words().endswith("without it)")
    assert found.sources(*planted_cells.FIRST) == []


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm-peephole", "lstm-multiplicative"])
def test_other_kinds_of_cells(cell: str) -> None:
    """An edge without which nothing is left: all other weights into the unit are 0."""
    config = NetworkConfig(planted_cells.vocabulary().size, 6, 2, cell)
    network = Network.create(config, np.random.default_rng(221))
    weights, H = network.parameters, 6
    weights["U1"].reshape(-1, H, H + 1)[:, 2, :-1] = 0
    weights["U1"].reshape(-1, H, H + 1)[:, 2, 4] = 0.5
    weights["W1"].reshape(-1, H, H)[:, 2] = 0
    # L0:4 is high at letters, so that it follows the starts of words
    weights["U0"].reshape(-1, H, config.vocabulary_size + 1)[:, 4] *= 0.1
    space = planted_cells.vocabulary().encode(" ")[0]
    weights["U0"].reshape(-1, H, config.vocabulary_size + 1)[:, 4, space] = -2
    found = wiring(network, planted_cells.text(), "word start")
    (edge,) = found.sources(1, 2)
    assert (edge.layer, edge.unit) == (0, 4)
    assert edge.cost == pytest.approx(edge.score, abs=0.05), "nothing is left"


def test_streams_are_runs_of_places() -> None:
    places = np.concatenate([np.arange(10, 10 + 3 * STREAM + 5), np.arange(5000, 5000 + STREAM)])
    positions = streams_of(places)
    assert positions.shape == (STREAM, 4)
    assert set(positions.ravel()) <= set(places)
    assert (np.diff(positions, axis=0) == 1).all()


def test_words() -> None:
    edge = Edge(0, 12, score=0.5, cost=0.19, beaten=1.0, gate="input gate")
    assert edge.in_words() == "L0:12 through the input gate (weaker by 38.0 % without it)"
