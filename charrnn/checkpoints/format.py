"""The format of checkpoints, and how they are read.

A checkpoint is one `.npz` file: the best weights, and all that training needs to resume exactly.

| entry   | what                                                                              |
|---------|-----------------------------------------------------------------------------------|
| header  | JSON as bytes: format, version, network, vocabulary, and what training writes      |
| weights | the best weights (P,), in the order of `NetworkConfig.shapes`                     |
| last    | the weights after the last step (P,)                                              |
| moments | the optimizer's vectors (M, P)                                                    |
| state   | what the training streams carry (L, 1 + S, H, B)                                  |
| good    | the weights to go back to after a divergence (P,), where they are not the best    |

Nothing in the file is pickled, and every number of the header has a range
(`charrnn.checkpoints.record_fields`). `charrnn.checkpoints.atomic_write` writes these files.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from charrnn.checkpoints.archive import has_format, read_array, read_header, reading
from charrnn.checkpoints.record_fields import check_fields
from charrnn.errors import CheckpointError
from charrnn.nn.network import Network, NetworkConfig
from charrnn.text.vocabulary import Vocabulary
from charrnn.types import Array

FORMAT = "charrnn"
VERSION = 1
MOST_UNPACKED = 2.0
"""The largest ratio of the size of an array to its size in the file; compression saves a tenth of
the weights of a network."""
TRAINING_ARRAYS = ("last", "moments", "state")
GOOD = "good"
"""The name of a further array, the weights (P,) to go back to after a divergence, where they are
not the best ones."""
WEIGHTS = ("weights", "last", GOOD)
LARGEST_WEIGHT = 1e30
"""A logit sums up less than 1e8 weights times activations from −1 to 1: it stays below the largest
float32, 3.4e38."""


@dataclass(frozen=True)
class Checkpoint:
    """The content of a file. `training` is the header's part that belongs to the training, as JSON;
    `arrays` are those of `TRAINING_ARRAYS` and perhaps `GOOD`, or none where there is only a
    model."""

    config: NetworkConfig
    vocabulary: Vocabulary
    weights: Array
    training: dict[str, Any]
    arrays: dict[str, Array]

    def network(self) -> Network:
        """The network with the best weights."""
        return Network.from_weights(self.config, self.weights)

    def header(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "network": self.config.to_dict(),
            "vocabulary": self.vocabulary.to_json(),
            "training": self.training,
        }


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in `path`. Raises CheckpointError for a file that this version cannot read.

    Memory: the arrays, and at most about 200 MB for the header, whatever the file claims.
    """
    with reading(path, "a charrnn checkpoint") as archive:
        return _read(archive, path)


def _read(archive: zipfile.ZipFile, path: Path) -> Checkpoint:
    header = read_header(archive, FORMAT, VERSION, path)
    config = NetworkConfig(**header["network"])
    vocabulary = Vocabulary.from_json(header["vocabulary"])
    if vocabulary.size != config.vocabulary_size:
        raise ValueError("the vocabulary does not fit the network")
    training = header["training"]
    if not isinstance(training, dict):
        raise ValueError("its training record is not an object")
    try:
        check_fields(training)
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged: in its training, {error}") from error
    size, layer = config.size, (config.layers, config.state_arrays, config.hidden_size)
    # the numbers of moments and of streams depend on the training, which checks them
    shapes = {"last": (size,), "moments": (None, size), "state": (*layer, None), GOOD: (size,)}
    there = [name for name in shapes if f"{name}.npy" in archive.namelist()]
    if there and not set(TRAINING_ARRAYS) <= set(there):
        raise ValueError("a part of its training is missing")
    weights = _weights(archive, "weights", (size,))
    arrays = {name: _weights(archive, name, shapes[name]) for name in there}
    return Checkpoint(config, vocabulary, weights, training, arrays)


def _weights(archive: zipfile.ZipFile, name: str, shape: tuple[int | None, ...]) -> Array:
    """A float32 array of that shape (None: any length) with finite numbers."""
    array = read_array(archive, name, shape, [np.dtype(np.float32)], most_unpacked=MOST_UNPACKED)
    check_numbers(name, array)
    return array


def check_numbers(name: str, array: Array) -> None:
    """Raise ValueError for numbers that are not finite, or weights with which the outputs of a
    network may not be."""
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has numbers that are not finite")
    if name in WEIGHTS and array.size and max(-array.min(), array.max()) > LARGEST_WEIGHT:
        raise ValueError(f"{name} has numbers beyond ±{LARGEST_WEIGHT:g}, which overflow when used")


def is_checkpoint(path: Path) -> bool:
    """Whether `path` has the header of a charrnn checkpoint; the rest may be damaged."""
    return has_format(path, FORMAT)


def newest_checkpoint(folder: Path) -> Path:
    """The checkpoint in `folder` with the latest time. Raises CheckpointError if there is none."""
    files = [path for path in folder.glob("*.npz") if path.is_file()]
    for path in sorted(files, key=lambda path: path.stat().st_mtime, reverse=True):
        if is_checkpoint(path):
            return path
    raise CheckpointError(
        f"there is no checkpoint in {folder.resolve()}: train one with `charrnn train FILE`, "
        "or name one of another folder"
    )
