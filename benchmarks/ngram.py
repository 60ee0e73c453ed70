"""The loss of n-gram models, to see what a network learns beyond counting: the same split, and the
same protocol, as `charrnn train` with its defaults.

    python benchmarks/ngram.py TEXT... [--order 8] [--bytes]
"""

import argparse
import time
from pathlib import Path

import numpy as np

from charrnn.ngram.model import NgramModel
from charrnn.text.corpus import read_corpus
from charrnn.types import IdArray


def mean_loss(model: NgramModel, before: IdArray, text: IdArray) -> float:
    """The mean loss (nats) of the symbols of `text` (N,), which follow those `before`."""
    whole = np.concatenate([before[-model.order :], text])
    return -float(np.log(model.of_next(whole)[-len(text) :]).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--order", type=int, default=8)
    parser.add_argument("--bytes", action="store_true")
    parser.add_argument("--validation-fraction", type=float, default=0.1)
    parser.add_argument("--test-fraction", type=float, default=0.0)
    options = parser.parse_args()
    for path in options.texts:
        corpus = read_corpus([path], as_bytes=options.bytes)
        train, validation, test = corpus.split(options.validation_fraction, options.test_fraction)
        start = time.perf_counter()
        model = NgramModel.of(train, corpus.vocabulary.size, options.order)
        seconds = time.perf_counter() - start
        size = sum(len(each.codes) for each in model.counts)
        print(f"{path.name}: {size:,} n-grams up to order {model.order} in {seconds:.1f} s")
        for name, text in (("validation", validation), ("test", test)):
            if len(text):
                print(f"  {name:10} {mean_loss(model, train, text):.4f} nats")


if __name__ == "__main__":
    main()
