"""What goes wrong in a training over MPI is said in one line, and ends all ranks."""

import subprocess
import sys
from pathlib import Path

import pytest

import failing_rank
from charrnn.checkpoints.format import read_checkpoint
from cli_helpers import SMALL, contents, environment, only_line, write
from mpi import mpiexec, needs_mpi

pytestmark = needs_mpi
OPTIONS = (*SMALL, "--epochs", "3", "--sample-every", "0", "--mpi", "-q")


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.txt")


@pytest.mark.parametrize("rank", [0, 1, 2])
@pytest.mark.parametrize("method", ["_start", "_compute_gradient"])
def test_an_error_in_a_rank_is_said_by_rank_0(rank: int, method: str) -> None:
    """In one that all ranks are ready for: the others take their part in the messages."""
    count = 1 if method == "_start" else 20
    errors = run_failing(3, rank, method, count)
    assert f"a failure in {method}" in errors.splitlines()[-1]
    if rank:
        assert only_line(errors) == f"rank {rank}: a failure in {method}"


@pytest.mark.parametrize("method", ["_try", "load_text", "synchronize"])
def test_an_error_amid_the_messages_ends_all(method: str) -> None:
    """In one that no rank is ready for, the others would wait for ever."""
    options = ("--sync-every", "4") if method == "synchronize" else ()
    errors = run_failing(2, 1, method, 1 if method == "load_text" else 3, *options)
    assert f"charrnn: rank 1: a failure in {method}" in errors.splitlines()
    if method != "load_text":  # which comes before the first checkpoint
        assert read_checkpoint(Path("a.npz")).training["step"] in (0, 4, 8)


def run_failing(ranks: int, rank: int, method: str, count: int, *options: str) -> str:
    """Standard error of a training with an error in one rank; it ends in time, and not well."""
    tests = Path(failing_rank.__file__).parent
    words = [str(mpiexec()), "-n", str(ranks), sys.executable, failing_rank.__file__]
    words += [str(rank), method, str(count), "train", "a.txt", *OPTIONS, *options]
    path = f"{environment()['PYTHONPATH']}:{tests}"
    found = subprocess.run(
        words, capture_output=True, timeout=120, env=environment({"PYTHONPATH": path})
    )
    assert found.returncode != 0
    return found.stderr.decode()


def test_a_disk_that_is_full_at_the_start_is_one_line() -> None:
    before = contents(Path())
    errors = run_failing(2, 0, "disk", 1)
    assert "cannot write the checkpoint a.npz: No space left on device" in only_line(errors)
    assert contents(Path()) == before


def test_a_disk_that_is_full_later_leaves_the_last_checkpoint() -> None:
    errors = run_failing(2, 0, "disk", 3)  # a checkpoint takes two: the file, and its folder
    assert "No space left on device; what was there before is untouched" in only_line(errors)
    assert read_checkpoint(Path("a.npz")).training["step"] == 0
