"""How much memory a training takes on a large text, and a long sample.

    python benchmarks/memory.py [--megabytes 1000] [--folder FOLDER] [--json FILE]

Trains a small network for a few steps on a text, and measures its loss on the whole held-out part:
of bytes, and of UTF-8 with two bytes a character. The figure is the peak of the whole process,
workers excluded, beside that of the same training on a megabyte. Then samples of 1,000 and of
1,000,000 characters are written with its model.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from corpus import ALPHABETS, MEGABYTE, write

ROOT = Path(__file__).resolve().parent.parent
NETWORK = ("--hidden-size", "32", "--layers", "1", "--epochs", "1e-9", "-q", "--force")
TEXTS = {"bytes": ("ASCII", ("--bytes",)), "UTF-8": ("Cyrillic", ())}


def peak(folder: str, *words: str) -> int:
    """Bytes that `charrnn` with these arguments has at most."""
    command = [sys.executable, "-m", "charrnn", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL
    ) as running:
        _, status, usage = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} ended with code {running.returncode}")
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def benchmark(megabytes: int, folder: str | None) -> list[dict[str, Any]]:
    rows = []
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        for name, (alphabet, options) in TEXTS.items():
            small, large = Path(temporary) / "small.txt", Path(temporary) / "large.txt"
            write(small, ALPHABETS[alphabet], MEGABYTE)
            write(large, ALPHABETS[alphabet], megabytes * MEGABYTE)
            for path in (small, large):
                found = peak(temporary, "train", str(path), *options, *NETWORK)
                rows.append({"what": f"train, {name}, {path.stat().st_size:,}", "peak": found})
            large.unlink()
        for length in (10**3, 10**6):
            found = peak(temporary, "sample", "-c", "small.npz", "-n", str(length))
            rows.append({"what": f"sample, {length:,} characters", "peak": found})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the texts [1000]")
    parser.add_argument("--folder", help="where the texts are written [the temporary folder]")
    parser.add_argument("--json", metavar="FILE", help="write the figures to this file as well")
    options = parser.parse_args()
    rows = benchmark(options.megabytes, options.folder)
    for row in rows:
        print(f"{row['what']:36}{row['peak'] / MEGABYTE:10,.0f} MB")
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
