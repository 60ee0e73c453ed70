"""Snapshots of a training's weights: one `.npz` file beside its checkpoint.

| entry      | what                                                                        |
|------------|-----------------------------------------------------------------------------|
| header     | JSON as bytes: format, version, and step and SHA-256 of each snapshot       |
| step-STEP  | the weights after that step (P,), as float16, in the order of a checkpoint  |

float16 has 11 bits of precision: half the size of float32, for what only looks back. The record of
the training in the checkpoint names its snapshots by the same SHA-256, so that those of another
training are never taken for its own. Like a checkpoint, the file is written atomically, and nothing
in it is pickled.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from charrnn.checkpoints.archive import HEADER, read_array, read_header, reading
from charrnn.checkpoints.atomic_write import replace_file
from charrnn.errors import CheckpointError
from charrnn.types import Array

FORMAT = "charrnn-snapshots"
VERSION = 1
ENDING = ".snapshots.npz"
LARGEST = float(np.finfo(np.float16).max)
"""Larger weights, which no sound training has, are stored as this."""

FLOAT16 = np.dtype("<f2")
MOST_UNPACKED = 1.0
"""The weights are not compressed."""

Snapshots = Mapping[int, str]
"""The SHA-256 of the weights of each snapshot, by its step."""


def snapshots_path(checkpoint: Path) -> Path:
    """The file of the snapshots of a training that writes `checkpoint`.

    >>> snapshots_path(Path("models/a.npz")).as_posix()
    'models/a.snapshots.npz'
    """
    return checkpoint.with_name(checkpoint.name.removesuffix(".npz") + ENDING)


def recorded_snapshots(record: Mapping[str, Any]) -> dict[int, str]:
    """The snapshots that the record of a training names."""
    return {each["step"]: each["sha256"] for each in record.get("snapshots", [])}


def own_snapshots(checkpoint: Path, record: Mapping[str, Any]) -> dict[int, str]:
    """Those of the snapshots in the record of a checkpoint that are in the file beside it. Raises
    CheckpointError where there is none."""
    recorded, path = recorded_snapshots(record), snapshots_path(checkpoint)
    if not recorded:
        raise CheckpointError(
            f"{checkpoint} has no snapshots of its training: train it with `keep` and a number of "
            "steps"
        )
    found = dict(listed_snapshots(path).items() & recorded.items())
    if not found:
        raise CheckpointError(f"{path} has the snapshots of another training, not of {checkpoint}")
    return found


def listed_snapshots(path: Path) -> dict[int, str]:
    """The snapshots in a file. Raises CheckpointError for one that holds none, or is damaged."""
    with _reading(path) as archive:
        return _listed(archive, path)


def read_snapshots(path: Path, wanted: Snapshots, size: int) -> Iterator[tuple[int, Array]]:
    """The steps and the weights (P,), as float32, of those snapshots in a file that are `wanted`;
    the earliest first, one at a time. `size` is P. Raises CheckpointError for a file that is
    damaged."""
    with _reading(path) as archive:
        for step, sha256 in sorted(_listed(archive, path).items() & wanted.items()):
            yield step, _weights(archive, step, sha256, size)


def add_snapshot(path: Path, step: int, weights: Array, kept: Snapshots) -> dict[int, str]:
    """Write a file with those of its snapshots that are `kept`, and the weights (P,) after `step`;
    the snapshots that it has then.

    Where there is no file yet, one is made. Raises CheckpointError where it cannot be written, and
    for a file that holds something else, which stays as it is. Memory: 6 bytes for each weight.
    """
    small = np.clip(weights, -LARGEST, LARGEST).astype(FLOAT16)
    sha256 = hashlib.sha256(small.data).hexdigest()
    there = listed_snapshots(path) if path.exists() else {}
    copied = dict(sorted(there.items() & {n: kept[n] for n in kept if n != step}.items()))
    found = copied | {step: sha256}
    try:
        replace_file(path, lambda file: _write(file, path, copied, small, found))
    except OSError as error:
        raise CheckpointError(
            f"cannot write the snapshots {path}: {error.strerror or error}; make room, or name "
            "another place with `output`"
        ) from error
    return found


def _write(
    file: BinaryIO, path: Path, copied: Snapshots, new: NDArray[np.float16], found: Snapshots
) -> None:
    """Write all that was `found`: what is copied from `path`, and the last step's `new` weights."""
    header = {
        "format": FORMAT,
        "version": VERSION,
        "snapshots": [{"step": step, "sha256": sha256} for step, sha256 in found.items()],
    }
    with zipfile.ZipFile(file, "w") as archive:
        with _entry(archive, HEADER) as entry:
            text = json.dumps(header, separators=(",", ":")).encode("ascii")
            np.lib.format.write_array(entry, np.frombuffer(text, np.uint8), allow_pickle=False)
        for step in copied:
            with _reading(path) as before:
                content = before.read(_name(step))
            # outside: a failure to write is not one to read
            with _entry(archive, _name(step)) as entry:
                entry.write(content)
            del content
        with _entry(archive, _name(max(found.keys() - copied.keys()))) as entry:
            np.lib.format.write_array(entry, new, allow_pickle=False)


def _entry(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """A new entry of an archive, without the time: the same weights give the same file."""
    return archive.open(zipfile.ZipInfo(name), "w", force_zip64=True)


def _name(step: int) -> str:
    return f"step-{step}.npy"


def _reading(path: Path) -> AbstractContextManager[zipfile.ZipFile]:
    return reading(path, "a file of snapshots", "move it away")


def _listed(archive: zipfile.ZipFile, path: Path) -> dict[int, str]:
    header = read_header(archive, FORMAT, VERSION, path)
    found: dict[int, str] = {}
    for each in header["snapshots"]:
        step, sha256 = each["step"], each["sha256"]
        if type(step) is not int or step < 0 or type(sha256) is not str:
            raise ValueError("its header names no steps")
        found[step] = sha256
    return found


def _weights(archive: zipfile.ZipFile, step: int, sha256: str, size: int) -> Array:
    name = _name(step).removesuffix(".npy")
    weights = read_array(archive, name, (size,), [FLOAT16], most_unpacked=MOST_UNPACKED)
    if hashlib.sha256(weights.astype(FLOAT16).data).hexdigest() != sha256:
        raise ValueError(f"{name} is not what was written")
    if not np.isfinite(weights).all():
        raise ValueError(f"{name} has numbers that are not finite")
    return weights.astype(np.float32)
