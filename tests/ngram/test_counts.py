"""Counted n-grams, beside a dictionary of tuples."""

import tracemalloc
from collections import Counter

import numpy as np
import pytest

from charrnn.errors import CorpusError, OptionError
from charrnn.ngram import counts
from charrnn.ngram.counts import codes, count_ngrams, find, largest_order

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


@pytest.mark.parametrize("order", [1, 2, 4, 7])
def test_beside_a_dictionary(order: int) -> None:
    text = example()
    found = count_ngrams(text, V, order)
    assert [
        dict(zip(each.codes.tolist(), each.counts.tolist(), strict=True)) for each in found
    ] == (naive(text, order))
    assert all((np.diff(each.codes) > 0).all() for each in found)


def test_what_stands_only_at_the_beginning_counts_once() -> None:
    unigrams, _ = count_ngrams(np.array([3, 1, 2, 1]), V, 2)
    assert dict(zip(unigrams.codes.tolist(), unigrams.counts.tolist(), strict=True)) == {
        1: 2, 2: 1, 3: 1,
    }  # fmt: skip


def test_long_texts_are_counted_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    text = example()
    whole = count_ngrams(text, V, 4)
    monkeypatch.setattr(counts, "SYMBOLS_AT_ONCE", 37)
    for one, other in zip(whole, count_ngrams(text, V, 4), strict=True):
        assert np.array_equal(one.codes, other.codes)
        assert np.array_equal(one.counts, other.counts)


def test_orders_that_do_not_fit() -> None:
    text = example()
    assert len(count_ngrams(text[:3], V, 8)) == 3
    sizes = [len(each.codes) for each in count_ngrams(text, V, 6)]
    assert len(count_ngrams(text, V, 6, most=sum(sizes[:4]))) == 4
    assert len(count_ngrams(text, V, 6, most=1)) == 1
    assert [largest_order(size) for size in (2, 65, 256, 5387)] == [62, 10, 7, 5]
    large = np.array([5386] * 9)
    assert find(codes(large, 5387, 5), count_ngrams(large, 5387, 9)[-1].codes).tolist() == [0] * 5


def test_memory_does_not_grow_with_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """All 50³ trigrams come in this text, which would take 2 MB: counting stops before."""
    monkeypatch.setattr(counts, "SYMBOLS_AT_ONCE", 1000)
    text = RNG.integers(0, 50, 400_000).astype(np.uint8)
    count_ngrams(text, 50, 6, most=5000)  # what NumPy imports on the way does not count
    tracemalloc.start()
    found = count_ngrams(text, 50, 6, most=5000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [len(each.codes) for each in found] == [50, 2500]
    assert peak < 50 * (5000 + 1000)


def test_codes_that_are_not_there() -> None:
    assert find(np.array([0, 3, 4, 9]), np.array([3, 4, 7])).tolist() == [-1, 0, 1, -1]


def test_what_makes_no_sense() -> None:
    with pytest.raises(OptionError, match="`order` must be at least 1, not 0"):
        count_ngrams(example(), V, 0)
    with pytest.raises(CorpusError, match="the text is empty"):
        count_ngrams(np.zeros(0, np.uint8), V, 3)
