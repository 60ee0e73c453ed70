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
