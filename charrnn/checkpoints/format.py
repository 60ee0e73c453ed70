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

import io
import json
import math
import struct
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from charrnn.checkpoints.record_fields import check_fields
from charrnn.errors import CheckpointError, OptionError
from charrnn.nn.network import Network, NetworkConfig
from charrnn.text.vocabulary import Vocabulary
from charrnn.types import Array

FORMAT = "charrnn"
VERSION = 1
HEADER = "header.npy"
LARGEST_HEADER = 9 * 10**6
"""In bytes; a vocabulary of all of Unicode takes 8 million."""
MOST_UNPACKED = 2.0
"""The largest ratio of the size of an array to its size in the file; compression saves a tenth of
the weights of a network."""
BYTES_READ_AT_ONCE = 2**20
"""Bytes of an array that are read at a time."""
TRAINING_ARRAYS = ("last", "moments", "state")
GOOD = "good"
"""The name of a further array, the weights (P,) to go back to after a divergence, where they are
not the best ones."""
WEIGHTS = ("weights", "last", GOOD)
LARGEST_WEIGHT = 1e30
"""A logit sums up less than 1e8 weights times activations from −1 to 1: it stays below the largest
float32, 3.4e38."""
# what NumPy, zipfile and zlib raise for malformed files
_MALFORMED = (
    EOFError, ValueError, KeyError, TypeError, RuntimeError, NotImplementedError, OverflowError,
    RecursionError, MemoryError, SyntaxError, tokenize.TokenError, zipfile.BadZipFile,
    zlib.error, struct.error,
)  # fmt: skip


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
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            return _read(archive, path)
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}") from error
    except CheckpointError:
        raise
    except OptionError as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error
    except _MALFORMED as error:
        detail = str(error).strip().split("\n")[0] or type(error).__name__
        raise CheckpointError(
            f"{path} is not a charrnn checkpoint, or it is damaged ({detail})"
        ) from error


def _read(archive: zipfile.ZipFile, path: Path) -> Checkpoint:
    if HEADER not in archive.namelist():
        raise CheckpointError(f"{path} is not a charrnn checkpoint")
    header = _header(archive)
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not a charrnn checkpoint")
    version = header.get("version")
    if type(version) is int and version > VERSION:
        raise CheckpointError(
            f"{path} was written by a newer charrnn (format {version}, this one reads up to "
            f"{VERSION}): upgrade charrnn to use it"
        )
    if type(version) is not int or version != VERSION:
        raise ValueError(f"format version {version!r}")
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
    weights = _array(archive, "weights", (size,))
    arrays = {name: _array(archive, name, shapes[name]) for name in there}
    return Checkpoint(config, vocabulary, weights, training, arrays)


def _header(archive: zipfile.ZipFile) -> Any:
    """The header of a file, as JSON. Raises ValueError for one that is larger than any could be."""
    with _opened(archive, HEADER) as entry:
        text = entry.read(LARGEST_HEADER + 1)
    if len(text) > LARGEST_HEADER:
        raise ValueError("its header is too large")
    return json.loads(_bytes(text))


def _opened(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """An entry of the archive. Raises ValueError for compression that NumPy does not use."""
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is compressed in a way that NumPy does not know")
    return archive.open(name)


def _bytes(text: bytes) -> bytes:
    """The content of a vector of bytes in NumPy's format."""
    stream = io.BytesIO(text)
    shape, _, dtype = _described(stream)
    content = stream.read()
    if dtype != np.uint8 or shape != (len(content),):
        raise ValueError("its header is not a vector of bytes")
    return content


def _array(archive: zipfile.ZipFile, name: str, shape: tuple[int | None, ...]) -> Array:
    """A float32 array of that shape (None: any length) with finite numbers. Memory is allocated
    only after type, shape and size in the file have been checked."""
    info = archive.getinfo(f"{name}.npy")
    with _opened(archive, info.filename) as entry:
        found, by_columns, dtype = _described(entry)
        if dtype != np.float32:
            raise ValueError(f"{name} has numbers of type {dtype} instead of float32")
        fits = len(found) == len(shape) and all(
            wanted in (None, length) for wanted, length in zip(shape, found, strict=True)
        )
        if not fits or (by_columns and len(found) > 1):
            wanted = ", ".join("any" if length is None else str(length) for length in shape)
            raise ValueError(f"{name} has the shape {found}, not ({wanted})")
        size = 4 * math.prod(found)
        if size != info.file_size - entry.tell() or size > MOST_UNPACKED * info.compress_size:
            raise ValueError(f"{name} does not have the size that it claims")
        content = memoryview(bytearray(size))
        for start in range(0, size, BYTES_READ_AT_ONCE):
            part = content[start : start + BYTES_READ_AT_ONCE]
            part[:] = entry.read(len(part))
    array = np.frombuffer(content, "<f4").astype(np.float32, copy=False)
    check_numbers(name, array)
    return array.reshape(found)


def check_numbers(name: str, array: Array) -> None:
    """Raise ValueError for numbers that are not finite, or weights with which the outputs of a
    network may not be."""
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has numbers that are not finite")
    if name in WEIGHTS and array.size and max(-array.min(), array.max()) > LARGEST_WEIGHT:
        raise ValueError(f"{name} has numbers beyond ±{LARGEST_WEIGHT:g}, which overflow when used")


def _described(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether it is in column-major order, and type of an array, from the header of NumPy's
    format at the beginning of the stream."""
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f"version {version} of NumPy's format")
    described: tuple[tuple[int, ...], bool, np.dtype[Any]] = read(stream)
    return described


def is_checkpoint(path: Path) -> bool:
    """Whether `path` has the header of a charrnn checkpoint; the rest may be damaged."""
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            header = _header(archive)
            return isinstance(header, dict) and header.get("format") == FORMAT
    except (OSError, *_MALFORMED):
        return False


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
