"""`charrnn train --mpi` as a user sees it, and without what it needs."""

import re
import sys
from pathlib import Path

import pytest

from charrnn.training.parallel.launch import bound_blas, launched_rank
from cli_helpers import SMALL, contents, header, only_line, refuse, run, write
from mpi import needs_mpi, run_ranks


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.txt")


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, (0, 1)),
        ({"PMI_RANK": "2", "PMI_SIZE": "4"}, (2, 4)),
        ({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "3"}, (1, 3)),
        ({"PMI_RANK": "x", "PMI_SIZE": "4"}, (0, 1)),
    ],
)
def test_the_rank_is_that_of_the_environment(
    environment: dict[str, str], found: tuple[int, int]
) -> None:
    assert launched_rank(environment) == found


def test_blas_is_bounded_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    monkeypatch.setenv("MKL_NUM_THREADS", "")
    monkeypatch.delenv("MKL_NUM_THREADS")
    import os

    bound_blas()
    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"
    assert os.environ["MKL_NUM_THREADS"] == "1"


def test_without_mpi4py_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    message = refuse("train", "a.txt", *SMALL, "--mpi")
    assert re.match(r"--mpi needs mpi4py .*: install it with pip install", message)


def test_mpiexec_without_the_option_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setenv("PMI_SIZE", "4")
    message = refuse("train", "a.txt", *SMALL)
    assert message.startswith("mpiexec has started 4 trainings, which would all write one output")
    assert "--mpi" in message


@needs_mpi
def test_one_process_without_mpiexec_is_one_rank() -> None:
    outcome = run("train", "a.txt", *SMALL, "--epochs", "0.2", "--mpi", "-q")
    assert outcome.code == 0, outcome.errors
    assert header("a.npz")["training"]["step"] > 0


@needs_mpi
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.txt",), r"mpiexec has started 2 trainings"),
        (("no.txt", "--mpi"), r"no.txt does not exist"),
        (("a.txt", "--mpi", "--hidden-size", "0"), r"--hidden-size must be"),
        (("a.txt", "--mpi", "--batch-size", "1"), r"2 ranks are more than the 1 streams? of"),
        (("a.txt", "--mpi", "-o", "no/a.npz"), r"the folder no for the checkpoint"),
    ],
)
def test_errors_are_one_line_of_one_rank(arguments: tuple[str, ...], message: str) -> None:
    before = contents(Path())
    outcome = run_ranks(2, "train", *arguments)
    assert outcome.code == 1
    assert outcome.output == b"", "mpiexec has nothing to add"
    assert re.match(message, only_line(outcome.errors))
    assert contents(Path()) == before


@needs_mpi
def test_a_usage_error_is_said_once() -> None:
    outcome = run_ranks(2, "train", "a.txt", "--mpi", "--no-such-option")
    assert outcome.code == 2
    assert outcome.errors.count("No such option") == 1


@needs_mpi
def test_too_many_ranks_for_the_machine_are_told() -> None:
    outcome = run_ranks(3, "train", "a.txt", *SMALL, "--epochs", "0.2", "--mpi", "--threads", "1")
    assert outcome.code == 0
    assert "3 threads in 3 ranks" in outcome.errors


@needs_mpi
def test_how_to_go_on_is_said_at_the_start() -> None:
    outcome = run_ranks(2, "train", "a.txt", *SMALL, "--epochs", "0.2", "--mpi")
    line = "if a process or a machine fails, go on with: mpiexec -n 2 charrnn train a.txt --resume"
    assert f"{line} --mpi" in outcome.lines
