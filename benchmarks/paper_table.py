"""Table 1 of Karpathy, Johnson & Fei-Fei (2015, "Visualizing and Understanding Recurrent Networks",
arXiv:1506.02078) once more: test losses on War and Peace of RNN, LSTM and GRU with 1 to 3 layers of
64 to 512 units.

    python benchmarks/paper_table.py war_and_peace.txt --epochs 10        all, small ones first
    python benchmarks/paper_table.py war_and_peace.txt --only lstm-1-64   this one; repeatable
    python benchmarks/paper_table.py war_and_peace.txt --most-minutes 60  none begins after an hour
    python benchmarks/paper_table.py war_and_peace.txt --show             only the table

The text is read as bytes: the first 80 % for training, the next 10 % choose the weights, the last
10 % are the test. Results are kept in --folder: what is there is not trained again, and a training
that was interrupted continues where it stopped.
"""

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import charrnn
from charrnn.registries import CELLS
from charrnn.training.events import Event, Finished, Step

KINDS, LAYERS, SIZES = ("lstm", "rnn", "gru"), (1, 2, 3), (64, 128, 256, 512)
PAPER = {"lstm-1-128": 1.277, "lstm-2-512": 1.092, "gru-3-512": 1.077}
"""Those of the paper's values that are quoted elsewhere too; the paper itself was not at hand."""


@dataclass(frozen=True)
class Result:
    """The losses of a network in nats a byte, and what they took."""

    test: float
    validation: float
    minutes: float
    characters: int
    threads: int
    epochs: float


def name_of(cell: str, layers: int, size: int) -> str:
    return f"{cell}-{layers}-{size}"


def all_names() -> list[str]:
    """All networks, the fastest to train first."""
    order = sorted((size * size * layers, size, layers) for size in SIZES for layers in LAYERS)
    return [name_of(cell, layers, size) for _, size, layers in order for cell in KINDS]


def trained(text: Path, name: str, folder: Path, options: argparse.Namespace) -> Result:
    """Train a network, or continue its training."""
    cell, layers, size = name.split("-")
    assert cell in CELLS
    output, characters = folder / f"{name}.npz", 0
    ends: list[Finished] = []

    def note(event: Event) -> None:
        nonlocal characters
        if isinstance(event, Step):
            characters = event.characters
        if isinstance(event, Finished):
            ends.append(event)

    new: dict[str, Any] = {
        "as_bytes": True, "cell": cell, "layers": int(layers), "hidden_size": int(size),
        "epochs": options.epochs, "dropout": options.dropout, "weight_decay": 0.0,
        "validation_fraction": 0.1, "test_fraction": 0.1, "threads": options.threads,
    }  # fmt: skip
    charrnn.train(text, output, on_event=note, resume=output.exists(), **new)
    (end,) = ends
    assert end.test_loss is not None
    assert end.validation_loss is not None
    return Result(
        end.test_loss, end.validation_loss, end.seconds / 60, characters, options.threads,
        options.epochs,
    )  # fmt: skip


def table(results: dict[str, Result]) -> str:
    """Our losses, with those of the paper in brackets; a dash for what has not been trained."""
    rows = ["| units | " + " | ".join(f"{cell} × {n}" for cell in KINDS for n in LAYERS) + " |"]
    rows += ["|---|" + "---|" * len(KINDS) * len(LAYERS)]
    for size in SIZES:
        cells = []
        for name in (name_of(cell, layers, size) for cell in KINDS for layers in LAYERS):
            ours = f"{results[name].test:.3f}" if name in results else "—"
            cells.append(f"{ours} ({PAPER[name]:.3f})" if name in PAPER else ours)
        rows.append(f"| {size} | " + " | ".join(cells) + " |")
    left = [name for name in all_names() if name not in results]
    rows.append("" if not left else f"\nnot trained: {', '.join(left)}")
    return "\n".join(rows)


def read_results(path: Path) -> dict[str, Result]:
    """The results so far."""
    if not path.exists():
        return {}
    return {name: Result(**found) for name, found in json.loads(path.read_text()).items()}


def write_results(path: Path, results: dict[str, Result]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({name: asdict(each) for name, each in results.items()}, indent=1))
    os.replace(partial, path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("text", type=Path)
    parser.add_argument("--folder", type=Path, default=Path("paper_table"))
    parser.add_argument("--epochs", type=float, default=10.0)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", action="append", choices=all_names(), metavar="CELL-LAYERS-UNITS")
    parser.add_argument("--most-minutes", type=float, default=float("inf"))
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    path, start = options.folder / "results.json", time.monotonic()
    results = read_results(path)
    for name in [] if options.show else options.only or all_names():
        if name in results or time.monotonic() - start > 60 * options.most_minutes:
            continue
        results[name] = trained(options.text, name, options.folder, options)
        write_results(path, results)
        print(f"{name}  {asdict(results[name])}", flush=True)
    print(table(results))


if __name__ == "__main__":
    main()
