"""How far back the gradient reaches."""

import numpy as np
import pytest

from charrnn.analysis import gradient_flow as module
from charrnn.analysis.gradient_flow import gradient_flow
from charrnn.nn.cells import CELLS
from charrnn.nn.network import Network, NetworkConfig
from charrnn.nn.workspace import Workspace
from charrnn.training.evaluation import EVALUATION_WARM_UP
from charrnn.types import Array, IdArray
from reference import random_network


def text(config: NetworkConfig, length: int) -> IdArray:
    ids: IdArray = np.random.default_rng(81).integers(config.vocabulary_size, size=length)
    return ids


def last_loss(workspace: Workspace, state: Array, ids: IdArray) -> float:
    workspace.state = state
    return float(workspace.losses(ids[:-1, np.newaxis], ids[1:, np.newaxis])[-1, 0])


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_norms_against_slopes(cell: str, layers: int) -> None:
    """The top layer's h reaches later losses by its own layer alone: so it can be moved in the
    state that is carried from one window to the next."""
    config = NetworkConfig(5, 4, layers, cell)
    network = random_network(np.random.default_rng(82), config)
    ids = text(config, 9)  # one place, too short a text for a warm-up: h begins as zeros
    norms = gradient_flow(network, ids[:8], 6)
    assert norms.shape == (layers, 7)
    for k in range(1, 7):
        before = network.workspace(7 - k, 1)
        before.forward(ids[: 7 - k, np.newaxis])
        state = before.state
        after = network.workspace(k, 1)

        measured = np.zeros(4)
        for unit in range(4):
            for sign in (1, -1):
                moved = state.copy()
                moved[-1, 0, unit, 0] += sign * 1e-6
                measured[unit] += sign * last_loss(after, moved, ids[7 - k : 8]) / 2e-6
        assert norms[-1, k] == pytest.approx(np.linalg.norm(measured), rel=1e-6)


def test_a_network_whose_recurrence_shrinks_forgets_geometrically() -> None:
    """h_t = tanh(½·h_{t−1}) near zero: each step back leaves half of the gradient."""
    config = NetworkConfig(3, 2, 1, "rnn")
    network = Network.create(config, np.random.default_rng(83), np.float64)
    weights = network.parameters
    weights.flat[:] = 0
    weights["W0"][:] = 0.5 * np.eye(2)
    weights["V"][:, :2] = [[1, 0], [0, 1], [1, 1]]
    (norms,) = gradient_flow(network, text(config, 50), 10)
    np.testing.assert_allclose(norms[1:] / norms[:-1], 0.5, rtol=1e-9)


@pytest.mark.parametrize("reach", [3, 300])
def test_every_place_is_warmed_up(monkeypatch: pytest.MonkeyPatch, reach: int) -> None:
    """By windows that have the warm-up in them, from states of zeros."""
    monkeypatch.setattr(module, "MOST_PLACES", 5)
    config = NetworkConfig(5, 4, 1, "rnn")
    network = random_network(np.random.default_rng(85), config)
    ids, W, T = text(config, 700), EVALUATION_WARM_UP, reach + 1
    starts = np.arange(5) * (700 - W - T) // 5
    inputs = starts + np.arange(W + T)[:, np.newaxis]
    workspace = network.workspace(W + T, 5, training=True)
    workspace.losses(ids[inputs], ids[inputs + 1])
    scale, dH = np.zeros((W + T, 5)), np.zeros((1, W + T, 5, 4))
    scale[-1] = 1
    workspace.backward(network.parameters.zeros_like(), scale.reshape(-1), dH)
    expected = np.sqrt(np.square(dH[0]).sum(axis=-1)).mean(axis=-1)[::-1][:T]
    np.testing.assert_allclose(gradient_flow(network, ids, reach)[0], expected, rtol=1e-9)


def test_a_text_that_is_too_short() -> None:
    config = NetworkConfig(5, 4)
    network = random_network(np.random.default_rng(84), config)
    gradient_flow(network, text(config, 12), 10)
    with pytest.raises(ValueError, match="12 symbols are needed, not 11"):
        gradient_flow(network, text(config, 11), 10)
