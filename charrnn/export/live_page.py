"""A model as one self-contained HTML page: the visitor's browser runs the network.

The page writes, reads, colours text by surprise or by a unit, and holds units at values. Its
weights are in it as base64, which takes 4/3 of their bytes.
"""

import re
from collections.abc import Iterator, Sequence
from string import Template
from typing import Any

import numpy as np

from charrnn.checkpoints.format import Checkpoint
from charrnn.errors import OptionError
from charrnn.export.kernel import kernel
from charrnn.export.neurons_file import Neuron
from charrnn.render.document import (
    base64_of,
    document,
    embedded_json,
    legend,
    part,
    shade_rules,
    text,
)
from charrnn.text.display import shown_symbols
from charrnn.text.vocabulary import Vocabulary
from charrnn.types import Array

PALETTE = "blue-red"
MOST_SYMBOLS = 20_000
"""Symbols of a text that the page keeps."""
LARGEST_FLOAT16 = 65504.0
PAGE_SCRIPTS = ("symbols.js", "neuron_list.js", "live.js")
NETWORK_SCRIPTS = (
    "activations.js",
    "cells.js",
    "products.js",
    "network.js",
    "sampling.js",
    "weights.js",
)
WORKER_SCRIPTS = (*NETWORK_SCRIPTS, "worker.js")


def live_page(
    checkpoint: Checkpoint,
    *,
    title: str,
    neurons: Sequence[Neuron] = (),
    float16: bool = False,
) -> str:
    """The page of a model, with `neurons` in its list. With `float16`, the weights have 11 bits of
    precision instead of 24, and half the size.

    Raises OptionError for weights that float16 cannot hold, and for a cell that has no JavaScript.
    """
    if checkpoint.config.cell not in cells():
        raise OptionError(
            f"the cell {checkpoint.config.cell} cannot run in a page: cells.js has only "
            f"{', '.join(cells())}"
        )
    return document(
        title=f"{title} · charrnn",
        style=part("page.css") + _part("live.css") + shade_rules(PALETTE),
        body=[_body(checkpoint, title, neurons)],
        data=[
            ("model", "application/json", embedded_json(_model(checkpoint, neurons, float16))),
            ("weights", "application/octet-stream", base64_of(_weights(checkpoint, float16))),
            ("program", "text/plain", '"use strict";\n' + "\n".join(map(_part, WORKER_SCRIPTS))),
        ],
        script="\n".join((part("elements.js"), part("text_view.js"), *map(_part, PAGE_SCRIPTS))),
        script_sources=" 'wasm-unsafe-eval'",
        policy="worker-src blob:; ",
    )


def cells() -> list[str]:
    """The names of the cells that the page knows."""
    return re.findall(r'^  "?([\w-]+)"?: \{$', _part("cells.js"), re.MULTILINE)


def _part(name: str) -> str:
    return part(name, "charrnn.export")


def _body(checkpoint: Checkpoint, title: str, neurons: Sequence[Neuron]) -> str:
    config = checkpoint.config
    last = f"L{config.layers - 1}:{config.hidden_size - 1}"
    return Template(_part("live.html")).substitute(
        title=text(title),
        facts=text(" · ".join(_facts(checkpoint))),
        legend=legend(),
        most=MOST_SYMBOLS,
        symbols=config.vocabulary_size,
        side=" The right end is the side of its feature." if neurons else "",
        units=f"any unit from L0:0 to {last}",
    )


def _facts(checkpoint: Checkpoint) -> Iterator[str]:
    config, vocabulary = checkpoint.config, checkpoint.vocabulary
    layers = "1 layer" if config.layers == 1 else f"{config.layers} layers"
    yield f"{config.cell}, {layers} of {config.hidden_size} units"
    yield f"{vocabulary.size:,} {vocabulary.kind}"
    yield f"{config.size:,} weights"
    corpus = checkpoint.training.get("corpus")
    if isinstance(corpus, dict) and isinstance(corpus.get("name"), str):
        yield f"trained on {corpus['name']}"


def _model(checkpoint: Checkpoint, neurons: Sequence[Neuron], float16: bool) -> dict[str, Any]:
    """What the scripts read, but for the weights."""
    vocabulary = checkpoint.vocabulary
    line_ends = vocabulary.encode("\n", unknown="skip").tolist()
    return {
        "network": checkpoint.config.to_dict(),
        "dtype": "float16" if float16 else "float32",
        "kernel": base64_of(np.frombuffer(kernel(), np.uint8)),
        "is_bytes": vocabulary.is_bytes,
        "symbols": base64_of(vocabulary.symbols.astype("<u4")),
        "named": _named(vocabulary),
        "line_end": line_ends[0] if line_ends else None,
        "most": MOST_SYMBOLS,
        "neurons": [neuron.to_json() for neuron in neurons],
    }


def _named(vocabulary: Vocabulary) -> dict[int, str]:
    """How the symbols are shown, by id, where that is not as they are."""
    names = enumerate(shown_symbols(vocabulary))
    return {id: name for id, name in names if name != chr(vocabulary.symbols[id])}


def _weights(checkpoint: Checkpoint, float16: bool) -> Array:
    """The weights (P,), little-endian."""
    weights = checkpoint.weights
    if not float16:
        return weights.astype("<f4")
    if np.abs(weights).max() > LARGEST_FLOAT16:
        raise OptionError(
            f"`float16` cannot hold weights beyond ±{LARGEST_FLOAT16:g}: leave it out"
        )
    return weights.astype("<f2")
