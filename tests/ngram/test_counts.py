"""Counted n-grams, beside a dictionary of tuples."""

import tracemalloc
from collections import Counter

import numpy as np
import pytest

from charrnn.errors import CorpusError, OptionError
from charrnn.ngram import counts
from charrnn.ngram.counts import Counts, count_ngrams

RNG = np.random.default_rng(901)
V = 5


def example(length: int = 400) -> np.ndarray:
    """A text in which some symbols are rare, and some passages come twice."""
    text = np.minimum(RNG.geometric(0.4, length) - 1, V - 1)
    return np.concatenate([text, text[length // 4 : length // 2]])


def code(gram: tuple[int, ...]) -> int:
    return sum(symbol * V**place for place, symbol in enumerate(reversed(gram)))


def naive(text: np.ndarray, order: int) -> list[dict[int, int]]:
    """Occurrences of the n-grams; for shorter ones the number of different symbols before them."""
    grams = [
        Counter(tuple(text[t : t + k].tolist()) for t in range(len(text) - k + 1))
        for k in range(1, order + 1)
    ]
    found = [
        {
            code(gram): max(1, sum(longer[1:] == gram for longer in grams[k]))
            for gram in grams[k - 1]
        }
        for k in range(1, order)
    ]
    return [*found, {code(gram): count for gram, count in grams[-1].items()}]


def as_dictionaries(found: list[Counts]) -> list[dict[int, int]]:
    return [dict(zip(each.codes.tolist(), each.counts.tolist(), strict=True)) for each in found]


@pytest.mark.parametrize("order", [1, 2, 4, 7])
def test_beside_a_dictionary(order: int) -> None:
    text = example()
    found = count_ngrams(text, V, order)
    assert as_dictionaries(found) == naive(text, order)
    assert all((np.diff(each.codes) > 0).all() for each in found)


def test_what_stands_only_at_the_beginning_counts_once() -> None:
    unigrams, _ = as_dictionaries(count_ngrams(np.array([3, 1, 2, 1]), V, 2))
    assert unigrams == {1: 2, 2: 1, 3: 1}


@pytest.mark.parametrize("order", [1, 3, 6])
@pytest.mark.parametrize("beginnings", [1, V**2, V**5])
@pytest.mark.parametrize("most", [0, 20, 90, 250, 10**6])
def test_long_texts_are_counted_in_parts(
    order: int, beginnings: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = np.concatenate([example(), np.zeros(200, np.int64), example(13)])
    whole = count_ngrams(text, V, order, most=most)
    monkeypatch.setattr(counts, "SYMBOLS_AT_ONCE", 37)
    monkeypatch.setattr(counts, "BEGINNINGS", beginnings)
    in_parts = count_ngrams(text, V, order, most=most)
    assert as_dictionaries(in_parts) == as_dictionaries(whole) == naive(text, len(whole))


def test_orders_that_do_not_fit() -> None:
    text = example()
    assert len(count_ngrams(text[:3], V, 8)) == 3
    sizes = [len(each.codes) for each in count_ngrams(text, V, 6)]
    assert len(count_ngrams(text, V, 6, most=sum(sizes[:4]))) == 4
    assert len(count_ngrams(text, V, 6, most=1)) == 1
    assert len(count_ngrams(np.full(9, 5386), 5387, 9)) == 5


def test_memory_does_not_grow_with_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """All 50³ trigrams come in this text, which would take 2 MB: counting stops before."""
    monkeypatch.setattr(counts, "SYMBOLS_AT_ONCE", 4000)
    text = RNG.integers(0, 50, 400_000).astype(np.uint8)
    count_ngrams(text, 50, 6, most=5000)  # what NumPy imports on the way does not count
    tracemalloc.start()
    found = count_ngrams(text, 50, 6, most=5000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [len(each.codes) for each in found] == [50, 2500]
    assert peak < 30 * 5000 + 100 * 4000


def test_what_makes_no_sense() -> None:
    with pytest.raises(OptionError, match="`order` must be at least 1, not 0"):
        count_ngrams(example(), V, 0)
    with pytest.raises(CorpusError, match="the text is empty"):
        count_ngrams(np.zeros(0, np.uint8), V, 3)
