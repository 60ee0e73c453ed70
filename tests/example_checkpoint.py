"""A small checkpoint, to be written, read, damaged and compared."""

from pathlib import Path
from typing import Any

import numpy as np

from charrnn.checkpoints.atomic_write import write_checkpoint
from charrnn.checkpoints.format import TRAINING_ARRAYS, Checkpoint
from charrnn.nn.network import NetworkConfig
from charrnn.text.vocabulary import Vocabulary

CONFIG = NetworkConfig(vocabulary_size=5, hidden_size=3, layers=2)
TINY = NetworkConfig(vocabulary_size=2, hidden_size=1, layers=1)


def example(config: NetworkConfig = CONFIG, seed: int = 61) -> Checkpoint:
    """A checkpoint in which no two numbers are alike."""
    rng = np.random.default_rng(seed)

    def random(*shape: int) -> Any:
        return rng.normal(size=shape).astype(np.float32)

    symbols = np.array([10, 97, 0xE9, 0x5E8A, 0x1F642], np.uint32)[: config.vocabulary_size]
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(TRAINING_ARRAYS, (config.size,))
    shapes["moments"] = (2, config.size)
    shapes["state"] = (config.layers, 2, config.hidden_size, 4)
    return Checkpoint(
        config,
        Vocabulary(symbols),
        random(config.size),
        {"step": seed, "seconds": 0.1 + 0.2, "best_loss": 1 / 3, "name": "Война"},
        {name: random(*shape) for name, shape in shapes.items()},
    )


def written(path: Path, checkpoint: Checkpoint | None = None) -> bytes:
    write_checkpoint(path, checkpoint or example())
    return path.read_bytes()


def assert_same(one: Checkpoint, other: Checkpoint) -> None:
    assert one.config == other.config
    assert one.vocabulary == other.vocabulary
    assert one.training == other.training
    assert list(one.arrays) == list(other.arrays)
    arrays = zip(one.arrays.values(), other.arrays.values(), strict=True)
    for a, b in [(one.weights, other.weights), *arrays]:
        assert a.dtype == b.dtype == np.float32
        np.testing.assert_array_equal(a, b)
