"""The walkthrough: its blocks run, print what they promise, and agree with the engine."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.analysis.gradient_flow import gradient_flow
from charrnn.model import Model
from charrnn.nn.network import Network, NetworkConfig
from charrnn.nn.parameters import Parameters
from charrnn.optim.optimizers import Adam
from charrnn.text.vocabulary import Vocabulary, code_points
from charrnn.types import Array

PAGE = Path(__file__).resolve().parents[1] / "docs" / "walkthrough.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
PROMISE = re.compile(r"^ *print\(.*\)  # (.*)$", re.MULTILINE)
Weights = dict[str, Any]


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """The names that the page leaves behind; every block has printed what its comments say."""
    names: dict[str, Any] = {}
    for block in BLOCKS:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(block, names)
        assert printed.getvalue().splitlines() == PROMISE.findall(block)
    return names


def network_of(weights: Weights, cell: str) -> Network:
    """The engine's network with the page's weights: a bias is the last column of its matrix."""
    symbols, hidden_size = weights["V"].shape
    config = NetworkConfig(symbols, hidden_size, layers=1, cell=cell)
    network = Network(config, Parameters(config.shapes(), np.float64))
    for name, array in joined(weights).items():
        network.parameters[name][:] = array
    return network


def joined(arrays: Weights) -> dict[str, Array]:
    """Weights, or their gradient, with the engine's names and shapes."""
    return {
        "W0": arrays["W"],
        "U0": np.column_stack([arrays["U"], arrays["b"]]),
        "V": np.column_stack([arrays["V"], arrays["d"]]),
    }


def weights_far_from_zero(page: dict[str, Any], gates: int) -> Weights:
    """Biases as well, so that each of them matters."""
    rng = np.random.default_rng(3)
    return {name: rng.normal(0, 0.6, w.shape) for name, w in page["new_weights"](gates).items()}


def test_every_section_with_code_prints_something_that_is_checked() -> None:
    assert len(BLOCKS) >= 14
    assert sum(len(PROMISE.findall(block)) for block in BLOCKS) >= 14
    assert sum(block.count("print(") for block in BLOCKS) == sum(
        len(PROMISE.findall(block)) for block in BLOCKS
    )


def test_the_blocks_print_what_the_page_says(page: dict[str, Any]) -> None:
    assert page["losses"][-1] < 2 / 6 * np.log(2)  # what no network without memory reaches


@pytest.mark.parametrize(("cell", "gates"), [("rnn", 1), ("lstm", 4)])
def test_loss_and_gradients_are_those_of_the_engine(
    page: dict[str, Any], cell: str, gates: int
) -> None:
    weights = weights_far_from_zero(page, gates)
    ids = np.random.default_rng(4).integers(len(page["symbols"]), size=30)
    loss, *tape = page["forward"](page[f"{cell}_step"], ids, weights)
    d = page["backward"](page[f"{cell}_step_backward"], ids, *tape, weights)

    network = network_of(weights, cell)
    workspace = network.workspace(len(ids) - 1, 1, training=True)
    losses = workspace.losses(ids[:-1, np.newaxis], ids[1:, np.newaxis])
    gradient = network.parameters.zeros_like()
    workspace.backward(gradient, 1 / losses.size)

    assert losses.mean() == pytest.approx(loss, rel=0, abs=1e-10)
    for name, expected in joined(d).items():
        assert np.abs(expected).max() > 1e-3
        np.testing.assert_allclose(gradient[name], expected, rtol=0, atol=1e-10)


def test_the_vanishing_gradient_is_that_of_gradient_flow(page: dict[str, Any]) -> None:
    """A text of K + 2 symbols has one place from which to look K steps back."""
    ids = np.array(page["ids"])
    (norms,) = gradient_flow(network_of(page["rnn"], "rnn"), ids, reach=len(ids) - 2)
    np.testing.assert_allclose(page["norms"], norms, rtol=1e-10, atol=0)
    assert norms[40] < 1e-12 * norms[0]


def test_clipping_shortens_a_long_gradient_and_leaves_a_short_one(page: dict[str, Any]) -> None:
    d = {"U": np.array([[3.0, 0.0]]), "b": np.array([4.0])}
    page["clip"](d, 10)
    assert (d["U"][0, 0], d["b"][0]) == (3, 4)
    page["clip"](d, 1)
    assert (d["U"][0, 0], d["b"][0]) == pytest.approx((0.6, 0.8))


def test_adam_takes_the_steps_of_the_engine(page: dict[str, Any]) -> None:
    rng = np.random.default_rng(5)
    weights = {"U": rng.normal(size=(4, 3)), "b": rng.normal(size=5)}
    flat = np.concatenate([weights["U"].ravel(), weights["b"]])
    start, optimizer = flat.copy(), Adam(flat)
    m, v = ({name: np.zeros_like(w) for name, w in weights.items()} for _ in range(2))
    for n in range(1, 4):
        gradient = rng.normal(size=flat.size)
        d = {"U": gradient[:12].reshape(4, 3), "b": gradient[12:]}
        page["adam_step"](weights, d, m, v, n, rate=0.02)
        optimizer.update(n, flat, gradient.copy(), 0.02, slice(None), np.empty_like(flat))
        ours = np.concatenate([weights["U"].ravel(), weights["b"]])
        np.testing.assert_allclose(ours, flat, rtol=0, atol=1e-10)
    assert np.abs(flat - start).min() > 1e-3


@pytest.mark.parametrize("trained", [True, False])
def test_greedy_sampling_writes_what_the_model_writes(page: dict[str, Any], trained: bool) -> None:
    weights = page["lstm"] if trained else weights_far_from_zero(page, 4)
    vocabulary = Vocabulary(code_points("".join(page["symbols"])))
    model = Model(network_of(weights, "lstm"), vocabulary)
    ours = page["sample"]("he", 40, 0, weights)
    assert ours == "he" + model.sample(40, temperature=0, prime="he")


def test_sampling_draws_by_the_probabilities(page: dict[str, Any]) -> None:
    """At temperature 1: the share of each first character is its probability."""
    weights = weights_far_from_zero(page, 4)
    h = page["lstm_step"](page["one_hot"][2], page["start"], weights)["h"]
    for temperature in (1.0, 2.0):
        drawn = [page["sample"]("h", 1, temperature, weights)[1] for _ in range(4000)]
        shares = [drawn.count(symbol) / len(drawn) for symbol in page["symbols"]]
        p = page["predict"](h, weights) ** (1 / temperature)
        np.testing.assert_allclose(shares, p / p.sum(), atol=0.04)
