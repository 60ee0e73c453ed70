"""One training at a time for one output.

The lock is on a hidden file beside the output. On a Unix it is the system's own (`flock`), and goes
with the process that holds it, however that ends. Elsewhere it is the file itself, which is made
exclusively, is kept open, and holds the number of the process; one that a process has left behind
is replaced.
"""

import contextlib
import os
from pathlib import Path
from typing import Self

from charrnn.checkpoints.atomic_write import clear_unfinished
from charrnn.checkpoints.snapshot_file import snapshots_path
from charrnn.errors import CheckpointError

try:
    import fcntl
except ImportError:  # not a Unix
    fcntl = None  # type: ignore[assignment]

ON_WINDOWS = os.name == "nt"


class TrainingLock:
    """The right to train to `output`, for as long as a `with` block of it lasts.

    The blocks of one lock nest: a function that holds it can hand it on to another one that takes
    it again. Another lock of the same output cannot be taken meanwhile, by this process or any
    other. Where the system or the folder allows no lock, there is none.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self._file = output.resolve()  # a link and its file have one lock
        self._lock = self._file.with_name(f".{self._file.name}.lock")
        self._descriptor: int | None = None
        self._depth = 0

    def __enter__(self) -> Self:
        """Take the lock, and remove what killed trainings have left of unfinished checkpoints.

        Raises CheckpointError where another training has it.
        """
        if self._depth == 0:
            self._descriptor = _take(self._lock, self.output)
            if self._descriptor is not None:
                now = os.fstat(self._descriptor).st_mtime
                for path in (self._file, snapshots_path(self._file)):
                    clear_unfinished(path, now)
        self._depth += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0 and self._descriptor is not None:
            _release(self._lock, self._descriptor)
            self._descriptor = None


def only_training(output: Path) -> TrainingLock:
    """The lock of `output`: `with only_training(output): ...`."""
    return TrainingLock(output)


def _take(lock: Path, output: Path) -> int | None:
    """The descriptor that holds the lock; None where there can be none. Raises CheckpointError."""
    descriptor = _take_exclusive(lock, output) if fcntl is None else _take_flock(lock, output)
    if descriptor is not None:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def _release(lock: Path, descriptor: int) -> None:
    if fcntl is None:  # Windows removes no open file
        os.close(descriptor)
        with contextlib.suppress(OSError):
            lock.unlink()
    else:  # while it is locked: nobody else can have taken this very file
        with contextlib.suppress(OSError):
            lock.unlink()
        os.close(descriptor)


def _take_flock(lock: Path, output: Path) -> int | None:
    while True:
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError:  # whether the output can be written there shows when it is
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # whoever held it before may have removed the file in the meantime
            if os.path.samestat(os.fstat(descriptor), os.stat(lock)):
                return descriptor
        except BlockingIOError as error:
            os.close(descriptor)
            raise _taken(output, _holder(lock)) from error
        except FileNotFoundError:
            pass
        except OSError:  # a file system without locks
            os.close(descriptor)
            return None
        os.close(descriptor)


def _take_exclusive(lock: Path, output: Path) -> int | None:
    """The same where there is no `flock`: whoever makes the file has the lock."""
    for _ in range(2):
        try:
            return os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError as error:
            holder = _holder(lock)
            if not _remove_stale(lock, holder):
                raise _taken(output, holder, lock) from error
        except OSError:
            return None
    raise _taken(output, _holder(lock), lock)  # another process was faster


def _remove_stale(lock: Path, holder: int | None) -> bool:
    """Remove the lock of a process that has ended; whether it was one."""
    # Windows does not remove a file that its holder has open; its kill(…, 0) is no question
    if not ON_WINDOWS and (holder is None or _is_running(holder)):
        return False
    try:
        lock.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # somebody else's; or no number of a process
        return True
    return True


def _holder(lock: Path) -> int | None:
    """The number of the process that holds the lock, where it can be read."""
    with contextlib.suppress(OSError, ValueError):
        number = int(lock.read_bytes()[:20])
        return number if number > 0 else None
    return None


def _taken(output: Path, holder: int | None, lock: Path | None = None) -> CheckpointError:
    who = "" if holder is None else f" (process {holder})"
    remedy = "" if lock is None else f"; if there is none, remove {lock}"
    return CheckpointError(
        f"another training{who} is writing {output}: wait for it, end it, or name another "
        f"`output`{remedy}"
    )
