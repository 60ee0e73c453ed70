"""Damage checkpoints in every way we can think of, and use them: python tests/mutations.py

Each ends in one line and exit code 1, or in a model that is truly valid; never in a traceback, in
code that runs, in more than 5 seconds, or in memory beyond twice the file and 200 MB. Where the
damage means nothing, the outcome is to the bit that of the whole checkpoint.
"""

import json
import math
import os
import random
import re
import resource
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import click
import numpy as np
from click.testing import CliRunner

from charrnn.checkpoints.format import Checkpoint, read_checkpoint
from charrnn.checkpoints.training_record import check_record
from charrnn.cli import main as charrnn
from charrnn.errors import CheckpointError
from cli_helpers import SMALL, succeed, timeless, write
from damage import MUTATIONS, Trap, another_number

SECONDS = 5.0
ROOM = 200 * 2**20
FILES = ("model.npz", "bytes.npz", "gru.npz")
SAMPLE = ("sample", "-c", "x.npz", "-n", "3", "--seed", "1")
RESUME = ("train", "a.txt", "-o", "x.npz", "--resume", "--epochs", "1.5", "-q")
COMMANDS: dict[tuple[str, ...], int] = {
    SAMPLE: 30,
    (*SAMPLE, "--prime", "line", "--unknown", "skip"): 8,
    ("sample", "-n", "3", "--seed", "1"): 5,
    ("info", "x.npz"): 10,
    ("info", "x.npz", "--json"): 5,
    ("info", "x.npz", "--gradient-flow", "--reach", "3"): 3,
    ("visualize-neurons", "x.npz", "--unit", "L0:1"): 3,
    ("score", "-c", "x.npz", "short.txt", "--unknown", "skip"): 8,
    RESUME: 12,
    ("train", "a.txt", "-o", "y.npz", "--force", "--init-from", "x.npz", "--epochs",
     "0.2", "--batch-size", "4", "--seq-length", "8", "--threads", "1", "-q"): 4,
}  # fmt: skip
"""How often each is used."""
COMMANDS_OF_NUMBERS = COMMANDS | {RESUME: 60}
"""The same for a damaged number of the header, most of which belong to the training."""
NO_NUMBER = re.compile(r"\b(nan|inf|infinity)\b", re.IGNORECASE)


def prepare() -> None:
    """Models and texts in the current folder."""
    write("a.txt")
    write("short.txt", "line 3 of it\n")
    options = (*SMALL, "--epochs", "1", "-q")
    succeed("train", "a.txt", *options, "-o", "model.npz")
    succeed("train", "a.txt", *options, "--bytes", "-o", "bytes.npz", "--dropout", "0.2")
    succeed("train", "a.txt", *options, "--cell", "gru", "--optimizer", "sgd", "-o", "gru.npz")


@dataclass(frozen=True)
class Outcome:
    """What a command made of a checkpoint: its standard output, and the checkpoint it has written;
    where it refused, neither."""

    output: str = ""
    written: Checkpoint | None = None
    refused: bool = False


def use(content: bytes, command: tuple[str, ...]) -> Outcome:
    """Run a command on a checkpoint. Raises AssertionError for anything but exit code 0, or 1 with
    a line that says why."""
    Path("y.npz").unlink(missing_ok=True)
    Path("x.npz").write_bytes(content)
    os.utime("x.npz", (4e9, 4e9))  # the newest of the folder
    started = time.monotonic()
    result = CliRunner().invoke(charrnn, list(command), prog_name="charrnn")
    seconds = time.monotonic() - started
    for leftover in Path().glob(".*"):
        raise AssertionError(f"{leftover} lies about")
    assert seconds < SECONDS, f"{seconds:.1f} s"
    assert not Trap.sprung, "code has run"
    if result.exit_code == 0:
        target = Path(command[command.index("-o") + 1]) if "-o" in command else None
        written = None if target is None else read_checkpoint(target)
        return Outcome(result.stdout, written)
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    lines = result.stderr.splitlines()
    lines = [line for line in lines if not line.startswith("charrnn: writing with ")]
    assert result.exit_code == 1, result.stderr
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("charrnn: ")
    assert lines[0].isprintable(), "nothing that a terminal obeys"
    assert len(lines[0]) < 2000, "a line is not a page"
    return Outcome(refused=True)


def judged(damaged: bytes, original: bytes, command: tuple[str, ...]) -> str:
    """What became of a damaged checkpoint: "refused", "valid" (another model, and what the command
    made of it fits that model) or "unharmed" (all as with the whole one). Raises AssertionError for
    anything else."""
    found = meaning(damaged)
    outcome = use(damaged, command)
    whole = meaning(original)
    if found is not None and whole is not None and identical(found, whole):
        expected = use(original, command)
        assert not outcome.refused, "it is whole"
        # as JSON, 0 and 0.0 are the same number
        read = json.loads if "--json" in command else str
        assert read(outcome.output) == read(expected.output), (
            "another output for the same checkpoint"
        )
        if outcome.written is not None and expected.written is not None:
            written = without_times(outcome.written), without_times(expected.written)
            assert identical(*written), "another result of the same training"
        return "unharmed"
    if outcome.refused:
        return "refused"
    assert found is not None, "it was used, and cannot be read"
    check_fits(outcome, found, command)
    return "valid"


def meaning(content: bytes) -> Checkpoint | None:
    """What a checkpoint of these bytes says; None for one that is refused."""
    Path("read.npz").write_bytes(content)
    try:
        return read_checkpoint(Path("read.npz"))
    except CheckpointError:
        return None
    finally:
        Path("read.npz").unlink()


def identical(one: Checkpoint, other: Checkpoint) -> bool:
    """Whether they are the same to the last bit."""
    return (
        one.header() == other.header()
        and one.weights.tobytes() == other.weights.tobytes()
        and one.arrays.keys() == other.arrays.keys()
        and all(
            array.tobytes() == other.arrays[name].tobytes() for name, array in one.arrays.items()
        )
    )


def without_times(checkpoint: Checkpoint) -> Checkpoint:
    """The same without what depends on the speed of the machine."""
    return replace(checkpoint, training=timeless(checkpoint.training))


def check_fits(outcome: Outcome, model: Checkpoint, command: tuple[str, ...]) -> None:
    """Raise AssertionError where the outcome of a command is none that this model can have."""
    if command[0] == "sample":
        text = outcome.output.removeprefix("line" if "--prime" in command else "")
        assert 3 <= len(text) <= 4, repr(text)
        known = "".join(map(chr, model.vocabulary.symbols)) + "\n"
        assert model.vocabulary.is_bytes or set(text) <= set(known), repr(text)
    elif command[0] == "train":
        assert outcome.written is not None
        check_trained(outcome.written)
        if "--resume" in command:
            before, after = model.training["step"], outcome.written.training["step"]
            assert after >= before, "the training has gone backwards"
            assert outcome.written.config == model.config
    elif "--json" in command:
        assert json.loads(outcome.output, parse_constant=no_constant) == model.header()
    else:
        assert outcome.output
        shown = outcome.output.replace(str(model.training.get("corpus")), "")
        assert not NO_NUMBER.search(shown), "a figure that is no number"


def no_constant(name: str) -> NoReturn:
    raise AssertionError(f"{name} in JSON")


def check_trained(checkpoint: Checkpoint) -> None:
    """Raise AssertionError unless it is the end of a training, in numbers."""
    record = check_record(checkpoint)
    assert record["finished"]
    assert record["validation_loss"] is not None
    assert math.isfinite(record["validation_loss"])
    json.dumps(record, allow_nan=False)
    for array in (checkpoint.weights, *checkpoint.arrays.values()):
        assert np.isfinite(array).all()


def try_mutations(count: int, seed: int) -> Counter[str]:
    """Damage and use so many checkpoints in the current folder; how often which came to what."""
    prepare()
    originals = {name: Path(name).read_bytes() for name in FILES}
    for name in FILES:
        Path(name).unlink()
    tally: Counter[str] = Counter()
    for command in COMMANDS:  # so that all is imported before memory is measured
        for name, original in originals.items():
            assert not use(original, suited(command, name)).refused, (name, command)
    before, largest = peak(), 0
    failures: list[str] = []
    for number in range(count):
        rng = random.Random(f"{seed}:{number}")
        (mutate,) = rng.choices(list(MUTATIONS), weights=list(MUTATIONS.values()))
        commands = COMMANDS_OF_NUMBERS if mutate is another_number else COMMANDS
        (command,) = rng.choices(list(commands), weights=list(commands.values()))
        name = rng.choice(FILES)
        original, command = originals[name], suited(command, name)
        damaged = mutate(original, rng)
        largest = max(largest, len(damaged))
        try:
            outcome = judged(damaged, original, command)
            used = peak() - before
            assert used <= 2 * largest + ROOM, f"{used / 2**20:.0f} MB of memory"
        except (AssertionError, CheckpointError) as error:
            failures.append(f"{seed}:{number}: {mutate.__name__}, {' '.join(command)}: {error}")
            continue
        tally[f"{mutate.__name__}: {outcome}"] += 1
    assert not failures, "\n".join([f"{len(failures)} failures", *failures[:20]])
    return tally


def suited(command: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The command for the model of a file: one of bytes learns bytes."""
    return (*command, "--bytes") if command[0] == "train" and name == "bytes.npz" else command


def peak() -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@click.command()
@click.option("--count", type=int, default=10_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def main(count: int, seed: int) -> None:
    """Damage so many checkpoints, and use them."""
    folder = tempfile.mkdtemp(prefix="charrnn-mutations-")
    try:
        os.chdir(folder)
        tally = try_mutations(count, seed)
    finally:
        os.chdir("/")
        shutil.rmtree(folder)
    for name, number in sorted(tally.items()):
        click.echo(f"{number:6}  {name}")


if __name__ == "__main__":
    main()
