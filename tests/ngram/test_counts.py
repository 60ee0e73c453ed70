"""Counted n-grams, beside a dictionary of tuples."""

import tracemalloc
from collections import Counter

import numpy as np
import pytest

from charrnn.errors import CorpusError, OptionError
from charrnn.ngram import counts
from charrnn.ngram.counts import Counts, count_ngrams

V = 5


def example(length: int = 400) -> np.ndarray:
    """A text in which some symbols are rare, and some passages come twice."""
    rng = np.random.default_rng(901)
    text = np.minimum(rng.geometric(0.4, length) - 1, V - 1)
    return np.concatenate([text, text[length // 4 : length // 2]])


def one_beginning() -> np.ndarray:
    """A text whose n-grams begin alike for the most part, with smaller codes before, between and
    behind larger ones."""
    return np.concatenate([np.zeros(100, int), np.tile([0, 1], 50), np.zeros(100, int)])


def code(gram: tuple[int, ...], V: int) -> int:
    return sum(symbol * V**place for place, symbol in enumerate(reversed(gram)))


def naive(text: np.ndarray, order: int, V: int = V) -> list[dict[int, int]]:
    """Occurrences of the n-grams; for shorter ones the number of different symbols before them."""
    grams = [
        Counter(tuple(text[t : t + k].tolist()) for t in range(len(text) - k + 1))
        for k in range(1, order + 1)
    ]
    found = [
        {
            code(gram, V): max(1, sum(longer[1:] == gram for longer in grams[k]))
            for gram in grams[k - 1]
        }
        for k in range(1, order)
    ]
    return [*found, {code(gram, V): count for gram, count in grams[-1].items()}]


def naive_order(text: np.ndarray, order: int, most: int) -> int:
    """The highest order for which there are at most `most` different k-grams, k = 1 … n, that begin
    where an n-gram of the length `order` does."""
    starts = range(len(text) - order + 1)
    sizes = [len({tuple(text[t : t + k].tolist()) for t in starts}) for k in range(1, order + 1)]
    return max([1, *(k for k in range(1, order + 1) if sum(sizes[:k]) <= most)])


def as_dictionaries(found: list[Counts]) -> list[dict[int, int]]:
    assert all((np.diff(each.codes) > 0).all() for each in found)
    return [dict(zip(each.codes.tolist(), each.counts.tolist(), strict=True)) for each in found]


@pytest.mark.parametrize("order", [1, 2, 4, 7])
def test_beside_a_dictionary(order: int) -> None:
    text = example()
    assert as_dictionaries(count_ngrams(text, V, order)) == naive(text, order)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int64, np.uint64])
def test_ids_of_every_type(dtype: type) -> None:
    text = example(100)
    assert as_dictionaries(count_ngrams(text.astype(dtype), V, 4)) == naive(text, 4)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 70_000])
def test_vocabularies_of_every_size(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = np.random.default_rng(size).integers(max(0, size - 40), size, 150)
    text[::3] = size - 1
    expected = naive(text, 3, size)
    assert as_dictionaries(count_ngrams(text, size, 3)) == expected
    monkeypatch.setattr(counts, "SYMBOLS_AT_ONCE", 31)
    assert as_dictionaries(count_ngrams(text, size, 3)) == expected


def test_what_stands_only_at_the_beginning_counts_once() -> None:
    unigrams, _ = as_dictionaries(count_ngrams(np.array([3, 1, 2, 1]), V, 2))
    assert unigrams == {1: 2, 2: 1, 3: 1}


def test_a_symbol_can_follow_as_many_as_there_are() -> None:
    pairs = np.stack([np.arange(256), np.zeros(256, int)], axis=1).ravel()
    unigrams, _ = as_dictionaries(count_ngrams(pairs, 256, 2))
    assert unigrams[0] == 256


@pytest.mark.parametrize("text", [example(), one_beginning()], ids=["example", "one beginning"])
@pytest.mark.parametrize("order", [1, 3, 6])
@pytest.mark.parametrize("beginnings", [1, V**2, V**5])
@pytest.mark.parametrize("most", [0, 6, 20, 90, 250, 10**6])
def test_long_texts_are_counted_in_parts(
    text: np.ndarray, order: int, beginnings: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "SYMBOLS_AT_ONCE", 11)
    monkeypatch.setattr(counts, "BEGINNINGS", beginnings)
    found = count_ngrams(text, V, order, most=most)
    assert as_dictionaries(found) == naive(text, naive_order(text, order, most))
    assert found[-1].counts.dtype == np.uint16, "as large as 500 symbols need"


def test_orders_that_do_not_fit() -> None:
    text = example()
    assert len(count_ngrams(text[:3], V, 8)) == 3
    assert len(count_ngrams(np.full(9, 5386), 5387, 9)) == 5
    assert len(count_ngrams(text, V, 6, most=0)) == 1, "symbols are always counted"


@pytest.mark.parametrize("share", [0, 0.8], ids=["all alike", "one beginning"])
def test_memory_does_not_grow_with_the_text(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """All 50³ trigrams come in this text, which would take 2 MB: counting stops before."""
    monkeypatch.setattr(counts, "SYMBOLS_AT_ONCE", 4000)
    rng = np.random.default_rng(903)
    text = rng.integers(0, 50, 400_000).astype(np.uint8)
    text[rng.random(len(text)) < share] = 0
    count_ngrams(text, 50, 6, most=5000)  # what NumPy imports on the way does not count
    tracemalloc.start()
    found = count_ngrams(text, 50, 6, most=5000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 2, "counting trigrams was given up"
    assert peak < 30 * 5000 + 150 * 4000


def test_what_makes_no_sense() -> None:
    with pytest.raises(OptionError, match="`order` must be at least 1, not 0"):
        count_ngrams(example(), V, 0)
    with pytest.raises(CorpusError, match="the text is empty"):
        count_ngrams(np.zeros(0, np.uint8), V, 3)
