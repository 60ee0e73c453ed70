"""One training at a time for one output.

The lock is on a hidden file beside the output, and the system's own: it goes with the process that
holds it, however that ends, so that what an earlier one has left behind is in nobody's way.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from charrnn.errors import CheckpointError

try:
    import fcntl
except ImportError:  # not a Unix
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def only_training(output: Path) -> Iterator[None]:
    """Hold the lock of `output`, and clear away what killed trainings have left of unfinished
    checkpoints. Raises CheckpointError where another process has it.

    Where the system or the folder knows no such locks, there is none.
    """
    path = output.resolve()
    lock = path.with_name(f".{path.name}.lock")
    descriptor = _locked(lock, output)
    try:
        if descriptor is not None:
            clear_partial(path)
        yield
    finally:
        if descriptor is not None:
            with contextlib.suppress(OSError):
                lock.unlink()
            os.close(descriptor)


def partial_pattern(path: Path) -> tuple[str, str]:
    """Beginning and end of the names of unfinished checkpoints of `path`, in the same folder."""
    return f".{path.name}.", ".partial"


def clear_partial(path: Path) -> None:
    """Remove the unfinished checkpoints of `path`."""
    beginning, end = partial_pattern(path)
    with contextlib.suppress(OSError):
        for name in os.listdir(path.parent):
            if name.startswith(beginning) and name.endswith(end):
                with contextlib.suppress(OSError):
                    os.unlink(path.parent / name)


def _locked(lock: Path, output: Path) -> int | None:
    """The descriptor that holds the lock; None where there can be none."""
    if fcntl is None:
        return None
    while True:
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError:  # whether the output can be written there shows when it is
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # whoever held it before may have removed the file in the meantime
            if os.path.samestat(os.fstat(descriptor), os.stat(lock)):
                return _signed(descriptor)
        except BlockingIOError as error:
            raise _taken(descriptor, output) from error
        except FileNotFoundError:
            pass
        except OSError:  # a file system without locks
            os.close(descriptor)
            return None
        os.close(descriptor)


def _signed(descriptor: int) -> int:
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def _taken(descriptor: int, output: Path) -> CheckpointError:
    holder = ""
    with contextlib.suppress(OSError, ValueError):
        holder = f" (process {int(os.pread(descriptor, 20, 0))})"
    os.close(descriptor)
    return CheckpointError(
        f"another training{holder} is writing {output}: wait for it, end it, or name another "
        "--output"
    )
