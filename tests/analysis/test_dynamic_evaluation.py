"""Dynamic evaluation: beside a plain loop of the equations, and with no look ahead."""

import numpy as np
import pytest

from charrnn.analysis.dynamic_evaluation import Adaptation, adapting_losses
from charrnn.errors import OptionError
from charrnn.nn.cells import CELLS
from charrnn.nn.network import Network, NetworkConfig
from charrnn.nn.parameters import Parameters
from reference import random_network

RNG = np.random.default_rng(411)
TEXT = RNG.integers(0, 5, 47)
HOW = Adaptation(rate=0.01, decay=0.05, steps=10, clip=0.5)


def example(cell: str = "lstm") -> Network:
    return random_network(np.random.default_rng(412), NetworkConfig(5, 6, 2, cell))


def plain(network: Network, text: np.ndarray, how: Adaptation) -> list[float]:
    """The same, window by window, with fresh arrays each time."""
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
        v = how.beta * v + (1 - how.beta) * g**2
        w = w - how.rate * g / (np.sqrt(v / (1 - how.beta**n)) + how.epsilon)
        w = w + how.decay * (home - w)
    return losses


@pytest.mark.parametrize("cell", CELLS)
def test_by_the_equations(cell: str) -> None:
    network = example(cell)
    before = network.parameters.flat.copy()
    found = adapting_losses(network, TEXT, HOW)
    np.testing.assert_allclose(found, plain(network, TEXT, HOW), rtol=1e-9)
    assert np.array_equal(network.parameters.flat, before), "the model stays as it is"


def test_no_symbol_has_a_say_in_its_own_prediction() -> None:
    whole = adapting_losses(example(), TEXT, HOW)
    for place in (3, 10, 11, 30, 46):
        other = TEXT.copy()
        other[place] = (other[place] + 1) % 5
        changed = adapting_losses(example(), other, HOW)
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
