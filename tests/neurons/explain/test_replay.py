"""A unit that is replayed alone."""

import numpy as np
import pytest

from charrnn.neurons.explain.recording import Recording, memory_name
from charrnn.neurons.explain.replay import Change, input_weights, replayed
from charrnn.nn.cells import CELLS
from charrnn.nn.network import Network, NetworkConfig
from reference import random_network

STARTS = np.array([1, 40, 70])
POSITIONS = STARTS + np.arange(60)[:, np.newaxis]


def recording(cell: str) -> Recording:
    config = NetworkConfig(7, 6, 2, cell)
    exact = random_network(np.random.default_rng(181), config)
    network = Network.from_weights(config, exact.parameters.flat.astype(np.float32))
    ids = np.random.default_rng(182).integers(7, size=300)
    return Recording.of(network, ids, slice(100, 300))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layer", [0, 1])
def test_without_a_change_a_replay_is_the_recording(cell: str, layer: int) -> None:
    found = recording(cell)
    units = np.array([3, 0, 3])
    none = Change.none(3, len(found.network.config.cell_type.blocks))
    values = replayed(found, layer, units, POSITIONS, none)
    expected = np.stack([found.values(layer, int(unit))[POSITIONS] for unit in units])
    np.testing.assert_allclose(values, expected, atol=1e-6)
    assert expected.std() > 0.01


@pytest.mark.parametrize("cell", CELLS)
def test_a_cut_is_that_of_a_network_without_the_weight(cell: str) -> None:
    """Where nothing else changes: the unit has no weights to others of its layer, and the bias
    takes the mean."""
    one = recording(cell).network
    cell_type, H = one.config.cell_type, one.config.hidden_size
    unit, source = 2, 4
    W = one.parameters["W1"].reshape(len(cell_type.recurrent_gates), H, H)
    W[:, np.arange(H) != unit, unit] = 0  # nobody hears it
    ids = np.random.default_rng(183).integers(7, size=300)
    found = Recording.of(one, ids, slice(0, 300))

    cut = Network.from_weights(one.config, one.parameters.flat.copy())
    U = cut.parameters["U1"].reshape(len(cell_type.gates), H, H + 1)
    mean = found.h[0, :, source].mean(dtype=np.float64)
    U[:, unit, -1] += U[:, unit, source] * mean
    U[:, unit, source] = 0
    expected = Recording.of(cut, ids, slice(0, 300)).values(1, unit)

    units, sources = np.array([unit]), np.array([source])
    change = Change(sources, input_weights(found, 1, units, sources))
    positions = np.arange(1, 300)[:, np.newaxis]
    values = replayed(found, 1, units, positions, change)[0, :, 0]
    # it begins in the recorded state, of which little is left after 150 characters
    np.testing.assert_allclose(values[150:], expected[151:], atol=1e-4)
    assert np.abs(expected - found.values(1, unit)).max() > 0.003


@pytest.mark.parametrize(("cell", "name"), [("lstm", "c"), ("gru", "h"), ("rnn", "h")])
def test_the_memory_of_a_cell(cell: str, name: str) -> None:
    assert memory_name(recording(cell).network) == name
