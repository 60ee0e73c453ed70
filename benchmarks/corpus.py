"""How fast a large text becomes ids, and how much memory that takes.

    python benchmarks/corpus.py [--megabytes 500] [--folder FOLDER] [--json FILE]

Writes a text of pseudo-words, in ASCII and in Cyrillic UTF-8, and reads each with `read_corpus` in
a process of its own. Memory is the peak of that process minus the peak of one that only imports the
package, for each byte of the text. The file has just been written, so that it is read from the
page cache: the figure is the program's speed, not the disk's.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ALPHABETS = {
    "ASCII": "abcdefghijklmnopqrstuvwxyz",
    "Cyrillic": "абвгдежзийклмнопрстуфхцчшщъыьэюя",
}
TILE_WORDS = 50_000
MEGABYTE = 10**6


def tile(alphabet: str) -> bytes:
    """Some hundred kilobytes of words in lines, with capitals, digits and punctuation."""
    random_ = random.Random(1)
    words = []
    for _ in range(TILE_WORDS):
        word = "".join(random_.choices(alphabet, k=random_.randint(1, 10)))
        chance = random_.random()
        if chance < 0.1:
            word = word.capitalize()
        elif chance < 0.12:
            word = str(random_.randint(0, 2000))
        words.append(word + random_.choices(["", ",", ".\n", "!", "?"], [80, 9, 9, 1, 1])[0])
    return " ".join(words).encode()


def write(path: Path, alphabet: str, size: int) -> None:
    """A file of `size` bytes, or one less where the last character would be cut."""
    piece = tile(alphabet)
    with path.open("wb") as file:
        for _ in range(size // len(piece)):
            file.write(piece)
        file.write(piece[: size % len(piece)].decode(errors="ignore").encode())


def child(path: str | None) -> dict[str, Any]:
    """In the process that is measured: read `path`, or only import."""
    from charrnn.text.corpus import read_corpus

    figures: dict[str, Any] = {}
    if path is not None:
        start = time.perf_counter()
        corpus = read_corpus([path])
        figures["seconds"] = time.perf_counter() - start
        figures["bytes"] = os.path.getsize(path)
        figures["characters"] = len(corpus.ids)
        figures["symbols"] = len(corpus.vocabulary)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures["peak_bytes"] = peak * (1 if sys.platform == "darwin" else 1024)
    return figures


def measured(*path: str) -> dict[str, Any]:
    """The figures of a fresh process."""
    command = [sys.executable, __file__, "--child", *path]
    answer = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    figures: dict[str, Any] = json.loads(answer.stdout)
    return figures


def benchmark(megabytes: int, folder: str | None) -> list[dict[str, Any]]:
    rows = []
    baseline = measured()["peak_bytes"]
    for name, alphabet in ALPHABETS.items():
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            path = Path(temporary) / "text.txt"
            write(path, alphabet, megabytes * MEGABYTE)
            figures = measured(str(path))
        figures["text"] = name
        figures["megabytes_per_second"] = figures["bytes"] / figures["seconds"] / MEGABYTE
        figures["peak_per_byte"] = (figures["peak_bytes"] - baseline) / figures["bytes"]
        rows.append(figures)
    return rows


def show(rows: list[dict[str, Any]]) -> None:
    print(f"{'text':10}{'bytes':>14}{'characters':>14}{'symbols':>9}{'MB/s':>8}{'peak/byte':>11}")
    for row in rows:
        print(
            f"{row['text']:10}{row['bytes']:>14,}{row['characters']:>14,}{row['symbols']:>9}"
            f"{row['megabytes_per_second']:>8.0f}{row['peak_per_byte']:>11.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=500, help="size of each text [500]")
    parser.add_argument("--folder", help="where the texts are written [the temporary folder]")
    parser.add_argument("--json", metavar="FILE", help="write the figures to this file as well")
    parser.add_argument("--child", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        sys.path.insert(0, str(ROOT))
        print(json.dumps(child(*options.child or [None])))
        return
    rows = benchmark(options.megabytes, options.folder)
    show(rows)
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
