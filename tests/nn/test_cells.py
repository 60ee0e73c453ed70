"""The cells by name, and two examples that can be followed by hand."""

import numpy as np
import pytest

from charrnn.nn.cells import CELLS
from charrnn.nn.network import Network, NetworkConfig
from charrnn.optim.optimizers import Adam
from charrnn.training.parallel.sharded import ShardedNetwork
from reference import STEPS, rnn_step


def test_every_cell_has_a_naive_reference() -> None:
    assert tuple(CELLS) == tuple(STEPS)


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_says_what_it_has(cell: str) -> None:
    kind, network = CELLS[cell], NetworkConfig(7, 5, 3, cell)
    assert len(kind.bias) == kind.gates <= kind.blocks
    assert network.size == sum(rows * columns for rows, columns in network.shapes().values())


def test_two_steps_of_a_simple_network_by_hand() -> None:
    """Without an activation: s¹ = U·x¹ = (1.3, 1.6), s² = U·x² + W·s¹ = (3.93, 2.24), and V·s² =
    (2.971, 4.433)."""
    no_bias = np.zeros((2, 1))
    U = np.hstack([[[0.9, 0.2], [0.4, 0.6]], no_bias])
    W = np.array([[0.5, 0.8], [0.4, 0.2]])
    V = np.array([[0.3, 0.8], [0.9, 0.4]])
    state = [np.zeros(2)]
    for x in ([1.0, 2.0], [2.0, 1.0]):
        state = rnn_step(W, U, np.zeros((0, 2)), np.array(x), state, activation=lambda a: a)
    np.testing.assert_allclose(state[0], [3.93, 2.24], rtol=1e-12)
    p = np.exp(V @ state[0]) / np.exp(V @ state[0]).sum()
    np.testing.assert_allclose(p, [0.18816, 0.81184], atol=5e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_hello_needs_the_state(cell: str) -> None:
    """An l follows the first l and an o the second: without a state, half of that is chance."""
    symbols = "helo"
    word = np.array([symbols.index(letter) for letter in "hello"]).reshape(-1, 1)
    network = Network.create(NetworkConfig(4, 8, 1, cell), np.random.default_rng(71))
    adam = Adam(network.parameters.flat)
    with ShardedNetwork(network, adam, 4, 1, 1) as sharded:
        for _ in range(150):
            sharded.reset()
            loss = sharded.compute_gradient(word[:-1], word[1:])
            sharded.update(0.03, min(1.0, 1 / sharded.gradient_norm()))
    assert loss < 0.05 < np.log(2) / 2
    predicted = network.workspace(4, 1).forward(word[:-1]).argmax(axis=0)
    assert "".join(symbols[id] for id in predicted) == "ello"
