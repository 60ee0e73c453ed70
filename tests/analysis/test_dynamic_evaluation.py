"""Dynamic evaluation: beside a plain loop of the equations, and with no look ahead."""

from dataclasses import replace

import numpy as np
import pytest

from charrnn.analysis import dynamic_evaluation
from charrnn.analysis.dynamic_evaluation import (
    Adaptation,
    adapted_network,
    adapting_losses,
    gradient_scale,
)
from charrnn.errors import OptionError
from charrnn.nn.cells import CELLS
from charrnn.nn.network import Network, NetworkConfig
from charrnn.nn.parameters import Parameters
from reference import random_network

RNG = np.random.default_rng(411)
TEXT = RNG.integers(0, 5, 47)
HOW = Adaptation(rate=0.01, decay=0.05, steps=10, clip=0.5)
TRAINED_ON = RNG.integers(0, 5, 300)
BY_SCALE = replace(HOW, training_text=TRAINED_ON, decay=0.3)


def example(cell: str = "lstm") -> Network:
    return random_network(np.random.default_rng(412), NetworkConfig(5, 6, 2, cell))


def plain(network: Network, text: np.ndarray, how: Adaptation) -> list[float]:
    """The same, window by window, with fresh arrays each time."""
    assert how.rate
    home = network.parameters.flat.copy()
    w, v = home.copy(), np.zeros_like(home)
    state, losses = None, []
    shapes = network.config.shapes()
    for n, start in enumerate(range(0, len(text) - 1, how.steps), start=1):
        ids = text[start : start + how.steps + 1]
        copy = network.with_weights(w.copy())
        workspace = copy.workspace(len(ids) - 1, 1, training=True)
        if state is not None:
            workspace.state = state
        losses += workspace.losses(ids[:-1, None], ids[1:, None])[:, 0].tolist()
        gradient = Parameters(shapes, home.dtype)
        workspace.backward(gradient, 1 / (len(ids) - 1))
        state, g = workspace.state, gradient.flat
        g = g * min(1, how.clip / float(np.linalg.norm(g)))
        scale = how.scale(network)
        if scale is not None:
            w = w - how.rate * g / (scale + scale.mean())
            w = w + np.minimum(how.decay * scale / scale.mean(), 1) * (home - w)
            continue
        v = how.beta * v + (1 - how.beta) * g**2
        w = w - how.rate * g / (np.sqrt(v / (1 - how.beta**n)) + 1e-8)
        w = w + how.decay * (home - w)
    return losses


@pytest.mark.parametrize("block", [dynamic_evaluation.BLOCK, 100])
@pytest.mark.parametrize("how", [HOW, BY_SCALE])
@pytest.mark.parametrize("cell", CELLS)
def test_by_the_equations(
    cell: str, how: Adaptation, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamic_evaluation, "BLOCK", block)
    network = example(cell)
    before = network.parameters.flat.copy()
    found = adapting_losses(network, TEXT, how)
    np.testing.assert_allclose(found, plain(network, TEXT, how), rtol=1e-9)
    assert np.array_equal(network.parameters.flat, before), "the model stays as it is"


def test_the_scale_of_gradients() -> None:
    """Over all windows of a short text: by finite differences of the mean loss of each."""
    network, text, T = example(), TRAINED_ON[:31], 10
    states, workspace = [], network.workspace(T, 1)
    for start in range(0, 30, T):
        states.append(workspace.state)
        workspace.losses(text[start : start + T, None], text[start + 1 : start + T + 1, None])

    def loss(window: int) -> float:
        workspace = network.workspace(T, 1)
        workspace.state = states[window]
        part = text[window * T : window * T + T + 1, None]
        return float(workspace.losses(part[:-1], part[1:]).mean())

    found, w = gradient_scale(network, text, T), network.parameters.flat
    for place in range(0, len(w), 7):
        before, g = w[place], []
        for window in range(3):
            ends = []
            for step in (1e-5, -1e-5):
                w[place] = before + step
                ends.append(loss(window))
            g.append((ends[0] - ends[1]) / 2e-5)
        w[place] = before
        assert found[place] == pytest.approx(np.sqrt(np.mean(np.square(g))), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("length", [11, 12, 30, 81, 300])
def test_the_scale_by_texts_of_every_length(length: int) -> None:
    scale = gradient_scale(example(), TRAINED_ON[:length], 10)
    assert np.isfinite(scale).all()
    assert scale.max() > 0


def test_without_enough_training_text() -> None:
    short = replace(HOW, training_text=TRAINED_ON[:10])
    assert np.array_equal(
        adapting_losses(example(), TEXT, short), adapting_losses(example(), TEXT, HOW)
    )


def test_a_network_that_has_adapted() -> None:
    network = example()
    adapted = adapted_network(network, TEXT, BY_SCALE)
    assert not np.array_equal(adapted.parameters.flat, network.parameters.flat)
    none = adapted_network(network, TEXT[:1], BY_SCALE)
    assert np.array_equal(none.parameters.flat, network.parameters.flat)
    text = np.tile(TEXT[:7], 40)
    learned = adapted_network(network, text, replace(BY_SCALE, rate=0.02, decay=0.0))
    losses = [
        each.workspace(279, 1).losses(text[:-1, None], text[1:, None]).mean()
        for each in (network, learned)
    ]
    assert losses[1] < 0.7 * losses[0]


@pytest.mark.parametrize("how", [HOW, BY_SCALE])
def test_no_symbol_has_a_say_in_its_own_prediction(how: Adaptation) -> None:
    whole = adapting_losses(example(), TEXT, how)
    for place in (3, 10, 11, 30, 46):
        other = TEXT.copy()
        other[place] = (other[place] + 1) % 5
        changed = adapting_losses(example(), other, how)
        assert np.array_equal(changed[: place - 1], whole[: place - 1])
        assert changed[place - 1] != whole[place - 1]


@pytest.mark.parametrize("length", [0, 1, 2, 9, 10, 11, 12])
def test_texts_of_every_length(length: int) -> None:
    assert adapting_losses(example(), TEXT[:length], HOW).shape == (max(length - 1, 0),)


def test_it_learns_a_text_that_repeats_itself() -> None:
    text = np.tile(TEXT[:7], 60)
    losses = adapting_losses(example(), text, Adaptation(rate=0.03, decay=0.0, steps=10))
    assert losses[-70:].mean() < 0.3 * losses[:70].mean()


@pytest.mark.parametrize("rate", [0.0, -1.0, 2.0, float("nan")])
def test_rates_that_make_no_sense(rate: float) -> None:
    with pytest.raises(OptionError, match="`rate` must be above 0 and at most 1"):
        Adaptation(rate)
