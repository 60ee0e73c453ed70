"""Ranks that mpiexec has started: the same training to the bit as in one process."""

import signal
from pathlib import Path

import pytest

from cli_helpers import TEXT, run, same_training, saved_step, write
from mpi import launch, needs_mpi, run_ranks

pytestmark = [needs_mpi, pytest.mark.usefixtures("_in_a_folder_with_a_text")]
SIZES = ("--batch-size", "6", "--seq-length", "8", "--sample-every", "0", "--epochs", "1")
KINDS = {
    "lstm": ("--hidden-size", "8", "--layers", "1", "--test-fraction", "0.2"),
    "gru with dropout": (
        "--cell", "gru", "--hidden-size", "8", "--layers", "2", "--dropout", "0.2",
        "--recurrent-dropout", "0.1", "--weight-decay", "0.01",
    ),
    "shared update": ("--hidden-size", "256", "--layers", "1", "--dropout", "0.1"),
}  # fmt: skip
"""The last one has so many weights that each rank updates a part of them."""


@pytest.fixture
def _in_a_folder_with_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.txt")


def train(ranks: int, threads: int, output: str, *options: str) -> None:
    """A training in so many ranks with so many workers each; 0 ranks are one process without
    MPI."""
    words = ("train", "a.txt", "-o", output, "--threads", str(threads), "-q", *options)
    outcome = run_ranks(ranks, *words, "--mpi") if ranks else run(*words)
    assert outcome.code == 0, outcome.errors
    assert outcome.errors == ""
    assert outcome.output == b""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("ranks", "threads"), [(2, 1), (3, 1), (2, 3)])
def test_ranks_and_one_process_agree_to_the_bit(kind: str, ranks: int, threads: int) -> None:
    train(ranks, threads, "ranks.npz", *SIZES, *KINDS[kind])
    train(0, ranks * threads, "one.npz", *SIZES, *KINDS[kind])
    same_training("ranks.npz", "one.npz")


@pytest.mark.parametrize("kind", ["lstm", "shared update"])
def test_a_stop_by_ctrl_c_and_a_resume_in_one_process_lose_nothing(kind: str) -> None:
    write("a.txt", TEXT * 30)
    options = (*SIZES, *KINDS[kind], "--threads", "1")
    with launch(2, "train", "a.txt", *options, "--mpi", "-o", "a.npz") as running:
        assert running.stderr
        for line in running.stderr:
            if line.startswith((b"step ", b"training for")):
                running.send_signal(signal.SIGINT)  # to mpiexec, as the terminal does
                break
        _, errors = running.communicate(timeout=120)
    assert running.returncode == 130, errors
    said = errors.decode().splitlines()
    assert "go on with: mpiexec -n 2 charrnn train a.txt --resume -o a.npz --mpi" in said
    assert saved_step("a.npz") < 500
    train(0, 2, "a.npz", "--resume")
    train(0, 2, "one.npz", *SIZES, *KINDS[kind])
    same_training("a.npz", "one.npz")


def test_ranks_go_on_with_a_training_of_one_process() -> None:
    train(0, 3, "a.npz", *SIZES, *KINDS["lstm"], "--epochs", "0.5")
    train(0, 3, "one.npz", *SIZES, *KINDS["lstm"], "--epochs", "0.5")
    train(0, 3, "one.npz", "--resume", "--epochs", "1")
    again = ("train", "a.txt", "-o", "a.npz", "--resume", "--epochs", "1", "--mpi")
    outcome = run_ranks(2, *again)  # without --threads: the same three shards
    assert outcome.code == 0
    assert "another number than before" not in outcome.errors
    same_training("a.npz", "one.npz")


def test_another_number_of_workers_is_told() -> None:
    train(0, 1, "a.npz", *SIZES, *KINDS["lstm"], "--epochs", "0.5")
    outcome = run_ranks(2, "train", "a.txt", "-o", "a.npz", "--resume", "--epochs", "1", "--mpi")
    assert outcome.code == 0
    assert "with 2 workers, another number than before: the training goes on, but" in outcome.errors
