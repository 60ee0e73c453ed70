"""Checkpoints are written atomically: a file holds all of the new one, or what it held before.

The new checkpoint is written to a hidden file in the same folder, flushed to the disk, and renamed.
A process that is killed meanwhile leaves that file behind; the next training in the folder removes
it (`clear_unfinished`).
"""

import contextlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from charrnn.checkpoints.format import Checkpoint, check_numbers
from charrnn.errors import CheckpointError

SUFFIX = ".partial"
UNFINISHED = re.compile(r"\..+\.npz\.\w{8}\.partial")
"""The names of unfinished checkpoints; an output without .npz is known to its own training only."""
ABANDONED_SECONDS = 3600.0
"""A file that was not written to for so long is no longer being written."""


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write `path` so that, whatever happens, it holds either all of this or what it held before.

    A file that is replaced keeps its permissions. Raises CheckpointError where the checkpoint
    cannot be written, or could not be read again.
    """
    arrays: dict[str, Any] = {"weights": checkpoint.weights, **checkpoint.arrays}
    try:
        text = json.dumps(checkpoint.header(), separators=(",", ":"), allow_nan=False)
        for name, array in arrays.items():
            check_numbers(name, array)
    except ValueError as error:
        raise CheckpointError(f"cannot write the checkpoint {path}: {error}") from error
    entries = {"header": np.frombuffer(text.encode("ascii"), np.uint8), **arrays}
    try:
        replace_file(path, lambda file: np.savez(file, **entries))
    except OSError as error:
        raise CheckpointError(
            f"cannot write the checkpoint {path}: {error.strerror or error}; what was there before "
            "is untouched; make room, or name another place with `output`"
        ) from error


def replace_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write `path` by `write`, so that it is either whole or as it was before. Raises OSError.

    A link stays a link.
    """
    path = path.resolve()
    descriptor, temporary = tempfile.mkstemp(prefix=_prefix(path), suffix=SUFFIX, dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            _set_permissions(file.fileno(), path)
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(path.parent)


def _set_permissions(descriptor: int, path: Path) -> None:
    """Give a temporary file, which is its owner's alone, the permissions of the file that it
    replaces, or else those of any new file."""
    if not hasattr(os, "fchmod"):  # not a Unix
        return
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    with contextlib.suppress(OSError):  # a file system without permissions
        os.fchmod(descriptor, mode)


def _sync_folder(folder: Path) -> None:
    """Flush the new name to the disk, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def save_at_last(path: Path, checkpoint: Checkpoint) -> None:
    """Write `path`; where that fails, write to the system's folder for temporary files, so that
    the hours of a training are not lost with a folder or on a full disk.

    Raises CheckpointError, which names that other file, unless `path` was written.
    """
    try:
        write_checkpoint(path, checkpoint)
    except CheckpointError as error:
        other = _save_elsewhere(path.name, checkpoint)
        if other is None:
            raise
        raise CheckpointError(f"{error}; the training is saved to {other} instead") from error


def _save_elsewhere(name: str, checkpoint: Checkpoint) -> Path | None:
    """The file in the folder for temporary files; None where that could not be written, too."""
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix="charrnn-"))
        write_checkpoint(folder / name, checkpoint)
    except (CheckpointError, OSError):
        if folder is not None:
            with contextlib.suppress(OSError):
                folder.rmdir()
        return None
    return folder / name


def clear_unfinished(path: Path, now: float) -> None:
    """Remove the unfinished checkpoints of `path`, which nobody else may be writing, and those of
    other outputs in its folder that have been abandoned; `now` is the time of a new file there.

    After a kill inside a save there may be no further training to the same output; then the next
    one in the same folder clears up.
    """
    with contextlib.suppress(OSError):
        for entry in os.scandir(path.parent):
            is_own = entry.name.startswith(_prefix(path)) and entry.name.endswith(SUFFIX)
            if is_own or (UNFINISHED.fullmatch(entry.name) and _is_abandoned(entry, now)):
                with contextlib.suppress(OSError):
                    os.unlink(entry)


def _is_abandoned(entry: os.DirEntry[str], now: float) -> bool:
    try:
        return now - entry.stat().st_mtime > ABANDONED_SECONDS
    except OSError:
        return False


def _prefix(path: Path) -> str:
    return f".{path.name}."
