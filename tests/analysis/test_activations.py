"""What is seen of a network while it reads."""

import numpy as np
import pytest

from charrnn.analysis import activations as module
from charrnn.analysis.activations import (
    activations,
    losses_with_held_units,
    read,
    state_names,
)
from charrnn.errors import OptionError, UnknownSymbolError
from charrnn.model import Model
from charrnn.nn.cells import CELLS
from charrnn.nn.network import Network, NetworkConfig
from charrnn.nn.single_step import Stepper
from charrnn.text.streams import Streams
from charrnn.text.vocabulary import Vocabulary
from charrnn.types import Array, IdArray
from reference import random_ids, random_network


def network(cell: str = "lstm", layers: int = 2) -> Network:
    return random_network(np.random.default_rng(91), NetworkConfig(7, 5, layers, cell))


def text(length: int) -> IdArray:
    ids: IdArray = np.random.default_rng(92).integers(7, size=length).astype(np.uint8)
    return ids


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def test_states_of_an_lstm_by_its_equations() -> None:
    one = network(layers=1)
    W, U = one.parameters["W0"], one.parameters["U0"]
    seen = read(one, text(9), ("h", "c", "o", "i", "f", "g")).states
    h: Array = np.zeros(5)
    c: Array = np.zeros(5)
    for t, symbol in enumerate(text(9).tolist()):
        a = (W @ h + U[:, symbol] + U[:, -1]).reshape(4, 5)
        (o, i, f), g = sigmoid(a[:3]), np.tanh(a[3])
        c = f * c + i * g
        h = o * np.tanh(c)
        for name, expected in (("h", h), ("c", c), ("o", o), ("i", i), ("f", f), ("g", g)):
            np.testing.assert_allclose(seen[name][0, t], expected, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("cell", CELLS)
def test_h_is_what_a_window_makes_of_it(cell: str) -> None:
    one = network(cell)
    ids = text(6)
    workspace = one.workspace(6, 1)
    workspace.forward(ids[:, np.newaxis])
    names = state_names(one.config)
    seen = read(one, ids, names).states
    assert {array.shape for array in seen.values()} == {(2, 6, 5)}
    for layer in range(2):
        expected = workspace.layers[layer].output[:, :5]
        np.testing.assert_allclose(seen["h"][layer], expected, atol=1e-6)


def test_losses_and_predictions() -> None:
    one = network()
    ids = text(30)
    expected = one.workspace(29, 1).losses(ids[:-1, np.newaxis], ids[1:, np.newaxis])[:, 0]
    reading = read(one, ids, predictions=True)
    np.testing.assert_allclose(reading.losses[:-1], expected, rtol=1e-9)
    assert np.isnan(reading.losses[-1])
    stepper = Stepper(one, 1)
    for t in range(30):
        p = np.exp(stepper.step(ids[t : t + 1])[:, 0])
        p /= p.sum()
        order = np.argsort(-p)[:5]
        np.testing.assert_array_equal(reading.predicted[t], order)
        np.testing.assert_allclose(reading.probabilities[t], p[order], rtol=1e-5)


def test_a_long_text_is_read_in_parts_as_if_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    one = network()
    ids, before = text(300), text(50)[::-1]
    monkeypatch.setattr(module, "STREAM_WARM_UP", 200)
    whole = read(one, ids, ("h", "c"), before=before, predictions=True)
    monkeypatch.setattr(module, "STREAM_WARM_UP", 40)
    monkeypatch.setattr(module, "WARM_UPS", 1)
    parts = read(one, ids, ("h", "c"), before=before, predictions=True)
    for name, array in whole.states.items():
        np.testing.assert_allclose(parts.states[name], array, atol=5e-3)
    np.testing.assert_allclose(parts.losses, whole.losses, rtol=1e-2)
    np.testing.assert_array_equal(parts.predicted[:, 0], whole.predicted[:, 0])
    without = read(one, ids, ("h",))
    assert abs(without.states["h"][0, 0] - whole.states["h"][0, 0]).max() > 0.01
    np.testing.assert_allclose(without.states["h"][0, -1], whole.states["h"][0, -1], atol=5e-3)


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STREAM_WARM_UP", 10)
    monkeypatch.setattr(module, "STREAMS_PER_THREAD", 4)
    ids = text(300)
    one, *others = (
        read(network(), ids, ("h", "c"), predictions=True, threads=threads)
        for threads in (1, 2, 5, None)
    )
    for other in others:
        assert np.array_equal(other.losses, one.losses, equal_nan=True)
        assert np.array_equal(other.states["c"], one.states["c"])
        assert np.array_equal(other.probabilities, one.probabilities)


def test_an_improbable_symbol_has_a_finite_loss() -> None:
    """Its probability is 0 in every floating-point format there is."""
    one = network()
    one.parameters["V"][:] = 0
    one.parameters["V"][2, -1] = 2000
    ids = np.array([2, 3, 2])
    assert read(one, ids).losses[:2].tolist() == [2000, 0]
    pieces = side_by_side(ids[np.newaxis], 0)
    assert losses_with_held_units(one, *pieces, [{(0, 1): 0.0}]).tolist() == [[[2000, 0]]]


def test_no_text() -> None:
    assert read(network(), text(0), ("h",), predictions=True).states["h"].shape == (2, 0, 5)


def test_a_library_user_gets_arrays_by_state_and_layer() -> None:
    vocabulary = Vocabulary(np.arange(97, 104, dtype=np.uint32))
    model = Model(network(), vocabulary)
    seen = activations(model, "abcabc")
    assert set(seen) == {"h", "c", "o", "i", "f", "g"}
    assert seen["c"][0].shape == (6, 5)
    assert set(activations(model, "abc", ["i"])) == {"i"}
    with pytest.raises(UnknownSymbolError):
        activations(model, "xyz")
    with pytest.raises(OptionError, match="has no state 'z': choose from h, c, o, i, f, g"):
        activations(model, "abc", ["z"])
    with pytest.raises(OptionError, match=r"choose from h$"):
        activations(Model(network("rnn"), vocabulary), "abc", ["c"])


def side_by_side(pieces: IdArray, warm_up: int) -> tuple[IdArray, Streams]:
    """Pieces (B, N + 1) of text as one text, and the streams that read them."""
    B, size = pieces.shape
    begins = np.arange(B) * size
    return pieces.reshape(-1), Streams(begins, begins + warm_up, begins + size - 1)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layer", [0, 1])
def test_a_unit_that_is_held(cell: str, layer: int) -> None:
    """By hand: after each step its memory is set, and what follows from it computed."""
    one = network(cell)
    ids = np.stack([text(9), text(9)[::-1]])
    found = losses_with_held_units(one, *side_by_side(ids, 2), [{(layer, 3): 0.6}, {}])
    assert found.shape == (2, 2, 6)
    free = [one.workspace(8, 1).losses(row[:-1, np.newaxis], row[1:, np.newaxis]) for row in ids]
    np.testing.assert_allclose(found[1], np.array(free)[:, 2:, 0], rtol=1e-9)
    expected = []
    for row in ids:
        workspace = one.workspace(1, 1)
        for t in range(8):
            # the layers above have seen h before it is held: so do this step again
            before = workspace.state
            workspace.forward(row[t : t + 1, np.newaxis])
            lower = workspace.state
            if cell.startswith("lstm"):
                c = lower[layer, 1, 3, 0]
                o = lower[layer, 0, 3, 0] / np.tanh(c)
                if cell == "lstm-peephole":  # o reads the c that is held
                    p_o = one.parameters[f"P{layer}"][0, 3]
                    o = 1 / (1 + (1 / o - 1) * np.exp(-p_o * (np.arctanh(0.6) - c)))
                lower[layer, :, 3, 0] = o * 0.6, np.arctanh(0.6)
            else:
                lower[layer, 0, 3, 0] = 0.6
            state, z = upper(one, before, lower, layer)
            workspace.state = state
            expected.append(np.log(np.exp(z).sum()) - z[row[t + 1]])
    np.testing.assert_allclose(
        found[0], np.array(expected).reshape(2, 8)[:, 2:], rtol=1e-9, err_msg=cell
    )


def upper(one: Network, before: Array, lower: Array, layer: int) -> tuple[Array, Array]:
    """The state after a step in which a layer's own is `lower`, and the logits (V,)."""
    weights = one.parameters
    if layer == 0:
        # a network of the upper layer alone, to which h comes as a symbol with these weights
        config = NetworkConfig(2, 5, 1, one.config.cell)
        alone = Network.create(config, np.random.default_rng(0), np.float64)
        U1 = weights["U1"]
        alone.parameters["W0"][:] = weights["W1"]
        alone.parameters["U0"][:, 0] = U1[:, :-1] @ lower[0, 0, :, 0]
        alone.parameters["U0"][:, -1] = U1[:, -1]
        if "P1" in weights.shapes:
            alone.parameters["P0"][:] = weights["P1"]
        workspace = alone.workspace(1, 1)
        workspace.state = before[1:]
        workspace.forward(np.zeros((1, 1), int))
        lower = np.concatenate([lower[:1], workspace.state])
    return lower, weights["V"][:, :-1] @ lower[1, 0, :, 0] + weights["V"][:, -1]


def test_readings_are_held_apart() -> None:
    one = network()
    ids, _ = random_ids(np.random.default_rng(93), one.config, 12, 4)
    held = [{(0, 1): 0.5}, {(1, 2): -0.9}, {(0, 4): 0.1, (1, 2): -0.9, (0, 1): 0.5}]
    pieces = side_by_side(ids.T, 3)
    together = losses_with_held_units(one, *pieces, held)
    for n, units in enumerate(held):
        alone = losses_with_held_units(one, *pieces, [units])
        np.testing.assert_allclose(together[n], alone[0], rtol=1e-9)


def test_units_that_are_held_together() -> None:
    """Without outgoing weights, holding a unit changes nothing; so of three units that are held
    at once, one that is heard counts alone, and a second one that is heard makes a difference."""
    one = network()
    one.parameters["V"][:, 2] = one.parameters["W1"][:, 2] = 0
    pieces = side_by_side(np.stack([text(9), text(9)[::-1]]), 2)
    heard, both, deaf = losses_with_held_units(
        one, *pieces, [{(1, 3): 0.6}, {(1, 3): 0.6, (1, 4): -0.6}, {(1, 3): 0.6, (1, 2): 0.9}]
    )
    np.testing.assert_allclose(deaf, heard, rtol=1e-12)
    assert np.abs(both - heard).min() > 1e-6
