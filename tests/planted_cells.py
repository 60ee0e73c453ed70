"""Networks made by hand, with a cell of which all is known: it follows quotes.

At “ its c rises to `RISE`, with every other character it decays by the factor `KEPT`, and at ” it
is forgotten. Where it is held high, the network writes “ and no ”; where it is held low, ” and
no “.
"""

import numpy as np

from charrnn.model import Model
from charrnn.nn.network import Network, NetworkConfig
from charrnn.nn.parameters import Parameters
from charrnn.text.corpus import Corpus
from charrnn.text.vocabulary import Vocabulary
from charrnn.types import Array

OPENING, CLOSING = "“", "”"
RISE = float(np.tanh(0.3))
KEPT = 0.99
STAYS_OPEN = float(np.log(KEPT / (1 - KEPT)))
"""Pre-activation of the forget gate for which σ is `KEPT`."""
HIDDEN = 8
OUTPUT, INPUT, FORGET, CANDIDATE = range(4)
"""Gates of an LSTM, in their order."""
FIRST, READER = (0, 3), (1, 5)
"""The planted cell in the first layer, and the one cell that reads it."""
SECOND, OPENER, CLOSER = (1, 4), (0, 2), (0, 6)
"""The planted cell in the second layer, and those that open its input gate, and close its forget
gate."""


def text(length: int = 90_000, seed: int = 1) -> str:
    """Random words, with quotes of 60 to 150 characters, 40 to 120 characters apart."""
    rng = np.random.default_rng([171, seed])
    parts: list[str] = []
    size = 0
    while size < length:
        outside, inside = (
            "".join(rng.choice(list("abcdefgh  "), count))
            for count in (rng.integers(40, 120), rng.integers(60, 150))
        )
        parts += [outside, OPENING, inside, CLOSING]
        size += len(outside) + len(inside) + 2
    return "".join(parts)[:length]


def vocabulary() -> Vocabulary:
    return Corpus.from_text(text(2000)).vocabulary


def model(layer: int) -> Model:
    """The network with the planted cell in a layer; its other cells have small random weights."""
    symbols = vocabulary()
    config = NetworkConfig(symbols.size, HIDDEN, 2)
    network = Network.create(config, np.random.default_rng(172))
    weights = network.parameters
    weights["W1"][:] *= 0.3
    weights["V"][:] = 0
    opening, closing = symbols.encode(OPENING + CLOSING).tolist()
    if layer == 0:
        silence(weights, FIRST)
        rows(weights, FIRST, INPUT)[[opening, -1]] = 40, -20
        rows(weights, FIRST, FORGET)[[closing, -1]] = -20, STAYS_OPEN
        copy(weights, FIRST, READER)
    else:
        for unit, symbol in ((OPENER, opening), (CLOSER, closing)):
            silence(weights, unit)
            detect(weights, unit, symbol)
        silence(weights, SECOND)
        source = np.eye(HIDDEN)
        rows(weights, SECOND, INPUT)[:HIDDEN] = 60 * source[OPENER[1]]
        rows(weights, SECOND, INPUT)[HIDDEN] = -20
        rows(weights, SECOND, FORGET)[:HIDDEN] = -60 * source[CLOSER[1]]
        rows(weights, SECOND, FORGET)[HIDDEN] = STAYS_OPEN
    written = READER if layer == 0 else SECOND
    weights["V"][opening, [written[1], -1]] = 6, -4
    weights["V"][closing, [written[1], -1]] = -6, -4
    return Model(network, symbols)


def rows(weights: Parameters, cell: tuple[int, int], gate: int) -> Array:
    """The input weights of a gate of a cell, with the bias at the end: a view."""
    layer, unit = cell
    view: Array = weights[f"U{layer}"][gate * HIDDEN + unit]
    return view


def silence(weights: Parameters, cell: tuple[int, int]) -> None:
    """No inputs at all; the output gate is open, and the candidate is that of the planted cell."""
    layer, unit = cell
    for gate in range(4):
        weights[f"W{layer}"][gate * HIDDEN + unit] = 0
        rows(weights, cell, gate)[:] = 0
    rows(weights, cell, OUTPUT)[-1] = 20
    rows(weights, cell, CANDIDATE)[-1] = 0.3


def detect(weights: Parameters, cell: tuple[int, int], symbol: int) -> None:
    """The cell is high right after a symbol, for one character, and 0 otherwise."""
    rows(weights, cell, CANDIDATE)[-1] = 20
    rows(weights, cell, FORGET)[-1] = -20
    rows(weights, cell, INPUT)[[symbol, -1]] = 40, -20


def copy(weights: Parameters, cell: tuple[int, int], reader: tuple[int, int]) -> None:
    """The reader's value is that of the cell of the layer below, amplified."""
    silence(weights, reader)
    rows(weights, reader, INPUT)[-1] = 20
    rows(weights, reader, FORGET)[-1] = -20
    rows(weights, reader, CANDIDATE)[-1] = 0
    rows(weights, reader, CANDIDATE)[cell[1]] = 4
