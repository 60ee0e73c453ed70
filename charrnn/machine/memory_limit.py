"""How much memory this machine, or the container on it, has."""

import os
from pathlib import Path

LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Files with the memory limit of a Linux container in bytes (cgroup 2 and 1)."""
GIGABYTE = 10**9


def available() -> int | None:
    """Bytes of memory that this machine or container has; None where the system does not say."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # AttributeError: not a Unix
        return None
    for path in LIMITS:
        try:
            total = min(total, int(path.read_text()))
        except (OSError, ValueError):  # there is no such file, or it says "max"
            continue
    return total
