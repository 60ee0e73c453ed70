"""Models on disk: one `.npz` with the best weights, and all that training needs to go on exactly.

| entry   | what                                                                              |
|---------|-----------------------------------------------------------------------------------|
| header  | JSON as bytes: format, version, network, vocabulary, and what training writes      |
| weights | the best weights (P,), in the order of `NetworkConfig.shapes`                     |
| last    | the weights after the last step (P,)                                              |
| moments | the optimizer's vectors (M, P)                                                    |
| state   | what the training streams carry (L, 1 + S, H, B)                                  |

Nothing in the file is pickled. A checkpoint takes the place of the one before in one step, after
all of it is on the disk, so that there is always a whole one.
"""

import contextlib
import json
import os
import struct
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from charrnn.errors import CheckpointError, OptionError
from charrnn.network import Network, NetworkConfig
from charrnn.parameters import Array, Parameters
from charrnn.vocabulary import Vocabulary

FORMAT = "charrnn"
VERSION = 1
TRAINING_ARRAYS = ("last", "moments", "state")
# what NumPy, zipfile and zlib raise for files that are not what they should be
_MALFORMED = (
    EOFError, ValueError, KeyError, TypeError, RuntimeError, NotImplementedError, OverflowError,
    RecursionError, MemoryError, zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds. `training` is the header's part that belongs to the training, as JSON;
    `arrays` are those of `TRAINING_ARRAYS`, all of them, or none where there is only a model."""

    config: NetworkConfig
    vocabulary: Vocabulary
    weights: Array
    training: dict[str, Any]
    arrays: dict[str, Array]

    def network(self) -> Network:
        """The network with the best weights."""
        return Network(self.config, Parameters(self.config.shapes(), flat=self.weights))

    def header(self) -> dict[str, Any]:
        """All but the arrays, as JSON."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "network": self.config.to_dict(),
            "vocabulary": self.vocabulary.to_json(),
            "training": self.training,
        }


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write `path` so that, whatever happens, it holds either all of this or what it held before.

    Raises CheckpointError where it cannot be written.
    """
    text = json.dumps(checkpoint.header(), ensure_ascii=True).encode("ascii")
    entries: dict[str, Any] = {
        "header": np.frombuffer(text, np.uint8),
        "weights": checkpoint.weights,
        **checkpoint.arrays,
    }
    try:
        _replace(path.resolve(), entries)  # a link stays a link
    except OSError as error:
        raise CheckpointError(
            f"cannot write the checkpoint {path}: {error.strerror or error}; what was there before "
            "is untouched; make room, or name another place with --output"
        ) from error


def _replace(path: Path, entries: dict[str, Any]) -> None:
    descriptor, temporary = tempfile.mkstemp(
        prefix=f".{path.name}.", suffix=".partial", dir=path.parent
    )
    try:
        with open(descriptor, "wb") as file:
            _allow_as_usual(file.fileno())
            np.savez(file, **entries)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(path.parent)


def _allow_as_usual(descriptor: int) -> None:
    """Give a temporary file, which is its owner's alone, the permissions of any new file."""
    if hasattr(os, "fchmod"):
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(descriptor, 0o666 & ~mask)


def _sync_folder(folder: Path) -> None:
    """Make the new name last, where the system knows how."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in `path`. Raises CheckpointError where it is none that this version reads."""
    try:
        with open(path, "rb") as file:
            return _read(file, path)
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


def _read(file: Any, path: Path) -> Checkpoint:
    with np.load(file, allow_pickle=False) as entries:
        if not isinstance(entries, np.lib.npyio.NpzFile) or "header" not in entries:
            raise CheckpointError(f"{path} is not a charrnn checkpoint")
        header = json.loads(_checked(entries["header"], np.uint8).tobytes())
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise CheckpointError(f"{path} is not a charrnn checkpoint")
        version = header.get("version")
        if type(version) is int and version > VERSION:
            raise CheckpointError(
                f"{path} was written by a newer charrnn (format {version}, this one reads up to "
                f"{VERSION}): upgrade charrnn to use it"
            )
        if version != VERSION:
            raise ValueError(f"format version {version!r}")
        config = NetworkConfig(**header["network"])
        vocabulary = Vocabulary.from_json(header["vocabulary"])
        if vocabulary.size != config.vocabulary_size:
            raise ValueError("the vocabulary does not fit the network")
        weights = _checked(entries["weights"], np.float32)
        size = config.size
        arrays = {
            name: _checked(entries[name], np.float32) for name in TRAINING_ARRAYS if name in entries
        }
        if arrays and len(arrays) < len(TRAINING_ARRAYS):
            raise ValueError("a part of its training is missing")
        layer = (config.layers, config.state_arrays, config.hidden_size)
        for name, array in {"weights": weights, **arrays}.items():
            # the number of streams is known to the training alone
            shape = {
                "state": (*layer, *array.shape[-1:]),
                "moments": (*array.shape[:1], size),
            }.get(name, (size,))
            if array.shape != shape:
                raise ValueError(f"{name} has the shape {array.shape}, not {shape}")
        training = header["training"]
        if not isinstance(training, dict):
            raise ValueError("its training record is not an object")
        return Checkpoint(config, vocabulary, weights, training, arrays)


def _checked(array: Array, dtype: type[np.generic]) -> Array:
    if array.dtype != dtype:
        raise ValueError(f"numbers of type {array.dtype} instead of {np.dtype(dtype)}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError("weights that are not finite numbers")
    return array


def is_checkpoint(path: Path) -> bool:
    """Whether `path` looks like a checkpoint of ours: a quick look at its header, no more."""
    try:
        # opened here: NumPy leaves a file that it cannot read to the garbage collector
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as entries:
            header = json.loads(entries["header"].tobytes())
            return isinstance(header, dict) and header.get("format") == FORMAT
    except (OSError, AttributeError, *_MALFORMED):
        return False


def newest_checkpoint(folder: Path) -> Path:
    """The checkpoint in `folder` that was written last. Raises CheckpointError if there is none."""
    files = [path for path in folder.glob("*.npz") if path.is_file()]
    for path in sorted(files, key=lambda path: path.stat().st_mtime, reverse=True):
        if is_checkpoint(path):
            return path
    raise CheckpointError(
        f"there is no checkpoint in {folder.resolve()}: train one with `charrnn train FILE`, "
        "or name one with --checkpoint"
    )
