"""Kill trainings at random moments, and see that nothing was lost: python tests/kills.py

Each training is killed, resumed, killed again and so on, until it is done; then its weights must be
those of the training that nobody killed, to the last bit. What is killed is the training itself,
one of its worker processes, or both at once. After every kill there must be a checkpoint that
loads, and no process that goes on. Every other kill comes at a random moment, and every other one
as soon as an unfinished checkpoint is seen, so that many fall into a save.
"""

import contextlib
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from charrnn.checkpoints.format import read_checkpoint
from charrnn.checkpoints.snapshot_file import snapshots_path
from cli_helpers import TEXT, environment, header, run, same_training, write

NETWORK = (
    "--hidden-size", "384", "--layers", "1", "--batch-size", "2", "--seq-length", "8",
    "--sample-every", "0",
)  # fmt: skip
STEPS = ("--epochs", "0.5")
"""A few dozen steps, with 20 validations, each of which is followed by a save."""
TRAININGS: dict[str, tuple[str, ...]] = {
    "plain": STEPS,
    "dropout": (*STEPS, "--dropout", "0.3", "--recurrent-dropout", "0.2"),
    "plateau": (*STEPS, "--schedule", "plateau", "--learning-rate", "0.1"),
    "timed saves": STEPS,
    "snapshots": (*STEPS, "--keep", "1", "--keep-at", "2,9"),
    "recovery": (
        "--hidden-size", "64", "--batch-size", "32", "--seq-length", "16", "--epochs", "2",
        "--optimizer", "sgd", "--learning-rate", "30", "--clip", "0", "--schedule", "constant",
    ),
}  # fmt: skip
"""The options of each kind of training. The last one diverges, goes back to an earlier state with
half the learning rate, and has to do so in the same way after a kill."""
LONG_TEXT = "recovery"
"""The kind of training that has 20 times as much text."""
SAVE_SECONDS = {"timed saves": 0.02, "recovery": 0.02}
"""Seconds between two saves, where they are not those of the trainer."""
START = (
    "import sys; from charrnn.training import trainer; seconds = sys.argv.pop(1); "
    "trainer.SAVE_SECONDS = float(seconds or trainer.SAVE_SECONDS); "
    "from charrnn.cli import main; main()"
)
VICTIMS = ("training", "worker", "both")
KILLS_EACH = 6
"""Kills after which a training is left in peace."""


@dataclass
class Tally:
    """What became of the kills."""

    by_training: Counter[str] = field(default_factory=Counter)
    by_victim: Counter[str] = field(default_factory=Counter)
    inside_a_save: int = 0
    trainings: int = 0

    @property
    def kills(self) -> int:
        return self.by_victim.total()

    def __str__(self) -> str:
        kinds = (*self.by_training.items(), *self.by_victim.items())
        return (
            f"{self.kills} kills, {self.inside_a_save} of them inside a save; each left a "
            f"checkpoint that loads; {self.trainings} trainings came out the same to the bit\n"
            + "\n".join(f"{number:6}  {name}" for name, number in kinds)
        )


def kill_trainings(folder: Path, kills: int, seed: int, threads: int = 1) -> Tally:
    """Kill trainings in `folder` so often, and finish the last of them. Raises AssertionError where
    something was lost."""
    rng = random.Random(seed)
    tally = Tally()
    for name in itertools.cycle(TRAININGS):
        if tally.kills >= kills:
            return tally
        write(str(folder / "a.txt"), TEXT * (20 if name == LONG_TEXT else 1))
        options = (*NETWORK, *TRAININGS[name], "--threads", str(threads))
        whole = folder / f"{name}.npz"
        if not whole.exists():
            outcome = run("train", "a.txt", *options, "-o", whole, "-q", cwd=folder)
            assert outcome.code == 0, outcome.errors
            assert name != "recovery" or header(whole)["training"]["rescues"] > 0
        for file in (folder / "a.npz", snapshots_path(folder / "a.npz")):
            file.unlink(missing_ok=True)
        most = min(kills, tally.kills + KILLS_EACH)
        while not one_run(folder, name, options, tally, most, rng):
            pass
        same_training(folder / "a.npz", whole)
        if name == "snapshots":
            one, other = snapshots_path(folder / "a.npz"), snapshots_path(whole)
            assert one.read_bytes() == other.read_bytes()
        assert not leftovers(folder), "nothing lies about in the end"
        tally.trainings += 1
    raise AssertionError


def one_run(
    folder: Path, name: str, options: tuple[str, ...], tally: Tally, kills: int, rng: random.Random
) -> bool:
    """Begin the training in `folder` or go on with it, and kill it, unless there were `kills` kills
    before; whether it has come to its end."""
    output = folder / "a.npz"
    was_there = output.exists()
    before = position(header(output)["training"]) if was_there else (0, 0)
    victim = None
    if tally.kills < kills:
        victim = rng.choice(VICTIMS if options[-1] != "1" else VICTIMS[:1])
    with begun(folder, ("--resume",) if was_there else options, SAVE_SECONDS.get(name)) as running:
        ended = finished(folder, running, victim, rng, in_a_save=tally.kills % 2 == 1)
    if ended or victim is None:
        return True
    tally.by_training[name] += 1
    tally.by_victim[victim] += 1
    unfinished = [name for name in leftovers(folder) if name.endswith(".partial")]
    assert len(unfinished) <= 1, "what the kill before has left was removed"
    if victim == "worker":
        assert not leftovers(folder), "the training itself has cleared up"
    tally.inside_a_save += len(unfinished)
    assert output.exists() or not was_there
    if output.exists():
        assert position(read_checkpoint(output).training) >= before
    return False


def position(record: dict[str, Any]) -> tuple[int, int]:
    """How far a training is: a recovery goes back some steps, and is itself a step forward."""
    return record["rescues"], record["step"]


def leftovers(folder: Path) -> list[str]:
    """Checkpoints that are being written, and locks."""
    return [name for name in os.listdir(folder) if name.startswith(".")]


def begun(
    folder: Path, options: tuple[str, ...], save_seconds: float | None
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", START, str(save_seconds or ""), "train", "a.txt", *options],
        cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
        bufsize=0,  # what follows the first line is left in the pipe
    )  # fmt: skip


def finished(
    folder: Path,
    running: "subprocess.Popen[bytes]",
    victim: str | None,
    rng: random.Random,
    *,
    in_a_save: bool,
) -> bool:
    """Kill a running training some time after its first notice, or then at the beginning of the
    next save; whether it came to its end before."""
    assert running.stderr
    first = running.stderr.readline()
    workers: list[int] = []
    try:
        if victim is not None:
            time.sleep(rng.uniform(0, 1.2))
            while in_a_save and running.poll() is None and not partial(folder):
                time.sleep(0.0005)
            workers = children(running.pid)
            kill(running, victim, workers, rng)
        _, errors = running.communicate(timeout=600)
    except subprocess.TimeoutExpired:
        running.kill()
        raise
    wait_for_end_of(workers)
    if running.returncode == -signal.SIGKILL:
        return False
    if b"used up its budget" in first:  # it was killed between its last save and its end
        return True
    said = (first + errors).decode()
    if victim == "worker" and running.returncode == 1:
        assert said.splitlines()[-1].startswith("charrnn: a worker process"), said
        return False
    assert running.returncode == 0, said
    return True


def partial(folder: Path) -> bool:
    return any(name.endswith(".partial") for name in os.listdir(folder))


def kill(
    running: "subprocess.Popen[bytes]", victim: str, workers: list[int], rng: random.Random
) -> None:
    """Kill the training, one of its workers, or all of them; at its beginning and at its end there
    are none."""
    targets = {"training": [], "worker": rng.sample(workers, min(1, len(workers))), "both": workers}
    for worker in targets[victim]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    if victim != "worker":
        running.kill()


def children(process: int) -> list[int]:
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def wait_for_end_of(workers: list[int]) -> None:
    """A worker ends when it hears nothing from its training any more. Raises AssertionError."""
    end = time.monotonic() + 60
    while any(is_running(worker) for worker in workers):
        assert time.monotonic() < end, "a worker has outlived its training"
        time.sleep(0.01)


def is_running(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


@click.command()
@click.option("--kills", type=int, default=200, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--threads", type=int, default=1, show_default=True)
def main(kills: int, seed: int, threads: int) -> None:
    """Kill trainings at random moments, and see that nothing was lost."""
    folder = Path(tempfile.mkdtemp(prefix="charrnn-kills-"))
    try:
        click.echo(kill_trainings(folder, kills, seed, threads))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
