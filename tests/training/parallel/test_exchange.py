"""Ranks that take steps of their own between averagings (`sync_every`), or send each other rounded
gradients (`compress`)."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import local_steps
from charrnn.training import session
from charrnn.training.parallel.shard import Shard
from charrnn.training.parallel.workers import Threads
from cli_helpers import (
    TEXT,
    environment,
    header,
    refuse,
    run,
    same_arrays,
    same_training,
    saved_step,
    succeed,
    timeless,
    write,
)
from helpers import rounded_to_bfloat16
from mpi import launch, mpiexec, needs_mpi, run_ranks

SIZES = (
    "--batch-size", "7", "--seq-length", "8", "--hidden-size", "8", "--layers", "2",
    "--dropout", "0.2", "--sample-every", "0", "--threads", "1", "-q",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.txt")


def train(ranks: int, output: str, *options: str) -> None:
    outcome = run_ranks(ranks, "train", "a.txt", "-o", output, *SIZES, *options, "--mpi")
    assert outcome.code == 0, outcome.errors
    assert outcome.errors == ""


@needs_mpi
@pytest.mark.parametrize("ranks", [2, 3])
def test_local_steps_are_those_of_networks_apart_that_are_averaged(ranks: int) -> None:
    tests = Path(local_steps.__file__).parent
    path = environment()["PYTHONPATH"]
    subprocess.run(
        [str(mpiexec()), "-n", str(ranks), sys.executable, local_steps.__file__, "a.npz", "1"],
        check=True,
        env=environment({"PYTHONPATH": f"{path}:{tests}"}),
        timeout=120,
    )
    expected = local_steps.reference(ranks)
    with np.load("a.npz") as found:
        for name, array in expected.items():
            np.testing.assert_allclose(found[name], array, rtol=1e-10, atol=1e-13, err_msg=name)
    assert not np.allclose(expected["weights"], local_steps.reference(1)["weights"], atol=1e-5)


@needs_mpi
def test_one_rank_trains_as_without() -> None:
    train(1, "a.npz", "--epochs", "1", "--sync-every", "4")
    run("train", "a.txt", "-o", "b.npz", *SIZES, "--epochs", "1")
    same_arrays("a.npz", "b.npz")
    histories = [timeless(header(path)["training"]["history"]) for path in ("a.npz", "b.npz")]
    assert histories[0] == histories[1]


@needs_mpi
@pytest.mark.parametrize("epochs", ["1", "1.07"])
def test_a_run_repeats_to_the_bit_and_is_another_than_with_every_step(epochs: str) -> None:
    """16 or 18 steps: the last round of 5 is a short one."""
    for output in ("a.npz", "b.npz"):
        train(2, output, "--epochs", epochs, "--sync-every", "5")
    same_training("a.npz", "b.npz")
    train(2, "c.npz", "--epochs", epochs)
    with pytest.raises(AssertionError, match="weights differs"):
        same_arrays("a.npz", "c.npz")


@needs_mpi
def test_ctrl_c_waits_for_the_averaging_and_a_resumed_run_loses_nothing() -> None:
    write("a.txt", TEXT * 30)
    options = [word for word in SIZES if word != "-q"]
    with launch(
        2, "train", "a.txt", *options, "--epochs", "1", "--sync-every", "7", "--mpi"
    ) as running:
        assert running.stderr
        for line in running.stderr:
            if line.startswith(b"step "):
                running.send_signal(signal.SIGINT)
                break
        _, errors = running.communicate(timeout=120)
    assert running.returncode == 130, errors
    assert 0 < saved_step("a.npz") < 490
    assert saved_step("a.npz") % 7 == 0
    outcome = run_ranks(2, "train", "a.txt", "--resume", "--mpi")
    assert outcome.code == 0
    assert "another number than before" not in outcome.errors
    train(2, "b.npz", "--epochs", "1", "--sync-every", "7")
    same_training("a.npz", "b.npz")


@needs_mpi
def test_a_divergence_is_recovered_from_as_from_the_same_weights_on_all_ranks() -> None:
    write("a.txt", TEXT * 20)
    options = ("--epochs", "1", "--sync-every", "5", "--learning-rate", "100", "--clip", "0")
    for output in ("a.npz", "b.npz"):
        train(2, output, *options)
    same_training("a.npz", "b.npz")
    assert header("a.npz")["training"]["rescues"] > 0


@needs_mpi
def test_another_number_of_ranks_is_told() -> None:
    train(2, "a.npz", "--epochs", "0.5", "--sync-every", "4")
    again = ("train", "a.txt", "-o", "a.npz", "--resume", "--epochs", "1")
    outcome = run(*again, "--threads", "2")
    assert outcome.code == 0
    assert "with 2 workers in 1 rank, another number than before: the training" in outcome.errors


def test_without_ranks_it_is_refused() -> None:
    message = refuse("train", "a.txt", *SIZES, "--sync-every", "2")
    assert message == "--sync-every is for several ranks: start them with mpiexec, and give --mpi"


def test_snapshots_are_kept_only_of_averaged_weights() -> None:
    wanted = ("train", "a.txt", *SIZES, "--sync-every", "8")
    assert refuse(*wanted, "--keep", "12") == (
        "--keep needs multiples of --sync-every, 8, not 12: only then have all ranks the same "
        "weights"
    )
    assert "--keep-at needs multiples of --sync-every, 8" in refuse(*wanted, "--keep-at", "8,9")


def sum_rounded_gradients(self: Shard) -> float:
    """What `Shard.sum_gradients` does where two ranks with a shard each `compress`: in one process,
    whose first shard does it for all weights."""
    gradients = self._gradients
    squares = 0.0
    for block in self._plan.blocks(self._index):
        total = rounded_to_bfloat16(gradients[0][block]) + rounded_to_bfloat16(gradients[1][block])
        squares += float(np.dot(total, total))
        gradients[0][block] = rounded_to_bfloat16(total)
    return squares


@needs_mpi
@pytest.mark.parametrize("units", ["8", "256"])  # updated by one shard, and by all
def test_compressed_gradients_are_those_of_one_process_that_rounds(
    units: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = (*SIZES, "--epochs", "0.6", "--hidden-size", units)
    outcome = run_ranks(2, "train", "a.txt", "-o", "a.npz", *options, "--compress", "--mpi")
    assert outcome.code == 0, outcome.errors
    monkeypatch.setattr(session, "start_workers", Threads)
    monkeypatch.setattr(Shard, "sum_gradients", sum_rounded_gradients)
    succeed("train", "a.txt", "-o", "b.npz", *options, "--threads", "2")
    same_arrays("a.npz", "b.npz")
    monkeypatch.undo()


@needs_mpi
def test_a_compressed_training_that_was_stopped_goes_on_to_the_bit() -> None:
    for output, epochs in (("a.npz", "0.5"), ("b.npz", "1")):
        train(3, output, "--compress", "--schedule", "constant", "--epochs", epochs)
    outcome = run_ranks(
        3, "train", "a.txt", "-o", "a.npz", "--resume", "--epochs", "1", "--mpi", "-q"
    )
    assert outcome.code == 0
    with np.load("a.npz") as a, np.load("b.npz") as b:
        for name in ("last", "moments", "state"):
            assert a[name].tobytes() == b[name].tobytes(), name


@needs_mpi
def test_a_resumed_training_may_send_whole_gradients_again() -> None:
    train(2, "a.npz", "--compress", "--epochs", "0.3")
    resumed = ("train", "a.txt", "-o", "a.npz", "--resume", "-q", "--mpi", "--epochs")
    for epochs, options, expected in (("0.5", (), True), ("0.7", ("--no-compress",), False)):
        assert run_ranks(2, *resumed, epochs, *options).code == 0
        assert header("a.npz")["training"]["options"]["compress"] is expected


def test_gradients_that_are_not_sent_are_not_compressed() -> None:
    assert refuse("train", "a.txt", *SIZES, "--compress") == (
        "--compress is for several ranks: start them with mpiexec, and give --mpi"
    )
    assert "--compress is for gradients, which ranks do not send with --sync-every" in refuse(
        "train", "a.txt", *SIZES, "--compress", "--sync-every", "2"
    )
