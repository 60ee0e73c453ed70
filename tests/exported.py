"""Models to be exported: fresh weights, and a text in symbols that they know."""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from charrnn.checkpoints.format import Checkpoint
from charrnn.export.neurons_file import Neuron
from charrnn.nn.network import Network, NetworkConfig
from charrnn.text.corpus import Corpus

TEXT = (Path(__file__).parents[1] / "corpora" / "wiki.txt").read_text(encoding="utf-8")[:5000]
NEURONS = (
    Neuron(0, 3, "quotes", "state cell", 0.9),
    Neuron(1, 2, "line position", "state cell", -0.7),
)


@functools.cache
def checkpoint(
    cell: str = "lstm",
    *,
    text: str | bytes = TEXT,
    hidden_size: int = 12,
    layers: int = 2,
    name: str = "a text.txt",
) -> Checkpoint:
    """A model of the symbols of a text, with weights that make it lively."""
    vocabulary = Corpus.from_text(text).vocabulary
    config = NetworkConfig(vocabulary.size, hidden_size, layers, cell)
    rng = np.random.default_rng(11)
    network = Network.create(config, rng)
    weights = network.parameters
    for key in weights:
        if key.startswith("P"):
            weights[key][:] = rng.uniform(-0.5, 0.5, weights[key].shape)
    weights.flat *= np.float32(1.5)
    return Checkpoint(config, vocabulary, weights.flat, {"corpus": {"name": name}}, {})


def xoshiro(seed: int) -> Iterator[float]:
    """The page's random numbers, as `docs/export.md` says."""
    mask = 2**32 - 1

    def word(n: int) -> int:
        x = (seed + n * 0x9E3779B9) & mask
        x = (x ^ x >> 16) * 0x85EBCA6B & mask
        x = (x ^ x >> 13) * 0xC2B2AE35 & mask
        return x ^ x >> 16

    def rotated(x: int, by: int) -> int:
        return (x << by | x >> 32 - by) & mask

    a, b, c, d = (word(n) for n in range(1, 5))
    while True:
        yield rotated(b * 5 & mask, 7) * 9 % 2**32 / 2**32
        t = b << 9 & mask
        c ^= a
        d ^= b
        b ^= c
        a ^= d
        c ^= t
        d = rotated(d, 11)
