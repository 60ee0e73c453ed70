"""The n-grams of a text, counted for every order up to n.

A k-gram is one number: its symbols are the digits of its code in base V. So the k-grams of a text
are counted by sorting numbers, those that share a context stand side by side, and bisection finds
them. V^n must be below 2⁶³: for 65 symbols n is at most 10, for 5,387 at most 5.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import CorpusError, OptionError
from charrnn.types import IdArray

Codes = NDArray[np.int64]

SYMBOLS_AT_ONCE = 2**23
"""Symbols of a text whose n-grams are sorted at a time."""
MOST_NGRAMS = 2**26
"""Different n-grams of all orders, at most. Orders that would exceed this are left out."""
LARGEST_CODE = 2**63


@dataclass(frozen=True, eq=False)
class Counts:
    """The M different k-grams of a text: their `codes` (M,), sorted, and the count of each (M,)."""

    codes: Codes
    counts: NDArray[np.int64]


def largest_order(vocabulary_size: int) -> int:
    """The largest n for which V^n is below 2⁶³."""
    order = 1
    while vocabulary_size ** (order + 1) < LARGEST_CODE and order < 62:
        order += 1
    return order


def count_ngrams(
    ids: IdArray, vocabulary_size: int, order: int, *, most: int = MOST_NGRAMS
) -> list[Counts]:
    """The k-grams of the text `ids` (N,) for k = 1 … n, with the counts of Kneser-Ney smoothing.

    The n-grams have the number of their occurrences. Shorter ones have the number of different
    symbols that stand before them in the text (Kneser & Ney 1995), or 1 if they stand only at its
    beginning. n is `order`, or less where the codes would be too large, the text is shorter, or
    there are more than `most` different ones.

    Memory: about 50 bytes for each of at most `most` different n-grams and `SYMBOLS_AT_ONCE`
    symbols, however long the text is. Raises OptionError for an `order` below 1, and CorpusError
    for an empty text.
    """
    if order < 1:
        raise OptionError(f"`order` must be at least 1, not {order}")
    if len(ids) == 0:
        raise CorpusError("the text is empty: there are no n-grams to count")
    found: list[Counts] = []
    total = 0
    for k in range(1, min(order, len(ids), largest_order(vocabulary_size)) + 1):
        longer = _occurrences(ids, vocabulary_size, k, most=most - total if found else len(ids))
        if longer is None:
            break
        total += len(longer.codes)
        if found:
            found[-1] = _symbols_before(found[-1], longer, vocabulary_size ** (k - 1))
        found.append(longer)
    return found


def codes(ids: IdArray, vocabulary_size: int, k: int) -> Codes:
    """The codes (N − k + 1,) of all k-grams of `ids` (N,), in the order of the text."""
    length = max(len(ids) - k + 1, 0)
    code = np.zeros(length, np.int64)
    for place in range(k):
        code *= vocabulary_size
        code += ids[place : place + length]
    return code


def find(wanted: Codes, known: Codes) -> Codes:
    """The index of each wanted code in the sorted codes `known`, −1 for those not among them."""
    places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[places] == wanted, places, -1)


def _occurrences(ids: IdArray, V: int, k: int, *, most: int) -> Counts | None:
    """How often each k-gram occurs in the text; None as soon as there are more than `most`."""
    merged = Counts(np.zeros(0, np.int64), np.zeros(0, np.int64))
    for part in _overlapping_parts(ids, k):
        more = Counts(*np.unique(codes(part, V, k), return_counts=True))
        merged = _merged(merged, more) if len(merged.codes) else more
        if len(merged.codes) > most:
            return None
    return merged


def _overlapping_parts(ids: IdArray, k: int) -> Iterator[IdArray]:
    for start in range(0, len(ids) - k + 1, SYMBOLS_AT_ONCE):
        yield ids[start : start + SYMBOLS_AT_ONCE + k - 1]


def _merged(one: Counts, other: Counts) -> Counts:
    both = np.union1d(one.codes, other.codes)
    counts = np.zeros(len(both), np.int64)
    for each in (one, other):
        counts[np.searchsorted(both, each.codes)] += each.counts
    return Counts(both, counts)


def _symbols_before(shorter: Counts, longer: Counts, largest: int) -> Counts:
    """The k-grams `shorter` with the number of different symbols before them, from the k + 1-grams
    `longer`; `largest` is V^k."""
    after_first, times = np.unique(longer.codes % largest, return_counts=True)
    counts = np.ones_like(shorter.counts)
    counts[np.searchsorted(shorter.codes, after_first)] = times
    return Counts(shorter.codes, counts)
