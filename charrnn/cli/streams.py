"""Standard streams that are full, closed, or no longer read by anybody."""

import os
from typing import IO, Any


def discard(stream: IO[Any]) -> None:
    """Let `stream` lead nowhere, so that what Python flushes at its end does not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
