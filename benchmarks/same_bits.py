"""Whether two versions of charrnn compute the same, to the last bit.

    python benchmarks/same_bits.py OLD NEW [--python-old PYTHON] [--python-new PYTHON]

OLD and NEW are folders with a checkout each; both are run as a user runs them, on a text that is
made here. For each cell, with one and two threads, with and without dropout: the weights after 50
steps, samples of the trained model, and the weights after a training that OLD has begun is resumed
by NEW. Prints what differs, and ends with exit code 1 if anything does.
"""

import argparse
import hashlib
import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

CELLS = ("rnn", "lstm", "lstm-peephole", "lstm-coupled", "gru")
DROPOUT = ("--dropout", "0.2", "--recurrent-dropout", "0.1", "--weight-decay", "0.05")
NO_DROPOUT = ("--dropout", "0", "--recurrent-dropout", "0", "--weight-decay", "0")
SIZES = ("--hidden-size", "48", "--layers", "2", "--batch-size", "12", "--seq-length", "20")
ADAM = ("--optimizer", "adam")
"""Named, so that no version chooses what else it would for a short run."""
SAMPLES = (
    ("--seed", "7", "-n", "300"),
    ("--seed", "7", "-n", "100", "--temperature", "0.6", "--top-p", "0.9", "--prime", "the "),
    ("--seed", "7", "-n", "60", "--samples", "3", "--format", "jsonl"),
)


class Version:
    """One of the two versions, as a command line."""

    def __init__(self, folder: str, python: str) -> None:
        self._folder, self._python = Path(folder).resolve(), python

    def run(self, *arguments: str, code: int = 0) -> bytes:
        """What `charrnn` writes to standard output."""
        done = subprocess.run(
            [self._python, "-m", "charrnn", *arguments],
            env=os.environ | {"PYTHONPATH": str(self._folder)},
            capture_output=True,
            check=False,
        )
        if done.returncode != code:
            sys.exit(f"{self._folder}: {' '.join(arguments)}: {done.stderr.decode()}")
        return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--python-old", default=sys.executable)
    parser.add_argument("--python-new", default=sys.executable)
    options = parser.parse_args()
    old = Version(options.old, options.python_old)
    new = Version(options.new, options.python_new)
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        text = example()
        Path("text.txt").write_text(text)
        for cell, threads, dropout in itertools.product(CELLS, ("1", "2"), (NO_DROPOUT, DROPOUT)):
            name = f"{cell}, {threads} threads, {'dropout' if dropout == DROPOUT else 'no dropout'}"
            for what, is_same in compare(old, new, cell, threads, dropout, len(text)):
                different += not is_same
                print(f"{'same' if is_same else 'DIFFERENT':>9}  {name}: {what}", flush=True)
    sys.exit(f"{different} comparisons differ" if different else None)


def example() -> str:
    """A text of 24,000 characters with some structure, always the same one."""
    words = ("the", "a", "lamp", "reads", "Anna", "of", "bread", '"yes,"', "and", "two\n")
    rng = np.random.default_rng(3)
    return " ".join(words[n] for n in rng.integers(len(words), size=6000))[:24_000]


def compare(
    old: Version, new: Version, cell: str, threads: str, dropout: tuple[str, ...], characters: int
) -> list[tuple[str, bool]]:
    """What was compared, and whether it is the same."""
    windows = int(0.9 * characters - 1) // 12 // 20
    shared = ("text.txt", "--cell", cell, "--threads", threads, *SIZES, *dropout, *ADAM, "--quiet")
    for version, output in ((old, "old.npz"), (new, "new.npz")):
        version.run("train", *shared, "--epochs", str(50 / windows), "-o", output, "--force")
    found = [("weights after 50 steps", arrays("old.npz") == arrays("new.npz"))]
    for sample in SAMPLES:
        texts = [v.run("sample", "-c", "old.npz", *sample) for v in (old, new)]
        # a text that ends in a line end may get no other one
        found.append((" ".join(sample), texts[0].rstrip(b"\n") == texts[1].rstrip(b"\n")))
    Path("resumed.npz").write_bytes(Path("old.npz").read_bytes())
    for version, output in ((old, "old.npz"), (new, "resumed.npz")):
        longer = ("--epochs", str(80 / windows), "--quiet", "--threads", threads)
        version.run("train", "text.txt", "--resume", *longer, "-o", output)
    found.append(("30 steps more, resumed", arrays("old.npz") == arrays("resumed.npz")))
    return found


def arrays(path: str) -> dict[str, str]:
    """The digests of the arrays that both versions write."""
    with np.load(path) as file:
        names = ("weights", "last", "moments", "state")
        return {name: hashlib.sha256(file[name].tobytes()).hexdigest() for name in names}


if __name__ == "__main__":
    main()
