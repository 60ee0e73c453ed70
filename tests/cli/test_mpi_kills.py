"""A rank that is killed ends the run at once; nothing is lost, and the user reads how to go on.

CHARRNN_KILLS sets the number of kills.
"""

import os
import random
import signal
import time
import uuid
from pathlib import Path

import pytest

from charrnn.checkpoints.format import read_checkpoint
from cli_helpers import TEXT, write
from mpi import launch, needs_mpi

RANKS = 2
KILLS = int(os.environ.get("CHARRNN_KILLS", "3"))
MOST_SECONDS = 30
OPTIONS = (
    "--hidden-size", "64", "--batch-size", "4", "--seq-length", "8", "--epochs", "1000",
    "--threads", "1", "--sample-every", "0", "--mpi",
)  # fmt: skip


def processes(mark: str) -> dict[int, str]:
    """The processes that have the mark in their environment, with their rank; "" for mpiexec's."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if mark in words:
            ranks = [word.removeprefix("PMI_RANK=") for word in words if "PMI_RANK=" in word]
            found[int(folder.name)] = ranks[0] if ranks else ""
    return found


@needs_mpi
@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_rank_ends_the_run_and_loses_nothing(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.txt", TEXT * 20)
    rng = random.Random(number)
    mark = f"CHARRNN_MARK={uuid.uuid4()}"
    with launch(RANKS, "train", "a.txt", *OPTIONS, env=dict([mark.split("=")])) as running:
        assert running.stderr
        for line in running.stderr:
            if line.startswith(b"training for"):
                break
        while not Path("a.npz").exists():
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 1.5))
        rank = str(rng.randrange(RANKS))
        victims = [pid for pid, of in processes(mark).items() if of == rank and is_rank(pid)]
        start = time.monotonic()
        os.kill(victims[0], signal.SIGKILL)
        _, errors = running.communicate(timeout=2 * MOST_SECONDS)
        assert time.monotonic() - start < MOST_SECONDS
    last = errors.decode().splitlines()[-1]
    assert last == (
        "charrnn: a process or a machine of this training has ended; go on with: "
        "mpiexec -n 2 charrnn train a.txt --resume --mpi"
    )
    assert running.returncode != 0
    assert read_checkpoint(Path("a.npz")).training["step"] >= 0
    assert processes(mark) == {}


@needs_mpi
def test_a_rank_that_is_silent_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a machine without power: it is stopped, so that mpiexec sees nothing."""
    monkeypatch.chdir(tmp_path)
    write("a.txt", TEXT * 20)
    mark = f"CHARRNN_MARK={uuid.uuid4()}"
    with launch(RANKS, "train", "a.txt", *OPTIONS, env=dict([mark.split("=")])) as running:
        while not Path("a.npz").exists():
            time.sleep(0.01)
        time.sleep(2)
        (victim,) = (pid for pid, of in processes(mark).items() if of == "1" and is_rank(pid))
        start = time.monotonic()
        os.kill(victim, signal.SIGSTOP)
        _, errors = running.communicate(timeout=2 * MOST_SECONDS)
        assert time.monotonic() - start < MOST_SECONDS
    *_, silence, last = errors.decode().splitlines()
    assert "rank 1 on " in silence
    assert "has given no sign of life for 20 seconds" in silence
    assert last.endswith("go on with: mpiexec -n 2 charrnn train a.txt --resume --mpi")
    assert processes(mark) == {}


def is_rank(pid: int) -> bool:
    """Whether it is a rank itself, and not what rank 0 has started."""
    return b"-m\0charrnn" in Path(f"/proc/{pid}/cmdline").read_bytes()
