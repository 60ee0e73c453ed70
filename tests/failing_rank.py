"""`charrnn`, with an error in one rank of a training over MPI, as a program.

    mpiexec -n 2 python tests/failing_rank.py RANK METHOD CALL train a.txt --mpi

The call of that number of a method of `RankShards` fails; or, for "disk", of `os.fsync` and all
that follow.
"""

import errno
import os
import sys
from typing import Any

from charrnn.cli import main
from charrnn.training.parallel.launch import launched_rank
from charrnn.training.parallel.rank_shards import RankShards


def fail_in(method: str, count: int) -> None:
    """Let the call number `count` of a method fail."""
    usual = getattr(RankShards, method)
    calls = 0

    def failing(self: RankShards, *arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == count:
            raise ArithmeticError(f"a failure in {method}")
        return usual(self, *arguments)

    setattr(RankShards, method, failing)


def fill_disk(count: int) -> None:
    """Let the call number `count` of `os.fsync` find the disk full, as all later ones."""
    usual = os.fsync
    calls = 0

    def failing(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls >= count:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        usual(descriptor)

    os.fsync = failing  # type: ignore[assignment]


if __name__ == "__main__":
    rank, method, count, *words = sys.argv[1:]
    if launched_rank()[0] == int(rank):
        if method == "disk":
            fill_disk(int(count))
        else:
            fail_in(method, int(count))
    main(words, prog_name="charrnn")
