"""Trainings that mpiexec starts, for the tests that need one: `pip install -e '.[mpi]'`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli_helpers import COMMAND, Outcome, environment


def mpiexec() -> str | None:
    """The mpiexec of this Python's environment, where it can import mpi4py."""
    beside = Path(sys.executable).parent / "mpiexec"
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    missing = subprocess.run(
        [sys.executable, "-c", "from mpi4py import MPI"], capture_output=True
    ).returncode
    return None if missing else found


needs_mpi = pytest.mark.skipif(mpiexec() is None, reason="needs pip install -e '.[mpi]'")


def launch(ranks: int, *arguments: str | Path, **options: Any) -> "subprocess.Popen[bytes]":
    """`charrnn` in so many processes, its standard streams in pipes."""
    command = mpiexec()
    assert command is not None
    defaults: dict[str, Any] = {
        "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
    }  # fmt: skip
    options = defaults | options | {"env": environment(options.get("env"))}
    words = [command, "-n", str(ranks), *COMMAND, *map(str, arguments)]
    return subprocess.Popen(words, process_group=0, **options)


def run_ranks(ranks: int, *arguments: str | Path, **options: Any) -> Outcome:
    """The same, to the end."""
    with launch(ranks, *arguments, **options) as running:
        try:
            output, errors = running.communicate(timeout=300)
        except BaseException:
            os.killpg(running.pid, 9)
            raise
    return Outcome(running.returncode, output, errors.decode(errors="replace"))
