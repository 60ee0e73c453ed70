"""One symbol at a time: the same numbers as in windows of time."""

import numpy as np
import pytest

from charrnn.nn.network import NetworkConfig
from charrnn.nn.single_step import Stepper
from reference import random_ids, random_network
from toy_cells import ALL_CELLS

pytestmark = pytest.mark.usefixtures("toy_cells")


@pytest.mark.parametrize("cell", ALL_CELLS)
@pytest.mark.parametrize("streams", [1, 3, 40])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_steps_agree_with_a_window(cell: str, layers: int, streams: int) -> None:
    rng = np.random.default_rng(61)
    config = NetworkConfig(vocabulary_size=7, hidden_size=5, layers=layers, cell=cell)
    network = random_network(rng, config)
    ids, _ = random_ids(rng, config, 6, streams)
    expected = network.workspace(6, streams).forward(ids).reshape(7, 6, streams)
    stepper = Stepper(network, streams)
    for _ in range(2):
        for t in range(6):
            logits = stepper.step(ids[t])
            np.testing.assert_allclose(logits, expected[:, t], rtol=0, atol=1e-12)
        np.testing.assert_array_equal(stepper.predict(), logits)
        stepper.reset()


def test_before_any_symbol_it_predicts_from_a_state_of_zeros() -> None:
    rng = np.random.default_rng(62)
    config = NetworkConfig(7, 5, 2)
    network = random_network(rng, config)
    bias = network.parameters["V"][:, -1:].repeat(4, axis=1)
    stepper = Stepper(network, 4)
    np.testing.assert_array_equal(stepper.predict(), bias)
    assert (stepper.step(random_ids(rng, config, 1, 4)[0][0]) != bias).all()
    stepper.reset()
    np.testing.assert_array_equal(stepper.predict(), bias)


@pytest.mark.parametrize("cell", ALL_CELLS)
def test_a_unit_that_is_held_remembers_its_value(cell: str) -> None:
    """tanh(c) or h is the value after every step, whatever is read; others are what they were."""
    rng = np.random.default_rng(64)
    config = NetworkConfig(7, 5, 2, cell)
    ids, _ = random_ids(rng, config, 4, 3)
    stepper = Stepper(random_network(rng, config), 3)
    stepper.hold(0, np.array([3, 1]), np.array([0, 2]), np.array([0.4, -0.7]))
    name = config.cell_type.memory_state
    assert ("c" in config.cell_type.states) == (name == "c")
    for t in range(4):
        stepper.step(ids[t])
        memory = stepper.state(0, name)
        values = np.tanh(memory) if name == "c" else memory
        np.testing.assert_allclose([values[0, 3], values[2, 1]], [0.4, -0.7], atol=1e-12)
        assert abs(values[1, 3] - 0.4) > 1e-3 < abs(values[0, 1] + 0.7)


@pytest.mark.parametrize("value", [0.4, -0.9999])
def test_the_output_gate_of_a_peephole_lstm_reads_the_c_that_is_held(value: float) -> None:
    rng = np.random.default_rng(65)
    config = NetworkConfig(7, 5, 1, "lstm-peephole")
    network = random_network(rng, config)
    ids, _ = random_ids(rng, config, 2, 1)
    stepper = Stepper(network, 1)
    stepper.step(ids[0])
    h_before = stepper.state(0, "h").copy()
    stepper.hold(0, np.array([2]), np.array([0]), np.array([value]))
    stepper.step(ids[1])
    W, U, P = (network.parameters[name] for name in ("W0", "U0", "P0"))
    a = U[2, ids[1]] + U[2, -1] + W[2] @ h_before[0] + P[0, 2] * np.arctanh(value)  # o comes first
    o = 1 / (1 + np.exp(-a))
    np.testing.assert_allclose(stepper.state(0, "o")[0, 2], o, rtol=1e-12)
    np.testing.assert_allclose(stepper.state(0, "h")[0, 2], o * value, rtol=1e-12)


def test_it_keeps_the_weights_of_its_beginning() -> None:
    rng = np.random.default_rng(63)
    config = NetworkConfig(7, 5, 2)
    network = random_network(rng, config)
    ids = random_ids(rng, config, 1, 2)[0][0]
    for streams in (1, 2, 40):
        stepper = Stepper(network, streams)
        read = ids[:1].repeat(streams)
        stepper.step(read)
        logits = stepper.step(read).copy()
        weights = network.parameters.flat.copy()
        network.parameters.flat[:] = 0
        stepper.reset()
        stepper.step(read)
        np.testing.assert_array_equal(stepper.step(read), logits)
        network.parameters.flat[:] = weights
