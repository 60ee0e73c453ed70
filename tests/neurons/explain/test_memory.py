"""How long a cell remembers."""

import numpy as np
import pytest

import planted_cells
from charrnn.neurons.explain import memory as module
from charrnn.neurons.explain.memory import Memory, changed, half_life, responses, spread_places
from charrnn.nn.cells import CELLS
from charrnn.nn.network import Network, NetworkConfig
from charrnn.types import Array
from reference import random_network


def test_half_life_of_a_decay() -> None:
    k = np.arange(200)
    decay = np.float64(0.97) ** k
    assert half_life(decay) == pytest.approx(np.log(2) / -np.log(0.97), abs=0.01)
    # what rises first counts from its peak on
    rising = np.concatenate([[0.1, 0.5], 0.9**k])
    assert half_life(rising) == pytest.approx(np.log(2) / -np.log(0.9), abs=0.05)


def test_a_response_that_does_not_fall() -> None:
    assert half_life(np.ones(200)) == float("inf")
    assert half_life(np.zeros(200)) == float("inf")
    assert "more than 200 characters" in Memory(float("inf"), 2.0, 1.0).in_words()


@pytest.mark.parametrize("layer", [0, 1])
def test_the_half_life_of_a_cell_that_is_known(layer: int) -> None:
    """A c that decays by a known factor, after one mark in a long text of letters."""
    model = planted_cells.model(layer)
    letters = "abcd efgh" * 200
    text = (letters[:400] + planted_cells.OPENING + letters[:400]) * 3
    places = np.array([400, 1201, 2002])
    cell = planted_cells.FIRST if layer == 0 else planted_cells.SECOND
    response = responses(model.network, model.vocabulary.encode(text), places)[cell]
    expected = np.log(2) / -np.log(planted_cells.KEPT)
    assert half_life(response) == pytest.approx(expected, rel=0.1)
    assert response.max() == pytest.approx(np.tanh(planted_cells.RISE), rel=0.02)


@pytest.mark.parametrize("cell", CELLS)
def test_responses_are_those_of_two_readings(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each version read as a whole, from the beginning of the warm-up."""
    monkeypatch.setattr(module, "WARM_UP", 30)
    monkeypatch.setattr(module, "HORIZON", 20)
    config = NetworkConfig(7, 5, 2, cell)
    exact = random_network(np.random.default_rng(211), config)
    network = Network.from_weights(config, exact.parameters.flat.astype(np.float32))
    ids = np.random.default_rng(212).integers(7, size=200)
    places = np.array([30, 100, 170])
    other = changed(ids, places, 7, np.random.default_rng(5))
    assert (other != ids[places]).all()
    name = "c" if "c" in config.cell_type.states else "h"

    def values(text: np.ndarray[tuple[int], np.dtype[np.int64]], place: int) -> Array:
        workspace = network.workspace(50, 1)
        for layer in workspace.layers:
            layer.keep_states((name,))
        workspace.forward(text[place - 30 : place + 20, np.newaxis])
        states = np.stack([layer.states(name)[30:].reshape(20, 5) for layer in workspace.layers])
        return np.tanh(states) if name == "c" else states.copy()

    expected = np.zeros((2, 5, 20))
    for place, symbol in zip(places, other, strict=True):
        version = ids.copy()
        version[place] = symbol
        expected += np.abs(values(ids, place) - values(version, place)).transpose(0, 2, 1) / 3
    found = responses(network, ids, places, seed=5)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_places_leave_room() -> None:
    places = spread_places(np.arange(5000), 5000)
    assert len(places) == module.PLACES
    assert places[0] == module.WARM_UP
    assert places[-1] == 5000 - module.HORIZON - 1
    assert spread_places(np.array([900, 950]), 5000).tolist() == [900, 950]
