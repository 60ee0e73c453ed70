"""Standard streams that are full, closed, no longer read by anybody, or of a narrow encoding."""

import os
import sys
from collections.abc import Iterable
from io import TextIOWrapper
from typing import IO, Any

from charrnn.errors import CharRNNError


def occupy_closed() -> None:
    """Open the null device in the place of each standard stream that is closed.

    Otherwise the next file or socket would get its number, and output for the stream would end up
    in that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def replace_unknown_characters() -> None:
    """Let characters that the encoding of a console lacks (ASCII, cp1252) become question marks,
    instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def discard(stream: IO[Any]) -> None:
    """Lead `stream` to the null device, so that the flush at exit does not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def emit(pieces: Iterable[str]) -> None:
    """Write to standard output. Exits quietly when its reader goes away."""
    if sys.stdout is None:
        raise CharRNNError("standard output is closed: there is nowhere to write to")
    try:
        for piece in pieces:
            sys.stdout.write(piece)
        sys.stdout.flush()
    except BrokenPipeError:
        discard(sys.stdout)
        sys.exit(0)
