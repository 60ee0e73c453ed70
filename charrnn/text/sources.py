"""Reads the bytes of files and of standard input."""

import os
import stat
import sys
from typing import BinaryIO

from charrnn.errors import CorpusError
from charrnn.machine.memory_limit import GIGABYTE, available

# above 32 MiB, the C library returns freed memory to the system
SEGMENT = 64 * 2**20
"""Bytes of one read."""
TEXT_SHARE = 0.8
"""The share of the memory that texts may take; reading them needs 1.14 bytes a byte."""

STDIN = "-"
STDIN_NAME = "standard input"


def read_source(path: str) -> bytes:
    """The bytes of a file, or of standard input for `-`. Raises CorpusError for what cannot be
    read, or may never end."""
    most = memory_for_text() // 2  # the segments and the whole are in memory at once
    return b"".join(stdin_segments(most=most) if path == STDIN else file_segments(path, most))


def memory_for_text() -> int:
    """Bytes of text that may be read into memory."""
    return int(TEXT_SHARE * (available() or sys.maxsize))


def file_segments(path: str, most: int) -> list[bytes]:
    """The bytes of a file, in pieces of up to `SEGMENT`. Raises CorpusError as `read_source`, and
    for more than `most` bytes."""
    name = printable_name(path)
    try:
        status = os.stat(path)
        if _may_never_end(status):
            raise CorpusError(f"{name} is a device, which may never end: give a file, or `-`")
        with open(path, "rb") as file:
            # one byte more than the file has finds its end without another segment
            size = status.st_size + 1 if stat.S_ISREG(status.st_mode) else SEGMENT
            return _segments(file, size, name, most)
    except FileNotFoundError as error:
        raise CorpusError(f"{name} does not exist: check the name of the file") from error
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        raise unreadable(name, error) from error


def stdin_segments(stdin: BinaryIO | None = None, *, most: int) -> list[bytes]:
    """The same of `stdin`, by default the standard input of the process."""
    try:
        return _segments(stdin or open_stdin(), SEGMENT, STDIN_NAME, most)
    except (OSError, ValueError) as error:  # ValueError: the stream has been closed
        raise unreadable(STDIN_NAME, error) from error


def open_stdin() -> BinaryIO:
    """The standard input of the process. Raises CorpusError for none, and for a device that may
    never end."""
    if sys.stdin is None:
        raise CorpusError(f"{STDIN_NAME} is closed: name a file instead of `-`")
    if _is_endless(sys.stdin.buffer):
        raise CorpusError(
            f"{STDIN_NAME} is a device, which may never end: give a file or a pipe, such as "
            "`head -c 1000000 DEVICE | charrnn …`"
        )
    return sys.stdin.buffer


def decoded(data: bytes, name: str) -> str:
    """The text of bytes in UTF-8. Raises CorpusError, with the name of where they are from."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{name} is not UTF-8 at byte {error.start}: convert it first") from error


def printable_name(path: str) -> str:
    """The name of a file as a message shows it."""
    return path if path and path.isprintable() else ascii(path)


def unreadable(name: str, error: Exception) -> CorpusError:
    """The error to raise for a source of that name which could not be read."""
    reason = getattr(error, "strerror", None) or error
    return CorpusError(f"{name} cannot be read ({reason}): check it, or give another file")


def _may_never_end(status: os.stat_result) -> bool:
    """Whether it is a device other than the null device, which is empty."""
    if stat.S_ISCHR(status.st_mode):
        return status.st_rdev != os.stat(os.devnull).st_rdev
    return stat.S_ISBLK(status.st_mode)


def _is_endless(stream: BinaryIO) -> bool:
    """Whether the stream is a device that may never end; a terminal is none, as its user ends the
    input."""
    try:
        descriptor = stream.fileno()
    except (OSError, AttributeError):  # a stream without a file behind it
        return False
    return _may_never_end(os.fstat(descriptor)) and not os.isatty(descriptor)


def _segments(stream: BinaryIO, size: int, name: str, most: int) -> list[bytes]:
    segments: list[bytes] = []
    size = min(SEGMENT, max(size, 4096))  # files in /proc have the size 0
    left = most
    while segment := stream.read(size):
        segments.append(segment)
        left -= len(segment)
        if left < 0:
            raise CorpusError(
                f"{name} has more than the {most / GIGABYTE:,.3g} GB that there is memory for: "
                "give a part of it, as `head -c 1000000000` does"
            )
    if segment is None:
        raise BlockingIOError("it is in non-blocking mode, and has no data yet")
    return segments
