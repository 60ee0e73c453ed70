"""Standard streams that are full, closed, or no longer read by anybody."""

import os
from typing import IO, Any


def occupy_closed() -> None:
    """Let no file or socket get the number of a standard stream that is closed.

    What is written to the stream would end up in it, and child processes would lose it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def discard(stream: IO[Any]) -> None:
    """Let `stream` lead nowhere, so that what Python flushes at its end does not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
