"""How long `charrnn --help` takes, beside an empty click program that imports NumPy.

    python benchmarks/startup.py [--rounds 15]

Whole processes, the two in turns; prints the median of each and of their ratio, with the spread.
"""

import argparse
import subprocess
import sys
import time
from statistics import median, quantiles

EMPTY = """
import click, numpy
@click.command()
def main(): "Nothing."
main(["--help"])
"""


def seconds(*arguments: str) -> float:
    """Wall time of a Python process with these arguments."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    seconds("-c", EMPTY)  # fills the file cache
    pairs = [(seconds("-m", "charrnn", "--help"), seconds("-c", EMPTY)) for _ in range(rounds)]
    ratios = [ours / empty for ours, empty in pairs]
    low, _, high = quantiles(ratios, n=4)
    print(f"charrnn --help        {1000 * median(ours for ours, _ in pairs):6.0f} ms")
    print(f"click + NumPy, empty  {1000 * median(empty for _, empty in pairs):6.0f} ms")
    print(f"ratio                 {median(ratios):6.2f}  (quartiles {low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
