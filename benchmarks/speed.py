"""charrnn beside PyTorch and other yardsticks, on this machine, in this run.

    python benchmarks/speed.py [--only training,sampling,...] [--rounds 7] [--json FILE]

Parts: training, cells, sampling, floor (min-char-rnn), memory, start. The contestants of a line are
processes that take turns, because machines are noisy; a figure is the median of the turns, and a
ratio the median of the ratios of neighbours, with the quartiles behind it. Both sides run with one
and with two threads (or all processors), and the faster one counts. A contestant that cannot run is
a dash, with the reason below the table: PyTorch, JAX and Keras, which charrnn does not need, may
not be installed (`pip install -e '.[bench,rivals]'`), or PyTorch has no bfloat16 LSTM for the
processor.

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
from pathlib import Path
from statistics import quantiles
from typing import Any

from contestants import ROOT
from race import DASH, Shape, all_of, geometric_mean, take_turns, with_spread

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
RIVALS = ("PyTorch", "JAX", "Keras")
PRODUCT_SIZE = 3072
PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2


def training_shapes(shape: Shape, *, all_rivals: bool) -> dict[str, Shape]:
    ours, torch = shape | {"name": "charrnn-training"}, shape | {"name": "torch-training"}
    threads = sorted({1, PROCESSORS})
    shapes = {f"charrnn {n}": ours | {"threads": n} for n in threads}
    shapes |= {f"PyTorch {n}": torch | {"threads": n} for n in threads}
    if all_rivals:
        all_threads = shape | {"threads": PROCESSORS}
        shapes["bfloat16"] = all_threads | {"name": "torch-training", "bfloat16": True}
        shapes["JAX"] = all_threads | {"name": "jax-training"}
        shapes["Keras"] = all_threads | {"name": "keras-training"}
    return shapes


def weights_of(shape: Shape) -> int:
    from charrnn.nn.network import NetworkConfig

    config = NetworkConfig(
        shape["symbols"], shape["hidden_size"], shape["layers"], shape.get("cell", "lstm")
    )
    return sum(rows * columns for rows, columns in config.shapes().values())


def training_line(shape: Shape, rounds: int, *, all_rivals: bool = True) -> dict[str, Any]:
    shapes = training_shapes(shape, all_rivals=all_rivals)
    shapes["product"] = {"name": "product", "size": PRODUCT_SIZE}
    race = take_turns(shapes, rounds)
    characters = shape["batch_size"] * shape["seq_length"]
    ours, torch = race.fastest("charrnn"), race.fastest("PyTorch")
    # operations a turn of ours, by those of a product
    work = 6 * weights_of(shape) * characters / (2 * PRODUCT_SIZE**3)
    limit = race.ratio("product", ours)
    return shape | {
        "characters_per_second": race.speeds(characters),
        "ratio": race.ratio(torch, ours),
        "ratio_bfloat16": race.ratio("bfloat16", ours),
        "fastest_rival": race.fastest(*RIVALS),
        "ratio_fastest_rival": race.ratio(race.fastest(*RIVALS), ours),
        "threads_ratio": race.ratio("charrnn 1", f"charrnn {PROCESSORS}"),
        "share_of_limit": limit and [work * share for share in limit],
        "reasons": race.reasons,
    }


def shape_of(layers: int, units: int, batch: int, steps: int, symbols: int) -> Shape:
    return {
        "layers": layers, "hidden_size": units, "batch_size": batch, "seq_length": steps,
        "symbols": symbols,
    }  # fmt: skip


def training(rounds: int, chosen: str | None) -> list[dict[str, Any]]:
    print(
        f"\n{'training':26}{'charrnn':>10}{'PyTorch':>10}{'ratio':>19}{'to bfloat16':>19}"
        f"{'to the fastest':>19}{'2 threads to 1':>19}{'of the limit':>19}"
    )
    rows = []
    for line in TRAINING:
        layers, units, batch, steps, symbols = line
        label = f"{layers} × {units} B{batch} T{steps}" + (f" V{symbols}" if symbols > 256 else "")
        if chosen is not None and chosen not in label:
            continue
        row = training_line(shape_of(*line), rounds)
        rows.append(row)
        print(
            f"{label:26}{speeds(row)}{with_spread(row['ratio']):>19}"
            f"{with_spread(row['ratio_bfloat16']):>19}"
            f"{with_spread(row['ratio_fastest_rival']):>19}{with_spread(row['threads_ratio']):>19}"
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
            row = training_line(shape_of(*line) | {"cell": cell}, rounds, all_rivals=False)
            rows.append(row)
            layers, units, batch, steps, _ = line
            show_pair(f"{cell} {layers} × {units} B{batch} T{steps}", row)
    show_mean(rows)
    return rows


def show_pair(label: str, row: dict[str, Any]) -> None:
    print(f"{label:26}{speeds(row)}{with_spread(row['ratio']):>19}", flush=True)


def speeds(row: dict[str, Any]) -> str:
    """Characters a second of the fastest of ours and of PyTorch's."""
    found = row["characters_per_second"]
    names = ("charrnn", "PyTorch")
    best = [
        max((v for n, v in found.items() if n.startswith(name)), default=None) for name in names
    ]
    return "".join(f"{DASH if speed is None else f'{speed:,.0f}':>10}" for speed in best)


def show_mean(rows: list[dict[str, Any]]) -> None:
    """The geometric means of the ratios, and why there are dashes."""
    for label, ratio in (("PyTorch", "ratio"), ("the fastest", "ratio_fastest_rival")):
        mean = geometric_mean([row[ratio][1] for row in rows if row[ratio]])
        label = f"geometric mean, beside {label}"
        print(f"{label:46}{DASH if mean is None else f'{mean:.2f}':>8}")
    show_reasons(*(row["reasons"] for row in rows))


def show_reasons(*reasons: dict[str, str]) -> None:
    """Each contestant that did not run, with its reason, once."""
    for name, reason in dict.fromkeys(pair for each in reasons for pair in each.items()):
        print(f"{DASH} {name}: {reason}")


def sampling(rounds: int) -> list[dict[str, Any]]:
    print(f"\n{'sampling':26}{'charrnn':>10}{'PyTorch':>10}{'ratio':>19}")
    rows = []
    for layers, units, batch in SAMPLING:
        shape = shape_of(layers, units, batch, 1, 87)
        torch = shape | {"name": "torch-sampling"}
        shapes = {"charrnn": shape | {"name": "charrnn-sampling"}}
        shapes |= {f"PyTorch {n}": torch | {"threads": n} for n in sorted({1, PROCESSORS})}
        race = take_turns(shapes, rounds)
        row = shape | {
            "characters_per_second": race.speeds(batch),
            "ratio": race.ratio(race.fastest("PyTorch"), "charrnn"),
            "reasons": race.reasons,
        }
        rows.append(row)
        show_pair(f"{layers} × {units}, {batch} stream{'s' if batch > 1 else ''}", row)
    show_reasons(*(row["reasons"] for row in rows))
    return rows


def floor(rounds: int) -> dict[str, float]:
    """min-char-rnn: one stream, 100 units, 25 steps."""
    shape = shape_of(1, 100, 1, 25, 87) | {"name": "min-char-rnn"}
    (speed,) = take_turns({"floor": shape}, rounds).speeds(25).values()
    print(f"\nmin-char-rnn (1 × 100, vanilla, one stream): {speed:,.0f} characters/s")
    return {"characters_per_second": speed}


def memory() -> dict[str, int]:
    """Peak of a training of 2 × 512, 64 streams of 64, in bytes."""
    shape = shape_of(2, 512, 64, 64, 87) | {"threads": PROCESSORS}
    names = {"charrnn": "charrnn-training", "PyTorch": "torch-training"}
    peaks: dict[str, int] = {}
    print("\npeak memory, 2 × 512 B64 T64")
    for label, name in names.items():
        with all_of({label: shape | {"name": name}}) as (contestants, reasons):
            for contestant in contestants.values():
                for _ in range(3):
                    contestant.seconds()
                peaks[label] = contestant.memory()
                print(f"{label:26}{peaks[label] / 2**20:10,.0f} MiB")
            show_reasons(reasons)
    if len(peaks) == len(names):
        print(f"{'ratio':26}{peaks['charrnn'] / peaks['PyTorch']:10.2f}")
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
