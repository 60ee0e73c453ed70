"""An epoch by the command line beside the steps alone.

    python benchmarks/epoch.py TEXT [--rounds 3] [--hidden-size 256] [--layers 2] [--epochs 1]

Both take the same steps, in turns: once `charrnn train TEXT --epochs 1` as a whole process, from
its start to its last checkpoint, with its validations and the measurement at the end; and once the
steps by themselves, gradient, clipping and update, with their network and workers ready. Prints
seconds of both, and which share of the steps' speed the command reaches.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from charrnn.machine.blas import one_thread
from charrnn.nn.network import Network, NetworkConfig
from charrnn.optim.clipping import clip_scale
from charrnn.options import DEFAULT_SEQ_LENGTH, TrainingOptions, usable_threads
from charrnn.text.batches import Batches
from charrnn.text.corpus import read_corpus
from charrnn.training.parallel.sharded import ShardedNetwork, start_workers

ROOT = Path(__file__).resolve().parent.parent
WARM_UP_STEPS = 5


def command_seconds(text: Path, hidden_size: int, layers: int, epochs: float) -> float:
    """Wall time of the command."""
    network = ["--hidden-size", str(hidden_size), "--layers", str(layers), "--dropout", "0"]
    windows = ["--seq-length", str(DEFAULT_SEQ_LENGTH)]
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        subprocess.run(
            [
                sys.executable, "-m", "charrnn", "train", str(text.resolve()), "-q",
                "--epochs", str(epochs), *network, *windows,
            ],
            cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True,
        )  # fmt: skip
        return time.perf_counter() - start


def steps_seconds(text: Path, hidden_size: int, layers: int, epochs: float) -> float:
    """Wall time of as many steps."""
    options = TrainingOptions(threads=usable_threads())
    corpus = read_corpus([str(text)])
    train, _, _ = corpus.split(options.validation_fraction)
    config = NetworkConfig(corpus.vocabulary.size, hidden_size, layers)
    network = Network.create(config, np.random.default_rng(options.seed))
    batches = Batches(train, options.batch_size, options.seq_length)
    with (
        one_thread(),
        ShardedNetwork.for_training(network, options, batches, start_workers) as sharded,
    ):
        start = 0.0
        for step in range(WARM_UP_STEPS + round(epochs * batches.windows)):
            if step == WARM_UP_STEPS:
                start = time.perf_counter()
            sharded.compute_gradient_of_window(step % batches.windows, step)
            scale = clip_scale(sharded.gradient_norm(), options.clip)
            sharded.update(step + 1, 1e-3, scale)
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hidden-size", type=int, default=256)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--epochs", type=float, default=1.0)
    options = parser.parse_args()
    run = (options.text, options.hidden_size, options.layers, options.epochs)
    pairs = [(command_seconds(*run), steps_seconds(*run)) for _ in range(options.rounds)]
    shares = sorted(steps / command for command, steps in pairs)
    print(
        f"{options.epochs:g} epochs, {options.layers} × {options.hidden_size}: "
        f"{median(command for command, _ in pairs):.1f} s by the command, "
        f"{median(steps for _, steps in pairs):.1f} s of steps; "
        f"{median(shares):.3f} ({shares[0]:.3f}-{shares[-1]:.3f}) of their speed"
    )


if __name__ == "__main__":
    main()
