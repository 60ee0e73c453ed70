"""How long `charrnn visualize-neurons` takes, and how much memory.

    python benchmarks/neurons.py MODEL.npz [--rounds 3] [--json FILE]
    python benchmarks/neurons.py --memory

The first line measures whole commands, run in the folder of the model: a single cell (`--unit`),
and the table of cells; prints the median of their wall times, and the seconds of all processors
together. The second line searches 200,000 characters with an untrained network of 2 × 512 (1,024
cells) and all features, and prints the peak of the resident memory.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = {"one cell": ("--unit", "L0:0"), "table": ()}
MEGABYTE = 10**6
MEMORY = """
import numpy as np
from charrnn.model import Model
from charrnn.neurons.features.registry import FEATURES
from charrnn.neurons.search import by_kind, search
from charrnn.nn.network import Network, NetworkConfig
from charrnn.text.corpus import read_corpus

corpus = read_corpus([{text!r}])
ids = np.resize(corpus.ids, 200_000)
network = Network.create(NetworkConfig(corpus.vocabulary.size, 512, 2), np.random.default_rng(1))
search(Model(network, corpus.vocabulary), ids, features=by_kind(list(FEATURES.values())))
"""


def measured(command: Sequence[str], folder: Path) -> tuple[float, float, int]:
    """Wall seconds, processor seconds and peak memory (bytes) of a Python process."""
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    ) as running:
        _, status, usage = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with code {running.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    seconds = usage.ru_utime + usage.ru_stime
    return time.perf_counter() - start, seconds, usage.ru_maxrss * unit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    if arguments.memory:
        text = str(ROOT / "corpora" / "wiki.txt")
        _, _, peak = measured(["-c", MEMORY.format(text=text)], ROOT)
        figures["memory"] = {"megabytes": peak / MEGABYTE}
        print(f"1,024 cells, 200,000 characters  {peak / MEGABYTE:,.0f} MB")
    if arguments.model is not None:
        model = arguments.model.resolve()
        for name, options in COMMANDS.items():
            command = ["-m", "charrnn", "visualize-neurons", model.name, *options]
            turns = [measured(command, model.parent) for _ in range(arguments.rounds)]
            wall, processors = (median(turn[n] for turn in turns) for n in (0, 1))
            figures[name] = {"seconds": wall, "processor_seconds": processors}
            print(f"{name:10} {wall:6.2f} s, of all processors {processors:6.2f} s")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
