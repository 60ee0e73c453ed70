"""The network in JavaScript, in a browser: its numbers beside those of NumPy."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browsers import Opened, launched
from charrnn.export.live_page import NETWORK_SCRIPTS, live_page
from charrnn.nn.cells import CELLS
from charrnn.nn.single_step import Stepper
from charrnn.sampling.filters import Filters
from charrnn.sampling.options import SamplingOptions
from exported import TEXT, checkpoint, xoshiro

RUN = "".join((files("charrnn.export") / name).read_text() for name in NETWORK_SCRIPTS)
LOADED = """
const text = (id) => document.getElementById(id).textContent;
const model = JSON.parse(text("model"));
const weights = decoded(text("weights"), model.dtype);
const network = new Network(model.network, weights, decodedBytes(model.kernel));
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from launched()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_logits_and_states_are_those_of_numpy(
    browser: Any, tmp_path: Path, cell: str, layers: int
) -> None:
    model = checkpoint(cell, layers=layers)
    ids = model.vocabulary.encode(TEXT[:1000])
    page = Opened(browser, tmp_path, live_page(model, title="a"))
    found = page.tab.evaluate(
        "(ids) => {" + RUN + LOADED + "return ids.map((id) => "
        "({ logits: [...network.step(id)], state: [...network.state] }));}",
        ids.tolist(),
    )
    stepper = Stepper(model.network(), 1)
    for id, step in zip(ids, found, strict=True):
        logits = stepper.step(np.array([id]))[:, 0]
        np.testing.assert_allclose(step["logits"], logits, atol=1e-4)
        states = []
        for layer in range(layers):
            states.append(stepper.state(layer, "h"))
            if model.config.cell_type.memories:
                states.append(stepper.state(layer, "c"))
        np.testing.assert_allclose(step["state"], np.concatenate(states, axis=1)[0], atol=1e-4)
    page.check()


@pytest.mark.parametrize(
    "rules",
    [
        {"temperature": 0.5},
        {"temperature": 1.7, "top_k": 7},
        {"temperature": 1, "top_p": 0.6},
        {"temperature": 0.9, "min_p": 0.05},
        {"temperature": 1.2, "top_k": 9, "top_p": 0.8, "min_p": 0.02},
        {"temperature": 1e-9},
    ],
    ids=str,
)
def test_the_filters_are_those_of_numpy(
    browser: Any, tmp_path: Path, rules: dict[str, float]
) -> None:
    model = checkpoint()
    V = model.vocabulary.size
    logits = np.random.default_rng(5).normal(0, 2, (V, 40)).astype(np.float32)
    logits[::3, :20] = logits[0, :20]  # equals
    page = Opened(browser, tmp_path, live_page(model, title="a"))
    rules = {"temperature": 1, "top_k": 0, "top_p": 1, "min_p": 0} | rules
    found = page.tab.evaluate(
        "([rows, rules]) => {"
        + RUN
        + """
        const chooser = new Chooser(rows[0].length);
        return rows.map((row) => { chooser.weigh(row, rules); return [...chooser.p]; }); }""",
        [logits.T.tolist(), rules],
    )
    p = np.array(found).T
    options = SamplingOptions(**rules)  # type: ignore[arg-type]
    np.testing.assert_allclose(p / p.sum(axis=0), Filters(options).probabilities(logits), atol=1e-9)


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_random_numbers(browser: Any, tmp_path: Path, seed: int) -> None:
    page = Opened(browser, tmp_path, live_page(checkpoint(), title="a"))
    found = page.tab.evaluate(
        "(seed) => {" + RUN + "const random = new Random(seed);"
        "return Array.from({ length: 1000 }, () => random.next()); }",
        seed,
    )
    numbers = xoshiro(seed)
    assert found == [next(numbers) for _ in range(1000)]
    assert abs(np.mean(found) - 0.5) < 0.03


def test_exp_and_tanh_are_exact_enough(browser: Any, tmp_path: Path) -> None:
    page = Opened(browser, tmp_path, live_page(checkpoint(), title="a"))
    x = np.concatenate([np.linspace(-30, 30, 4001), [0, -700, 700, 1e-9, -1e-9]])
    found = page.tab.evaluate(
        "(x) => {" + RUN + "return [x.map(exp), x.map(tanh), x.map(sigmoid)]; }", x.tolist()
    )
    np.testing.assert_allclose(found[0], np.exp(x), rtol=1e-11)
    np.testing.assert_allclose(found[1], np.tanh(x), atol=1e-11)
    np.testing.assert_allclose(found[2], 1 / (1 + np.exp(-x)), rtol=1e-11)
    v = np.concatenate([np.linspace(-0.999, 0.999, 999), [-0.9999, 0.9999, 0]])
    found = page.tab.evaluate("(v) => {" + RUN + "return v.map(artanh); }", v.tolist())
    np.testing.assert_allclose(found, np.arctanh(v), atol=1e-6)
    extremes = page.tab.evaluate("() => {" + RUN + "return [-1e9, 1e9].map(tanh); }")
    assert extremes == [-1, 1]


def test_float16(browser: Any, tmp_path: Path) -> None:
    model = checkpoint()
    weights = model.weights.copy()
    weights[:5] = [0, 6e-8, -3e-5, 65504, -1 / 3]  # also numbers without a leading one
    page = Opened(
        browser, tmp_path, live_page(replace(model, weights=weights), title="a", float16=True)
    )
    found = page.tab.evaluate(
        "() => {" + RUN + "const text = (id) => document.getElementById(id).textContent;"
        "return [...decoded(text('weights'), 'float16')]; }"
    )
    np.testing.assert_array_equal(found, weights.astype(np.float16))
    page.check()
