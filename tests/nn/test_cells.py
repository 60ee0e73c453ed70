"""The cells by name, and two examples that can be followed by hand."""

import numpy as np
import pytest

import charrnn
from charrnn.nn.cells import CELLS, Cell
from charrnn.nn.network import Network, NetworkConfig
from charrnn.nn.parameters import Parameters
from charrnn.options import TrainingOptions
from charrnn.training.parallel.sharded import ShardedNetwork
from reference import STEPS, random_ids, random_network, rnn_step
from toy_cells import ALL_CELLS, TOYS

pytestmark = pytest.mark.usefixtures("toy_cells")


def test_every_cell_has_a_naive_reference() -> None:
    assert tuple(CELLS) == tuple(STEPS)


@pytest.mark.parametrize("cell", ALL_CELLS)
def test_a_cell_says_what_it_has(cell: str) -> None:
    kind, network = CELLS[cell], NetworkConfig(7, 5, 3, cell)
    assert len(kind.bias) == len(kind.gates)
    assert network.size == sum(rows * columns for rows, columns in network.shapes().values())


def test_a_recurrent_product_belongs_to_the_last_blocks() -> None:
    assert CELLS["gru"].blocks == ("n", "r", "z", "q")
    assert CELLS["toy-one"].blocks == ("n", "f")
    assert NetworkConfig(7, 5, 1, "toy-one").shapes()["W0"] == (5, 5)
    assert NetworkConfig(7, 5, 1, "toy-none").shapes()["W0"] == (0, 5)
    with pytest.raises(TypeError, match="Wrong: recurrent_gates must be the last"):
        type("Wrong", (Cell,), {"gates": ("f", "n"), "recurrent_gates": ("f",)})


@pytest.mark.parametrize("cell", TOYS)
def test_a_cell_of_ones_own_trains_and_writes(cell: str) -> None:
    model = charrnn.train(
        "to be or not to be " * 40,
        cell=cell,
        hidden_size=16,
        layers=2,
        batch_size=4,
        seq_length=16,
        epochs=40,
        learning_rate=0.02,
        recurrent_dropout=0.1,
        threads=1,
    )
    assert model.step("b")["e"] > 0.9
    assert len(model.sample(30)) == 30


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


def test_a_multiplicative_lstm_with_factors_of_1_is_an_lstm() -> None:
    rng = np.random.default_rng(73)
    plain = random_network(rng, NetworkConfig(7, 5, 2, "lstm"))
    config = NetworkConfig(7, 5, 2, "lstm-multiplicative")
    network = Network(config, Parameters(config.shapes(), np.float64))
    weights = network.parameters
    for name in weights:
        rows = len(plain.parameters[name])
        weights[name][-rows:] = plain.parameters[name]
    ids, targets = random_ids(rng, config, 6, 3)
    expected = plain.workspace(6, 3).losses(ids, targets).copy()
    assert not np.allclose(network.workspace(6, 3).losses(ids, targets), expected), "W sees zeros"
    for layer in range(2):
        weights[f"U{layer}"][:5, -1] = 1
    losses = network.workspace(6, 3).losses(ids, targets)
    np.testing.assert_allclose(losses, expected, rtol=1e-12)


@pytest.mark.parametrize("cell", ALL_CELLS)
def test_hello_needs_the_state(cell: str) -> None:
    """An l follows the first l and an o the second: without a state, half of that is chance."""
    symbols = "helo"
    word = np.array([symbols.index(letter) for letter in "hello"]).reshape(-1, 1)
    network = Network.create(NetworkConfig(4, 8, 1, cell), np.random.default_rng(71))
    with ShardedNetwork(network, TrainingOptions(batch_size=1, seq_length=4)) as sharded:
        for step in range(150):
            sharded.reset()
            loss = sharded.compute_gradient(word[:-1], word[1:], step)
            sharded.update(step + 1, 0.03, min(1.0, 1 / sharded.gradient_norm()))
    assert loss < 0.05 < np.log(2) / 2
    predicted = network.workspace(4, 1).forward(word[:-1]).argmax(axis=0)
    assert "".join(symbols[id] for id in predicted) == "ello"
