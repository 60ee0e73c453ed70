"""How often cells are claimed to follow a feature where there is nothing to be found.

    python benchmarks/false_claims.py [--runs 200] [--networks 20] [--text FILE ...] [--json FILE]

Three kinds of nothing: slow random units against slow random features (autoregressive noise), by
p < 0.05 alone and by all conditions of a claim; and untrained networks of 2 × 64 that read the last
120,000 characters of each text, the bundled one unless told. At p < 0.05, one run in 20 has a false
alarm by chance.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from charrnn.machine.blas import one_thread  # noqa: E402  # after the path
from charrnn.model import Model  # noqa: E402
from charrnn.neurons.claims import SIGNIFICANCE, Half, find  # noqa: E402
from charrnn.neurons.features.registry import FEATURES, Feature  # noqa: E402
from charrnn.neurons.scores import Flags  # noqa: E402
from charrnn.neurons.search import by_kind, search  # noqa: E402
from charrnn.neurons.shift_null import ShiftNull  # noqa: E402
from charrnn.nn.network import Network, NetworkConfig  # noqa: E402
from charrnn.text.corpus import read_corpus  # noqa: E402
from planted_units import slow  # noqa: E402

LENGTH = 42_000
"""Characters of a half."""
CHARACTERS = 120_000
THRESHOLDS = (0.0, 0.5, 1.0)
"""Above which a random signal counts as a flag that is on."""


def random_half(rng: np.random.Generator, units: int, numbers: int, rho: float) -> Half:
    """Units, three flags and some numbers that have nothing to do with each other."""
    return Half(
        slow(rng, (LENGTH, units), rho),
        slow(rng, (LENGTH, len(THRESHOLDS)), rho) > THRESHOLDS,
        slow(rng, (LENGTH, numbers), rho),
        rng.integers(20, size=LENGTH),
    )


def never(text: str) -> Flags:
    """The track of a feature whose values are given elsewhere."""
    return np.zeros(len(text), np.bool_)


def alarms(runs: int, rho: float) -> int:
    """Runs in which some pair of 32 units and 5 features has p < 0.05."""
    count = 0
    for seed in range(runs):
        half = random_half(np.random.default_rng([201, seed]), 32, 2, rho)
        null = ShiftNull(half.values, half.flags, half.numbers)
        found = [null.p(unit, feature) for unit in range(32) for feature in range(5)]
        count += min(p for p in found if p is not None) < SIGNIFICANCE
    return count


def claims(runs: int, rho: float) -> int:
    """Runs in which any of 16 units is claimed to follow one of 4 features."""
    features = [Feature(f"flag {n}", "flag", "", never) for n in range(len(THRESHOLDS))]
    features.append(Feature("number", "number", "", never))
    count = 0
    for seed in range(runs):
        rng = np.random.default_rng([202, seed])
        first, second = (random_half(rng, 16, 1, rho) for _ in range(2))
        found = find(features, first, second, np.zeros(len(features), np.float32))
        count += bool(found.claims)
    return count


def claims_of_untrained(networks: int, text: Path) -> int:
    """Untrained networks of which some cell is claimed to follow a feature of the text."""
    corpus = read_corpus([str(text)])
    config = NetworkConfig(corpus.vocabulary.size, 64, 2)
    features = by_kind(list(FEATURES.values()))
    count = 0
    for seed in range(networks):
        network = Network.create(config, np.random.default_rng([203, seed]))
        model = Model(network, corpus.vocabulary)
        found = search(model, corpus.ids[-CHARACTERS:], features=features, seed=seed)
        count += bool(found.findings.claims)
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--text", type=Path, nargs="*", default=[ROOT / "corpora" / "wiki.txt"])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    runs, networks = arguments.runs, arguments.networks
    figures: dict[str, tuple[int, int]] = {}
    with one_thread():
        for rho in (0.0, 0.99, 0.999):
            figures[f"p < {SIGNIFICANCE}, rho = {rho}"] = alarms(runs, rho), runs
        for rho in (0.99, 0.999):
            figures[f"claims, rho = {rho}"] = claims(runs, rho), runs
        for text in arguments.text:
            figures[f"claims, untrained, {text.name}"] = (
                claims_of_untrained(networks, text),
                networks,
            )
    for name, (count, of) in figures.items():
        print(f"{name:45} {count:4} of {of}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
