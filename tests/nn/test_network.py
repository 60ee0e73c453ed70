"""The network: against a naive reference, and what must hold whatever its weights are."""

import math
from typing import Any

import numpy as np
import pytest

from charrnn.errors import OptionError
from charrnn.nn.network import Network, NetworkConfig
from charrnn.nn.workspace import Workspace
from charrnn.types import Array
from reference import random_ids, random_network, run
from toy_cells import ALL_CELLS

pytestmark = pytest.mark.usefixtures("toy_cells")

CONFIG = NetworkConfig(vocabulary_size=7, hidden_size=5, layers=2)


def random_state(rng: np.random.Generator, workspace: Workspace) -> Array:
    state: Array = rng.normal(0, 0.8, workspace.state.shape).astype(workspace.state.dtype)
    return state


# --- the naive reference


@pytest.mark.parametrize(
    ("vocabulary_size", "hidden_size", "layers", "steps", "batch"),
    [
        (5, 4, 1, 1, 1),
        (5, 4, 1, 6, 1),
        (5, 4, 2, 6, 3),
        (1, 3, 1, 2, 2),
        (9, 1, 3, 4, 2),
        (30, 17, 3, 11, 5),
        (300, 6, 2, 3, 4),
    ],
)
@pytest.mark.parametrize("cell", ALL_CELLS)
def test_agrees_with_the_naive_network(
    cell: str, vocabulary_size: int, hidden_size: int, layers: int, steps: int, batch: int
) -> None:
    rng = np.random.default_rng(21)
    config = NetworkConfig(vocabulary_size, hidden_size, layers, cell)
    network = random_network(rng, config)
    workspace = network.workspace(steps, batch, training=True)
    state = random_state(rng, workspace)
    workspace.state = state
    for _ in range(2):  # two windows: the naive state travels from one to the next
        ids, targets = random_ids(rng, config, steps, batch)
        losses, state = run(network, ids, targets, state)
        np.testing.assert_allclose(workspace.losses(ids, targets), losses, rtol=0, atol=1e-10)
        np.testing.assert_allclose(workspace.state, state, rtol=0, atol=1e-10)


def test_float32_agrees_to_its_rounding() -> None:
    rng = np.random.default_rng(22)
    network = random_network(rng, CONFIG, np.float32)
    workspace = network.workspace(6, 3)
    state = random_state(rng, workspace)
    ids, targets = random_ids(rng, CONFIG, 6, 3)
    workspace.state = state
    losses = workspace.losses(ids, targets)
    assert losses.dtype == np.float32
    np.testing.assert_allclose(losses, run(network, ids, targets, state)[0], atol=1e-5)


# --- a fresh network


@pytest.mark.parametrize("vocabulary_size", [5, 50, 300])
@pytest.mark.parametrize("cell", ALL_CELLS)
def test_the_first_loss_is_about_ln_v(cell: str, vocabulary_size: int) -> None:
    config = NetworkConfig(vocabulary_size, 64, 2, cell)
    rng = np.random.default_rng(23)
    workspace = Network.create(config, rng).workspace(20, 8)
    losses = workspace.losses(*random_ids(rng, config, 20, 8))
    assert losses.dtype == np.float32
    assert losses.mean() == pytest.approx(math.log(vocabulary_size), abs=0.06)


def test_fresh_weights_come_from_the_generator() -> None:
    first, again, other = (Network.create(CONFIG, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.parameters.flat, again.parameters.flat)
    assert (first.parameters["W0"] != other.parameters["W0"]).all()


def test_fresh_weights_are_uniform_and_biases_are_the_cells() -> None:
    H = 16
    weights = Network.create(NetworkConfig(20, H, 2), np.random.default_rng(1)).parameters
    bounds = {"W0": 0.25, "U0": 1.0, "W1": 0.25, "U1": 0.25, "V": 0.75}
    for name, bound in bounds.items():
        matrix = weights[name][:, :-1] if name[0] in "UV" else weights[name]
        assert 0.95 * bound < np.abs(matrix).max() <= bound
        assert abs(matrix.mean()) < 0.1 * bound
        assert matrix.std() == pytest.approx(bound / math.sqrt(3), rel=0.1)
    for name in ("U0", "U1"):  # o, i, f, g: the forget gate starts open
        assert weights[name][:, -1].tolist() == [0] * 2 * H + [1] * H + [0] * H
    assert not weights["V"][:, -1].any()


def test_a_network_with_other_weights_uses_them_as_they_are() -> None:
    network = Network.create(CONFIG, np.random.default_rng(1))
    flat = network.parameters.flat.copy()
    other = network.with_weights(flat)
    assert other.config == network.config
    flat[:] = 3
    assert (other.parameters["U1"] == 3).all()
    assert not (network.parameters["U1"] == 3).any()


# --- time


@pytest.mark.parametrize("first", [1, 3, 6])
@pytest.mark.parametrize("cell", ALL_CELLS)
def test_a_window_equals_its_two_parts(cell: str, first: int) -> None:
    """The state is handed over between workspaces of different lengths."""
    rng = np.random.default_rng(24)
    config = NetworkConfig(7, 5, 2, cell)
    network = random_network(rng, config)
    whole, start, rest = (network.workspace(steps, 3) for steps in (7, first, 7 - first))
    whole.state = start.state = random_state(rng, whole)
    ids, targets = random_ids(rng, config, 7, 3)
    expected = whole.losses(ids, targets)
    losses = [start.losses(ids[:first], targets[:first])]
    rest.state = start.state
    losses.append(rest.losses(ids[first:], targets[first:]))
    np.testing.assert_allclose(np.vstack(losses), expected, rtol=1e-12)
    np.testing.assert_allclose(rest.state, whole.state, rtol=1e-12)


@pytest.mark.parametrize("length", [1, 2])
@pytest.mark.parametrize("cell", ALL_CELLS)
def test_a_workspace_carries_its_state(cell: str, length: int) -> None:
    """The same, through one workspace, which also learns between the windows."""
    rng = np.random.default_rng(25)
    config = NetworkConfig(7, 5, 2, cell)
    network = random_network(rng, config)
    ids, targets = random_ids(rng, config, 6, 3)
    expected = network.workspace(6, 3).losses(ids, targets)
    workspace = network.workspace(length, 3, training=True)
    gradient = network.parameters.zeros_like()
    losses = []
    for t in range(0, 6, length):
        window = slice(t, t + length)
        losses.append(workspace.losses(ids[window], targets[window]).copy())
        workspace.backward(gradient, 1.0)  # must leave the state alone
    np.testing.assert_allclose(np.vstack(losses), expected, rtol=1e-12)


@pytest.mark.parametrize("t", [0, 3, 6])
def test_a_symbol_changes_no_loss_before_it(t: int) -> None:
    rng = np.random.default_rng(26)
    network = random_network(rng, CONFIG)
    workspace = network.workspace(7, 3)
    ids, targets = random_ids(rng, CONFIG, 7, 3)
    before = workspace.losses(ids, targets).copy()
    workspace.reset()
    ids[t] = (ids[t] + 1) % CONFIG.vocabulary_size
    after = workspace.losses(ids, targets)
    np.testing.assert_array_equal(after[:t], before[:t])
    assert (after[t:] != before[t:]).all()


def test_reset_makes_a_workspace_as_new() -> None:
    rng = np.random.default_rng(27)
    network = random_network(rng, CONFIG)
    used, new = (network.workspace(4, 3, training=True) for _ in range(2))
    ids, targets = random_ids(rng, CONFIG, 4, 3)
    gradients = [network.parameters.zeros_like() for _ in range(2)]
    used.losses(ids[::-1], targets[::-1])
    used.backward(gradients[0], 1.0)
    assert used.state.all()
    used.reset()
    assert not used.state.any()
    np.testing.assert_array_equal(used.losses(ids, targets), new.losses(ids, targets))
    np.testing.assert_array_equal(used.state, new.state)
    for workspace, gradient in zip((used, new), gradients, strict=True):
        workspace.backward(gradient, 1.0)
    np.testing.assert_array_equal(gradients[0].flat, gradients[1].flat)


@pytest.mark.parametrize("cell", ALL_CELLS)
def test_the_state_is_a_copy_and_comes_back_as_it_was_set(cell: str) -> None:
    rng = np.random.default_rng(28)
    config = NetworkConfig(7, 5, 3, cell)
    workspace = random_network(rng, config).workspace(2, 4)
    state = random_state(rng, workspace)
    workspace.state = state
    copy = workspace.state
    np.testing.assert_array_equal(copy, state)
    workspace.losses(*random_ids(rng, config, 2, 4))
    np.testing.assert_array_equal(copy, state)
    assert (workspace.state != state).any(axis=(2, 3)).all()  # every array of every layer moved


# --- streams


@pytest.mark.parametrize("column", [0, 1, 3])
def test_streams_do_not_leak_into_each_other(column: int) -> None:
    rng = np.random.default_rng(29)
    network = random_network(rng, CONFIG)
    workspace = network.workspace(6, 4)
    state = random_state(rng, workspace)
    ids, targets = random_ids(rng, CONFIG, 6, 4)
    workspace.state = state
    before, state_before = workspace.losses(ids, targets).copy(), workspace.state
    ids[:, column] = (ids[:, column] + 1) % CONFIG.vocabulary_size
    state[..., column] += 1
    workspace.state = state
    changed = workspace.losses(ids, targets) != before
    assert changed.all(axis=0).tolist() == [b == column for b in range(4)]
    assert changed.any(axis=0).tolist() == [b == column for b in range(4)]
    moved = (workspace.state != state_before).any(axis=(0, 1, 2))
    assert moved.tolist() == [b == column for b in range(4)]


def test_a_stream_alone_has_the_losses_it_has_among_others() -> None:
    rng = np.random.default_rng(30)
    network = random_network(rng, CONFIG)
    ids, targets = random_ids(rng, CONFIG, 6, 4)
    together = network.workspace(6, 4).losses(ids, targets)
    for b in range(4):
        column = slice(b, b + 1)
        alone = network.workspace(6, 1).losses(ids[:, column], targets[:, column])
        np.testing.assert_allclose(alone, together[:, column], rtol=1e-12)


# --- workspaces


def test_training_makes_no_difference_to_the_forward_pass() -> None:
    rng = np.random.default_rng(31)
    network = random_network(rng, CONFIG)
    reading, training = (network.workspace(6, 4, training=flag) for flag in (False, True))
    ids, targets = random_ids(rng, CONFIG, 6, 4)
    for _ in range(2):
        np.testing.assert_array_equal(reading.forward(ids), training.forward(ids))
        np.testing.assert_array_equal(reading.losses(ids, targets), training.losses(ids, targets))
        np.testing.assert_array_equal(reading.state, training.state)


def test_forward_gives_the_logits_behind_the_losses() -> None:
    rng = np.random.default_rng(32)
    network = random_network(rng, CONFIG)
    workspace = network.workspace(6, 4)
    ids, targets = random_ids(rng, CONFIG, 6, 4)
    logits = workspace.forward(ids).reshape(-1, 6, 4).copy()
    workspace.reset()
    picked = np.take_along_axis(logits, targets[None], axis=0)[0]
    expected = np.log(np.exp(logits).sum(axis=0)) - picked
    np.testing.assert_allclose(workspace.losses(ids, targets), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_ids_of_every_width(dtype: type[np.unsignedinteger]) -> None:
    rng = np.random.default_rng(33)
    network = random_network(rng, CONFIG)
    ids, targets = random_ids(rng, CONFIG, 6, 4)
    expected = network.workspace(6, 4).losses(ids, targets)
    losses = network.workspace(6, 4).losses(ids.astype(dtype), targets.astype(dtype))
    np.testing.assert_array_equal(losses, expected)


@pytest.mark.parametrize("cell", ALL_CELLS)
def test_large_weights_do_not_overflow(cell: str) -> None:
    rng = np.random.default_rng(34)
    config = NetworkConfig(7, 5, 2, cell)
    network = random_network(rng, config, np.float32)
    network.parameters.flat *= 1e4
    workspace = network.workspace(6, 4, training=True)
    gradient = network.parameters.zeros_like()
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        losses = workspace.losses(*random_ids(rng, config, 6, 4)).copy()
        workspace.backward(gradient, 1.0)
    assert np.isfinite(losses).all()
    assert losses.max() > 1000
    assert np.isfinite(gradient.flat).all()


# --- configuration


@pytest.mark.parametrize("name", ["vocabulary_size", "hidden_size", "layers"])
@pytest.mark.parametrize("value", [0, -3, 2.0, "8", True, None])
def test_sizes_that_make_no_sense(name: str, value: Any) -> None:
    options: dict[str, Any] = {"vocabulary_size": 5, name: value}
    with pytest.raises(OptionError, match=f"`{name}` must be a whole number of at least 1"):
        NetworkConfig(**options)


def test_an_unknown_cell_names_those_there_are() -> None:
    with pytest.raises(OptionError, match=r"'perceptron' is unknown; there are .*lstm"):
        NetworkConfig(5, cell="perceptron")


def test_a_configuration_travels_as_a_dictionary() -> None:
    options = CONFIG.to_dict()
    assert options == {"vocabulary_size": 7, "hidden_size": 5, "layers": 2, "cell": "lstm"}
    assert NetworkConfig(**options) == CONFIG


def test_shapes_of_the_weights() -> None:
    assert CONFIG.shapes() == {
        "W0": (20, 5),
        "U0": (20, 8),
        "W1": (20, 5),
        "U1": (20, 6),
        "V": (7, 6),
    }
