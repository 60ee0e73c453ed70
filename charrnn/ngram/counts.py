"""The n-grams of a text, counted for every order up to n.

Only the n-grams of the highest order are counted in the text: their codes are sorted, and equal
ones stand side by side. The k-grams are the beginnings of the k + 1-grams, and the last k symbols
of the text; how many different symbols stand before each of them is counted there, too. A long
text is counted in parts, by the symbols that its n-grams begin with, so that the parts need only be
joined. (Where very many n-grams begin alike, they come in several parts, which are merged.)
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import CorpusError, OptionError
from charrnn.ngram.codes import Codes, codes, codes_at, find, largest_order
from charrnn.types import IdArray

CountArray = NDArray[np.unsignedinteger[Any]]

SYMBOLS_AT_ONCE = 2**22
"""About as many n-grams of a text are sorted at a time."""
BEGINNINGS = 2**16
"""The n-grams are divided into parts by their first symbols: as many of them as have at most so
many different codes, and at least one."""
MOST_NGRAMS = 2**26
"""Different n-grams of all orders, at most. Orders that would exceed this are left out."""


@dataclass(frozen=True, eq=False)
class Counts:
    """The M different k-grams of a text: their `codes` (M,), sorted, and the count of each (M,)."""

    codes: Codes
    counts: CountArray


def count_ngrams(
    ids: IdArray, vocabulary_size: int, order: int, *, most: int = MOST_NGRAMS
) -> list[Counts]:
    """The k-grams of the text `ids` (N,) for k = 1 … n, with the counts of Kneser-Ney smoothing.

    The n-grams have the number of their occurrences. Shorter ones have the number of different
    symbols that stand before them in the text (Kneser & Ney 1995), or 1 if they stand only at its
    beginning. n is `order`, or less where the codes would be too large, the text is shorter, or
    there are more than `most` different ones (those that stand only at its end aside); but symbols
    are always counted.

    Memory: about 30 bytes for each of at most `most` different n-grams and 150 for each of
    `SYMBOLS_AT_ONCE` symbols, however long the text is. Time: the text is gone through once for
    every `SYMBOLS_AT_ONCE` symbols of it, which is most of the time from about 1 GB on. Raises
    OptionError for an `order` below 1, and CorpusError for an empty text.
    """
    if order < 1:
        raise OptionError(f"`order` must be at least 1, not {order}")
    if len(ids) == 0:
        raise CorpusError("the text is empty: there are no n-grams to count")
    V = vocabulary_size
    longest, n = _of_highest_order(ids, V, min(order, len(ids), largest_order(V)), most)
    found = [longest]
    for k in range(n - 1, 0, -1):
        (last,) = codes(ids[len(ids) - k :], V, k)
        found.insert(0, _shorter(found[0], last, V, V**k))
    return found


def _of_highest_order(ids: IdArray, V: int, order: int, most: int) -> tuple[Counts, int]:
    """How often each n-gram occurs in the text, and n: the highest one up to `order` for which
    there are at most `most` k-grams of k = 1 … n, or 1."""
    found = _Occurrences(V, order, most)
    for places in _places(ids, V, order):
        found.add(_counted(codes_at(places, ids, V, found.order), np.min_scalar_type(len(ids))))
    whole = found.whole()
    for code in codes(ids[len(ids) - order + 1 :], V, found.order):  # where no longer ones begin
        whole = _with(whole, code, 1)
    return whole, found.order


class _Occurrences:
    """How often the n-grams occur that were added, where n falls while there are too many."""

    def __init__(self, V: int, order: int, most: int) -> None:
        self.order, self._V, self._most = order, V, most
        self._parts: list[Counts] = []
        self._sizes: list[int] = []
        """For each part, the number of k-grams, k = 1 … n together, that no earlier part has."""

    def add(self, part: Counts) -> None:
        """Add n-grams; parts that end above the smallest of them are merged with them."""
        while self._parts and part.codes[0] <= self._parts[-1].codes[-1]:
            self._sizes.pop()
            part = _merged(self._parts.pop(), part)
        self._append(part)
        while self.order > 1 and sum(self._sizes) > self._most:
            whole = self.whole()
            self.order -= 1
            self._parts, self._sizes = [], []
            self._append(_grouped(whole.codes // self._V, whole.counts))

    def _append(self, part: Counts) -> None:
        beginnings, size = part.codes, 0
        last = self._parts[-1].codes[-1] if self._parts else -1
        for _ in range(self.order):
            size += len(beginnings) - int(beginnings[0] == last)
            beginnings, last = beginnings // self._V, last // self._V
            beginnings = beginnings[_differ(beginnings)]
        self._parts.append(part)
        self._sizes.append(size)

    def whole(self) -> Counts:
        """All n-grams that were added."""
        return Counts(
            np.concatenate([part.codes for part in self._parts]),
            np.concatenate([part.counts for part in self._parts]),
        )


def _places(ids: IdArray, V: int, n: int) -> Iterator[NDArray[np.intp]]:
    """The places in the text where its n-grams begin, about `SYMBOLS_AT_ONCE` at a time: first
    those of the smallest codes, then those of larger ones. Where very many begin alike, they come
    at several times, in the order of the text."""
    length = 1
    while length < n and V ** (length + 1) <= BEGINNINGS:
        length += 1
    for first, end in _ranges(ids[: len(ids) - n + length], V, length):
        waiting: list[NDArray[np.intp]] = []
        for start, beginnings in _pieces(ids[: len(ids) - n + length], V, length):
            waiting.append(start + np.flatnonzero((beginnings >= first) & (beginnings < end)))
            if sum(map(len, waiting)) >= 2 * SYMBOLS_AT_ONCE:
                places, waiting = np.concatenate(waiting), []
                yield places
        if any(map(len, waiting)):
            yield np.concatenate(waiting)


def _ranges(ids: IdArray, V: int, length: int) -> Iterator[tuple[int, int]]:
    """Ranges of codes of this length that have about `SYMBOLS_AT_ONCE` places in the text each."""
    sizes = np.zeros(V**length, np.int64)
    for _, beginnings in _pieces(ids, V, length):
        sizes += np.bincount(beginnings, minlength=V**length)
    ends = np.flatnonzero(np.diff(np.cumsum(sizes) // SYMBOLS_AT_ONCE)) + 1
    yield from pairwise([0, *ends.tolist(), V**length])


def _pieces(ids: IdArray, V: int, length: int) -> Iterator[tuple[int, Codes]]:
    """All codes of this length, `SYMBOLS_AT_ONCE` at a time, with the place of the first."""
    dtype = np.min_scalar_type(V**length - 1)
    for start in range(0, len(ids) - length + 1, SYMBOLS_AT_ONCE):
        piece = ids[start : start + SYMBOLS_AT_ONCE + length - 1]
        yield start, codes(piece, V, length, dtype)


def _counted(codes: Codes, dtype: np.dtype[Any]) -> Counts:
    """How often each of some codes comes, in any order; sorts them."""
    codes.sort()
    first = np.flatnonzero(_differ(codes))
    return Counts(codes[first], np.diff(first, append=len(codes)).astype(dtype))


def _grouped(codes: Codes, counts: CountArray) -> Counts:
    """The sums of the counts of equal codes, which are sorted."""
    first = np.flatnonzero(_differ(codes))
    return Counts(codes[first], np.add.reduceat(counts, first, dtype=counts.dtype))


def _differ(codes: Codes) -> NDArray[np.bool_]:
    """Which of the sorted codes differ from the one before."""
    differ = np.ones(len(codes), np.bool_)
    np.not_equal(codes[1:], codes[:-1], out=differ[1:])
    return differ


def _merged(one: Counts, other: Counts) -> Counts:
    codes = np.concatenate([one.codes, other.codes])
    order = np.argsort(codes, kind="stable")
    return _grouped(codes[order], np.concatenate([one.counts, other.counts])[order])


def _with(counts: Counts, code: np.int64, more: int) -> Counts:
    """The counts with `more` of one code, which may be new."""
    place = np.searchsorted(counts.codes, code)
    if place == len(counts.codes) or counts.codes[place] != code:
        return Counts(np.insert(counts.codes, place, code), np.insert(counts.counts, place, more))
    counts.counts[place] += more
    return counts


def _shorter(longer: Counts, last: np.int64, V: int, size: int) -> Counts:
    """The k-grams that begin the k + 1-grams `longer`, and the `last` of the text, with the number
    of different symbols before each; `size` is V^k."""
    codes = longer.codes // V
    codes = codes[_differ(codes)]
    known = _with(Counts(codes, np.zeros(len(codes), np.min_scalar_type(V))), last, 0)
    starts = np.searchsorted(longer.codes, np.arange(V + 1) * size)
    for symbol, (start, end) in enumerate(pairwise(starts)):
        # all that begin with one symbol differ after it, and are in order
        known.counts[find(longer.codes[start:end] - symbol * size, known.codes)] += 1
    np.maximum(known.counts, 1, out=known.counts)
    return known
