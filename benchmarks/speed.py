"""charrnn beside PyTorch and other yardsticks, on this machine, in this run.

    python benchmarks/speed.py [--only training,sampling,...] [--rounds 7] [--json FILE]

Parts: training, cells, sampling, floor (min-char-rnn), memory, start. The contestants of a line are
processes that take turns, because machines are noisy; a figure is the median of the turns, and a
ratio the median of the ratios of neighbours, with the quartiles behind it. Both sides run with one
and with two threads (or all processors), and the faster one counts. PyTorch is not needed by
charrnn: `pip install -e '.[bench]'`.

The environment's OPENBLAS_CORETYPE, if it is set, holds NumPy to the kernels of another processor;
PyTorch does not know it. `make bench` leaves it out.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import exp, log
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from contestants import ROOT

TRAINING = [
    (1, 128, 50, 50, 87),
    (2, 128, 50, 50, 87),
    (1, 256, 64, 64, 87),
    (2, 256, 64, 64, 87),
    (1, 512, 64, 128, 87),
    (2, 512, 64, 64, 87),
    (2, 512, 128, 64, 87),
    (3, 512, 100, 100, 87),
    (1, 256, 64, 64, 5387),
]
"""Layers, units, streams, steps, symbols."""
SAMPLING = [(2, 128, 1), (2, 256, 1), (2, 512, 1), (2, 256, 64)]
"""Layers, units, streams."""
CELL_SHAPES = [
    (1, 128, 50, 50, 87),
    (1, 256, 64, 64, 87),
    (2, 256, 64, 64, 87),
    (2, 512, 64, 64, 87),
]
TURN_SECONDS = 0.7
"""How long a contestant works at a time, at least one turn of its own."""
PRODUCT_SIZE = 3072
PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2

Shape = dict[str, Any]


class Contestant:
    """A process that works when it is told to."""

    def __init__(self, shape: Shape) -> None:
        command = [sys.executable, str(ROOT / "benchmarks" / "contestants.py"), json.dumps(shape)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self._answer()
        self._turns = 1
        first = min(self.seconds(), self.seconds())
        self._turns = max(1, round(TURN_SECONDS / first))

    def seconds(self) -> float:
        """Work for a while; seconds a turn took."""
        return float(self._ask(str(self._turns))) / self._turns

    def memory(self) -> int:
        """Peak resident bytes."""
        return int(self._ask("memory"))

    def _ask(self, question: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("a contestant has ended: its error stands above")
        return answer

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def all_of(shapes: dict[str, Shape]) -> Iterator[dict[str, Contestant]]:
    contestants: dict[str, Contestant] = {}
    try:
        for name, shape in shapes.items():
            contestants[name] = Contestant(shape)
        yield contestants
    finally:
        for contestant in contestants.values():
            contestant.close()


def take_turns(shapes: dict[str, Shape], rounds: int) -> dict[str, list[float]]:
    """Seconds a turn, round by round."""
    times: dict[str, list[float]] = {name: [] for name in shapes}
    with all_of(shapes) as contestants:
        for round_ in range(rounds):
            names = list(shapes)
            for name in names if round_ % 2 == 0 else reversed(names):
                times[name].append(contestants[name].seconds())
    return times


def fastest(times: dict[str, list[float]], prefix: str) -> str:
    """The name of the fastest contestant whose name begins like that."""
    return min((n for n in times if n.startswith(prefix)), key=lambda name: median(times[name]))


def ratio(slow: list[float], fast: list[float]) -> list[float]:
    """Lower quartile, median, upper quartile of how many times as fast the second one is."""
    return quantiles([a / b for a, b in zip(slow, fast, strict=True)], n=4)


def with_spread(quartiles: list[float]) -> str:
    low, middle, high = quartiles
    return f"{middle:5.2f} ({low:.2f}-{high:.2f})"


def training_shapes(shape: Shape, *, bfloat16: bool) -> dict[str, Shape]:
    ours, torch = shape | {"name": "charrnn-training"}, shape | {"name": "torch-training"}
    threads = sorted({1, PROCESSORS})
    shapes = {f"charrnn {n}": ours | {"threads": n} for n in threads}
    shapes |= {f"PyTorch {n}": torch | {"threads": n} for n in threads}
    if bfloat16:
        shapes["bfloat16"] = torch | {"threads": PROCESSORS, "bfloat16": True}
    return shapes


def weights_of(shape: Shape) -> int:
    from charrnn.nn.network import NetworkConfig

    config = NetworkConfig(
        shape["symbols"], shape["hidden_size"], shape["layers"], shape.get("cell", "lstm")
    )
    return sum(rows * columns for rows, columns in config.shapes().values())


def training_line(shape: Shape, rounds: int, *, bfloat16: bool = True) -> dict[str, Any]:
    shapes = training_shapes(shape, bfloat16=bfloat16)
    shapes["product"] = {"name": "product", "size": PRODUCT_SIZE}
    times = take_turns(shapes, rounds)
    characters = shape["batch_size"] * shape["seq_length"]
    ours, torch = fastest(times, "charrnn"), fastest(times, "PyTorch")
    operations = 6 * weights_of(shape) * characters
    limit = [
        (operations / mine) / (2 * PRODUCT_SIZE**3 / product)
        for mine, product in zip(times[ours], times["product"], strict=True)
    ]
    return shape | {
        "characters_per_second": {n: characters / median(t) for n, t in times.items()},
        "ratio": ratio(times[torch], times[ours]),
        "ratio_bfloat16": ratio(times["bfloat16"], times[ours]) if bfloat16 else None,
        "threads_ratio": ratio(times["charrnn 1"], times[f"charrnn {PROCESSORS}"]),
        "share_of_limit": quantiles(limit, n=4),
    }


def shape_of(layers: int, units: int, batch: int, steps: int, symbols: int) -> Shape:
    return {
        "layers": layers, "hidden_size": units, "batch_size": batch, "seq_length": steps,
        "symbols": symbols,
    }  # fmt: skip


def training(rounds: int, chosen: str | None) -> list[dict[str, Any]]:
    print(
        f"\n{'training':26}{'charrnn':>10}{'PyTorch':>10}{'ratio':>19}{'to bfloat16':>19}"
        f"{'2 threads to 1':>19}{'of the limit':>19}"
    )
    rows = []
    for line in TRAINING:
        layers, units, batch, steps, symbols = line
        label = f"{layers} × {units} B{batch} T{steps}" + (f" V{symbols}" if symbols > 256 else "")
        if chosen is not None and chosen not in label:
            continue
        row = training_line(shape_of(*line), rounds)
        rows.append(row)
        speed = row["characters_per_second"]
        ours = max(v for n, v in speed.items() if n.startswith("charrnn"))
        theirs = max(v for n, v in speed.items() if n.startswith("PyTorch"))
        print(
            f"{label:26}{ours:10,.0f}{theirs:10,.0f}{with_spread(row['ratio']):>19}"
            f"{with_spread(row['ratio_bfloat16']):>19}{with_spread(row['threads_ratio']):>19}"
            f"{with_spread(row['share_of_limit']):>19}",
            flush=True,
        )
    show_mean(rows)
    return rows


def cells(rounds: int) -> list[dict[str, Any]]:
    """The simple recurrent network and the GRU beside PyTorch's, over some shapes."""
    print(f"\n{'cells':26}{'charrnn':>10}{'PyTorch':>10}{'ratio':>19}")
    rows = []
    for cell in ("rnn", "gru"):
        for line in CELL_SHAPES:
            row = training_line(shape_of(*line) | {"cell": cell}, rounds, bfloat16=False)
            rows.append(row)
            layers, units, batch, steps, _ = line
            show_pair(f"{cell} {layers} × {units} B{batch} T{steps}", row)
    show_mean(rows)
    return rows


def show_pair(label: str, row: dict[str, Any]) -> None:
    speed = row["characters_per_second"]
    ours = max(v for n, v in speed.items() if n.startswith("charrnn"))
    theirs = max(v for n, v in speed.items() if n.startswith("PyTorch"))
    print(f"{label:26}{ours:10,.0f}{theirs:10,.0f}{with_spread(row['ratio']):>19}", flush=True)


def show_mean(rows: list[dict[str, Any]]) -> None:
    means = [row["ratio"][1] for row in rows]
    print(f"{'geometric mean':46}{exp(sum(map(log, means)) / len(means)):8.2f}")


def sampling(rounds: int) -> list[dict[str, Any]]:
    print(f"\n{'sampling':26}{'charrnn':>10}{'PyTorch':>10}{'ratio':>19}")
    rows = []
    for layers, units, batch in SAMPLING:
        shape = shape_of(layers, units, batch, 1, 87)
        torch = shape | {"name": "torch-sampling"}
        shapes = {"charrnn": shape | {"name": "charrnn-sampling"}}
        shapes |= {f"PyTorch {n}": torch | {"threads": n} for n in sorted({1, PROCESSORS})}
        times = take_turns(shapes, rounds)
        theirs = fastest(times, "PyTorch")
        row = shape | {
            "characters_per_second": {n: batch / median(t) for n, t in times.items()},
            "ratio": ratio(times[theirs], times["charrnn"]),
        }
        rows.append(row)
        show_pair(f"{layers} × {units}, {batch} stream{'s' if batch > 1 else ''}", row)
    return rows


def floor(rounds: int) -> dict[str, float]:
    """min-char-rnn: one stream, 100 units, 25 steps."""
    shape = shape_of(1, 100, 1, 25, 87) | {"name": "min-char-rnn"}
    seconds = median(take_turns({"floor": shape}, rounds)["floor"])
    print(f"\nmin-char-rnn (1 × 100, vanilla, one stream): {25 / seconds:,.0f} characters/s")
    return {"characters_per_second": 25 / seconds}


def memory() -> dict[str, int]:
    """Peak of a training of 2 × 512, 64 streams of 64."""
    shape = shape_of(2, 512, 64, 64, 87) | {"threads": PROCESSORS}
    names = {"charrnn": "charrnn-training", "PyTorch": "torch-training"}
    peaks = {}
    for label, name in names.items():
        with all_of({label: shape | {"name": name}}) as contestants:
            for _ in range(3):
                contestants[label].seconds()
            peaks[label] = contestants[label].memory()
    print(
        f"\npeak memory, 2 × 512 B64 T64: charrnn {peaks['charrnn'] / 2**20:,.0f} MiB, "
        f"PyTorch {peaks['PyTorch'] / 2**20:,.0f} MiB, "
        f"ratio {peaks['charrnn'] / peaks['PyTorch']:.2f}"
    )
    return peaks


def start(rounds: int) -> dict[str, list[float]]:
    """Whole processes: `--help`, and the first character of a 2 × 256 model."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                sys.executable, "-m", "charrnn", "train", str(ROOT / "corpora" / "wiki.txt"),
                "-o", f"{folder}/model.npz", "--epochs", "0.001", "-q",
            ],
            check=True, cwd=ROOT,
        )  # fmt: skip
        commands = {
            "charrnn --help": ["--help"],
            "first character": ["sample", "-c", f"{folder}/model.npz", "-n", "1"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds + 1):
            for name, words in commands.items():
                begin = time.perf_counter()
                subprocess.run(
                    [sys.executable, "-m", "charrnn", *words],
                    check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
                times[name].append(time.perf_counter() - begin)
    print()
    result = {name: quantiles(values[1:], n=4) for name, values in times.items()}
    for name, (low, middle, high) in result.items():
        print(f"{name:26}{1000 * middle:6.0f} ms ({1000 * low:.0f}-{1000 * high:.0f})")
    return result


def machine() -> dict[str, Any]:
    import numpy as np
    from threadpoolctl import threadpool_info

    kernels = sorted({i["architecture"] for i in threadpool_info() if "architecture" in i})
    described = {
        "processors": PROCESSORS,
        "processor": processor(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "kernels": kernels,
    }
    print(", ".join(f"{name} {value}" for name, value in described.items()), flush=True)
    return described


def processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    return text.partition("model name")[2].partition(":")[2].partition("\n")[0].strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="training,cells,sampling,floor,memory,start")
    parser.add_argument("--shape", help="only the lines of the training's table with this in them")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    parts = options.only.split(",")
    sys.path.insert(0, str(ROOT))
    results: dict[str, Any] = {"machine": machine()}
    if "training" in parts:
        results["training"] = training(options.rounds, options.shape)
    if "cells" in parts:
        results["cells"] = cells(options.rounds)
    if "sampling" in parts:
        results["sampling"] = sampling(options.rounds)
    if "floor" in parts:
        results["floor"] = floor(options.rounds)
    if "memory" in parts:
        results["memory"] = memory()
    if "start" in parts:
        results["start"] = start(options.rounds)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
