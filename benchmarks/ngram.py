"""The loss of n-gram models, to see what a network learns beyond counting: the same split, and the
same protocol, as `charrnn train` with its defaults.

Interpolated Witten-Bell smoothing (Witten & Bell 1991): with c(h) the count of a context h of n − 1
symbols, t(h) the number of different symbols that followed it, and h′ the context without its
first symbol,

    p(s | h) = (c(h s) + t(h) · p(s | h′)) / (c(h) + t(h))

down to p(s) = 1/V without any count at all.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from charrnn.text.corpus import read_corpus

Numbers = NDArray[np.float64]


def losses(train: NDArray[np.integer], text: NDArray[np.integer], V: int, n: int) -> list[float]:
    """The mean loss (nats) of the symbols of `text` for orders 1 to n, by the counts of `train`."""
    together = np.concatenate([train[len(train) - n + 1 :], text]).astype(np.int64)
    p = np.full(len(text), 1 / V)
    found = []
    for order in range(1, n + 1):
        p = refined(p, train.astype(np.int64), together[n - order :], V, order)
        found.append(float(-np.log(p).mean()))
    return found


def refined(
    p: Numbers, train: NDArray[np.int64], text: NDArray[np.int64], V: int, order: int
) -> Numbers:
    """From p(s | h′) to p(s | h) for each symbol of a text but the first `order` − 1."""
    contexts, grams = codes(train, V, order)
    asked, asked_grams = codes(text, V, order)
    gram, count = np.unique(grams, return_counts=True)
    followers, kinds = np.unique(gram // V, return_counts=True)
    context, total = np.unique(contexts, return_counts=True)
    c_hs = looked_up(asked_grams, gram, count)
    c_h, t_h = looked_up(asked, context, total), looked_up(asked, followers, kinds)
    seen = c_h > 0
    refined = p.copy()
    refined[seen] = ((c_hs + t_h * p) / np.maximum(c_h + t_h, 1))[seen]
    return refined


def codes(
    ids: NDArray[np.int64], V: int, order: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each symbol's context of `order` − 1 symbols as a number, and with the symbol itself."""
    assert float(V) ** order < 2**63, "a context and its symbol are one number"
    length = len(ids) - order + 1
    context = np.zeros(length, np.int64)
    for place in range(order - 1):
        context = context * V + ids[place : place + length]
    return context, context * V + ids[order - 1 :]


def looked_up(
    asked: NDArray[np.int64], keys: NDArray[np.int64], values: NDArray[np.intp]
) -> Numbers:
    """The value of each key that is asked for, 0 for those that are not there."""
    place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    found: Numbers = np.where(keys[place] == asked, values[place], 0).astype(np.float64)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--order", type=int, default=5)
    parser.add_argument("--bytes", action="store_true")
    parser.add_argument("--validation-fraction", type=float, default=0.1)
    parser.add_argument("--test-fraction", type=float, default=0.0)
    options = parser.parse_args()
    for path in options.texts:
        corpus = read_corpus([path], as_bytes=options.bytes)
        train, validation, test = corpus.split(options.validation_fraction, options.test_fraction)
        for name, text in (("validation", validation), ("test", test)):
            if len(text) == 0:
                continue
            found = losses(train, text, corpus.vocabulary.size, options.order)
            shown = "  ".join(f"{order}-gram {loss:.4f}" for order, loss in enumerate(found, 1))
            print(f"{path.name}, {name}: {shown}")


if __name__ == "__main__":
    main()
