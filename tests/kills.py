"""Kill trainings at random moments, and see that nothing was lost: python tests/kills.py

Each training is killed, resumed, killed again and so on, until it is done; then its weights must be
those of the training that nobody killed, to the last bit. After every kill there must be a
checkpoint that loads. Every other kill comes at a random moment, and every other one as soon as an
unfinished checkpoint is seen, so that many fall into a save.
"""

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click

from charrnn.checkpoints.format import read_checkpoint
from cli_helpers import process, run, same_training, write

OPTIONS = (
    "--hidden-size", "384", "--layers", "1", "--batch-size", "2", "--seq-length", "8",
    "--epochs", "0.5", "--sample-every", "0",
)  # fmt: skip
"""A training of a few dozen steps with 20 looks, each of which is followed by a save."""


@dataclass
class Tally:
    """What became of the kills."""

    kills: int = 0
    inside_a_save: int = 0
    trainings: int = 0

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.inside_a_save} of them inside a save; each left a "
            f"checkpoint that loads; {self.trainings} trainings came out the same to the bit"
        )


def kill_trainings(folder: Path, kills: int, seed: int, threads: int = 1) -> Tally:
    """Kill trainings in `folder` so often, and finish the last of them. Raises AssertionError where
    something was lost."""
    rng = random.Random(seed)
    options = (*OPTIONS, "--threads", str(threads))
    write(str(folder / "a.txt"))
    outcome = run("train", "a.txt", *options, "-o", "whole.npz", "-q", cwd=folder)
    assert outcome.code == 0, outcome.errors
    tally = Tally()
    while tally.kills < kills:
        (folder / "a.npz").unlink(missing_ok=True)
        while True:
            was_there = (folder / "a.npz").exists()
            words = ("--resume",) if was_there else options
            limit = rng.uniform(0, 1.2) if tally.kills < kills else None
            if finished(folder, words, limit, in_a_save=tally.kills % 2 == 1):
                break
            tally.kills += 1
            partial = unfinished(folder)
            assert len(partial) <= 1, "what the kill before has left was cleared away"
            tally.inside_a_save += len(partial)
            if was_there:
                assert (folder / "a.npz").exists()
            if (folder / "a.npz").exists():
                read_checkpoint(folder / "a.npz")
        same_training(folder / "a.npz", folder / "whole.npz")
        assert not unfinished(folder), "nothing lies about in the end"
        tally.trainings += 1
    return tally


def unfinished(folder: Path) -> list[str]:
    """Checkpoints that are being written."""
    return [name for name in os.listdir(folder) if name.endswith(".partial")]


def finished(
    folder: Path, options: tuple[str, ...], limit: float | None, *, in_a_save: bool
) -> bool:
    """Train, and kill the training so many seconds after its first notice, or then at the beginning
    of the next save; whether it came to its end before."""
    running = process("train", "a.txt", *options, cwd=folder)
    with running:
        assert running.stderr
        first = running.stderr.readline()
        try:
            if limit is not None:
                time.sleep(limit)
                while in_a_save and running.poll() is None and not unfinished(folder):
                    pass
                running.kill()
            _, errors = running.communicate(timeout=600)
        except subprocess.TimeoutExpired:
            running.kill()
            raise
    if running.returncode == -signal.SIGKILL:
        return False
    if b"used up its budget" in first:  # it was killed between its last save and its end
        return True
    assert running.returncode == 0, (first + errors).decode()
    return True


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
