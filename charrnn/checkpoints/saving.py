"""The last checkpoint of a training, where its output cannot be written any more."""

import contextlib
import tempfile
from pathlib import Path

from charrnn.checkpoints.format import Checkpoint, write_checkpoint
from charrnn.errors import CheckpointError


def save_at_last(path: Path, checkpoint: Checkpoint) -> None:
    """Write `path`; where that fails, write to the system's folder for temporary files, so that
    the hours of a training are not lost with a folder or on a full disk.

    Raises CheckpointError, which names that other file, unless `path` was written.
    """
    try:
        write_checkpoint(path, checkpoint)
    except CheckpointError as error:
        refuge = _refuge(path.name, checkpoint)
        if refuge is None:
            raise
        raise CheckpointError(f"{error}; the training is saved to {refuge} instead") from error


def _refuge(name: str, checkpoint: Checkpoint) -> Path | None:
    """Where else the checkpoint was written; None where that failed, too."""
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
