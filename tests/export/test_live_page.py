"""The page that writes, without a browser."""

import base64
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from charrnn.errors import OptionError
from charrnn.export.live_page import cells, live_page
from charrnn.nn.cells import CELLS
from exported import NEURONS, checkpoint
from reports import HOSTILE


def element(html: str, name: str) -> str:
    (content,) = re.findall(rf'<script type="[\w/-]+" id="{name}">(.*?)</script>', html, re.S)
    return str(content)


def model_of(html: str) -> dict[str, Any]:
    model: dict[str, Any] = json.loads(element(html, "model"))
    return model


def test_the_same_model_makes_the_same_page() -> None:
    assert live_page(checkpoint(), title="a") == live_page(checkpoint(), title="a")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("float16", [False, True])
def test_the_weights_are_in_it(cell: str, float16: bool) -> None:
    model = checkpoint(cell)
    html = live_page(model, title="a", float16=float16)
    kind = "<f2" if float16 else "<f4"
    found = np.frombuffer(base64.b64decode(element(html, "weights")), kind)
    np.testing.assert_array_equal(found, model.weights.astype(kind))
    assert model_of(html)["dtype"] == ("float16" if float16 else "float32")
    assert model_of(html)["network"] == model.config.to_dict()


@pytest.mark.parametrize("hidden_size", [2, 64])
@pytest.mark.parametrize("float16", [False, True])
def test_it_is_small(hidden_size: int, float16: bool) -> None:
    model = checkpoint(hidden_size=hidden_size)
    size = model.config.size * (2 if float16 else 4)
    html = live_page(model, title="a", neurons=NEURONS * 50, float16=float16)
    assert len(html.encode()) <= 1.4 * size + 100_000


def test_only_its_own_style_script_and_worker_are_allowed() -> None:
    html = live_page(checkpoint(), title="a", neurons=NEURONS)
    (policy,) = re.findall('Content-Security-Policy" content="(.*?)"', html)
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/]+='; script-src 'sha256-[\w+/]+='"
        r" 'wasm-unsafe-eval'; worker-src blob:; base-uri 'none'; form-action 'none'",
        policy,
    )
    assert not re.search(r"<[^>]* (style|on\w+)=", html), "which the policy forbids"
    assert not re.search(r"(src|href)=\"", html), "nothing comes from elsewhere"
    assert re.findall("https?://[^\"' ]*", html) == ["http://www.w3.org/2000/svg"], "a name"


@pytest.mark.parametrize("where", ["title", "corpus", "neuron", "vocabulary"])
def test_hostile_text_stays_text(where: str) -> None:
    known = HOSTILE.encode("utf-8", "replace").decode()
    model = checkpoint(text=known) if where == "vocabulary" else checkpoint()
    if where == "corpus":
        model = replace(model, training={"corpus": {"name": HOSTILE}})
    neurons = [replace(NEURONS[0], feature=HOSTILE, label=HOSTILE)] if where == "neuron" else []
    html = live_page(model, title=HOSTILE if where == "title" else "a", neurons=neurons)
    html.encode("utf-8")  # without lone surrogates
    assert len(re.findall("<script", html)) == html.count("</script") == 4
    assert "<img" not in html
    assert "<!--" not in html
    assert model_of(html)["neurons"] == [neuron.to_json() for neuron in neurons]


def test_symbols_are_named_where_they_cannot_be_shown() -> None:
    html = live_page(checkpoint(text="a \n\u202e"), title="a")
    assert model_of(html)["named"] == {"0": "↵", "1": "·", "3": "‹202E›"}
    html = live_page(checkpoint(text="aé".encode()), title="a")
    assert model_of(html)["named"] == {"1": "‹A9›", "2": "‹C3›"}
    assert model_of(html)["line_end"] is None


def test_weights_that_float16_cannot_hold() -> None:
    model = checkpoint()
    weights = model.weights.copy()
    weights[7] = 70_000
    with pytest.raises(OptionError, match="`float16` cannot hold weights beyond ±65504"):
        live_page(replace(model, weights=weights), title="a", float16=True)


def test_every_cell_has_its_step_in_javascript() -> None:
    assert cells() == list(CELLS)


@pytest.mark.usefixtures("toy_cells")
def test_a_cell_without_javascript() -> None:
    name = next(name for name in CELLS if name not in cells())
    with pytest.raises(OptionError, match=f"the cell {name} cannot run in a page"):
        live_page(checkpoint(name), title="a")
