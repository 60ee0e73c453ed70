"""Copied passages: what of a generated text stands, symbol for symbol, in a reference text.

They are found in the suffix array of the reference text: its positions, sorted by the text that
begins at each. All positions where a passage occurs lie side by side there, and bisection finds
them (Manber & Myers 1993).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import CharRNNError
from charrnn.text.vocabulary import Vocabulary, code_points
from charrnn.types import IdArray

LONGEST_COMPARED_PASSAGE = 2000
"""Symbols; a longer copy is reported as several."""
COUNTED_PASSAGE = 20
"""Symbols that a copied passage must have to count in `CopyReport.share`."""


class ReferenceText:
    """A text of N symbols, `ids` (N,), in which copies are looked for.

    Memory: 4 bytes a symbol (8 from 2³¹ symbols on), and twice that of the ids. Raises
    CharRNNError where the package that sorts (pydivsufsort) is not installed.
    """

    def __init__(self, ids: IdArray) -> None:
        try:
            from pydivsufsort import divsufsort
        except ImportError as error:
            raise CharRNNError(
                "finding copies needs a package that is not installed: pip install pydivsufsort"
            ) from error
        largest = int(ids.max(initial=0))
        self._width = next(width for width in (1, 2, 4) if largest < 256**width)
        self._ids = ids.astype(f"u{self._width}")
        # with the highest byte first, so that bytes sort as numbers do
        self._bytes = self._key(self._ids)
        self._positions: NDArray[np.integer] = divsufsort(self._ids) if len(ids) else self._ids

    @classmethod
    def of(cls, text: str | bytes, vocabulary: Vocabulary) -> "ReferenceText":
        """The reference for texts of this vocabulary. Symbols that it does not have become one
        more symbol, V, which is never generated."""
        text = text.encode() if vocabulary.is_bytes and isinstance(text, str) else text
        symbols = code_points(text) if isinstance(text, str) else np.frombuffer(text, np.uint8)
        known = vocabulary.symbols
        ids = np.searchsorted(known, symbols)
        ids[known[np.minimum(ids, len(known) - 1)] != symbols] = len(known)
        return cls(ids)

    def copied(self, ids: IdArray) -> int:
        """The length of the longest beginning of `ids` (N,) that occurs in this text, in symbols;
        at most LONGEST_COMPARED_PASSAGE."""
        wanted = self._key(ids[:LONGEST_COMPARED_PASSAGE])
        size = len(wanted)
        place = bisect_left(self._positions, wanted, key=lambda start: self._at(start, size))
        # the longest common beginning is with a neighbour of its place in the sorted order
        neighbours = self._positions[max(place - 1, 0) : place + 1].tolist()
        common = (_common_bytes(self._at(start, size), wanted) for start in neighbours)
        return max(common, default=0) // self._width

    def following(self, ids: IdArray) -> NDArray[np.integer]:
        """The different symbols that follow the passage `ids` (N,) in this text."""
        wanted = self._key(ids)
        size = len(wanted)
        first = bisect_left(self._positions, wanted, key=lambda start: self._at(start, size))
        end = bisect_right(
            self._positions, wanted, lo=first, key=lambda start: self._at(start, size)
        )
        after = self._positions[first:end].astype(np.int64) + len(ids)
        return np.unique(self._ids[after[after < len(self._ids)]])

    def _key(self, ids: IdArray) -> bytes:
        return ids.astype(f">u{self._width}").tobytes()

    def _at(self, start: int, size: int) -> bytes:
        first = int(start) * self._width
        return self._bytes[first : first + size]


def _common_bytes(one: bytes, other: bytes) -> int:
    """The length of the common beginning, in bytes."""
    size = min(len(one), len(other))
    a, b = np.frombuffer(one, np.uint8, size), np.frombuffer(other, np.uint8, size)
    different = np.flatnonzero(a != b)
    return int(different[0]) if len(different) else size


@dataclass(frozen=True)
class Passage:
    """`length` symbols of a text, from `start` on, that occur in a reference text."""

    start: int
    length: int


def passages(reference: ReferenceText, ids: IdArray) -> list[Passage]:
    """The copied passages of `ids` (N,) that are not part of a longer one, in order."""
    found: list[Passage] = []
    end = 0
    for start in range(len(ids)):
        if found and start + LONGEST_COMPARED_PASSAGE <= end:
            continue
        length = reference.copied(ids[start : start + LONGEST_COMPARED_PASSAGE])
        if length and start + length > end:
            end = start + length
            found.append(Passage(start, length))
    return found


@dataclass(frozen=True)
class CopyReport:
    """How much of some texts is copied: the `share` of their `symbols` in passages of at least
    COUNTED_PASSAGE symbols, and the ids of the `longest` passages, the longest one first."""

    symbols: int
    share: float
    longest: list[IdArray]


def copy_report(
    reference: ReferenceText, texts: Sequence[IdArray], *, longest: int = 5
) -> CopyReport:
    """What of `texts`, ids (N₁,), (N₂,) …, is copied from the reference text."""
    found = [(ids, passage) for ids in texts for passage in passages(reference, ids)]
    total = sum(map(len, texts))
    counted = sum(passage.length for _, passage in found if passage.length >= COUNTED_PASSAGE)
    ranked = sorted(found, key=lambda pair: -pair[1].length)[:longest]
    return CopyReport(
        total,
        min(counted, total) / max(total, 1),
        [ids[passage.start :][: passage.length] for ids, passage in ranked],
    )


class CopyLimit:
    """Keeps S streams from copying more than `most` symbols in a row from a reference text. Symbols
    of their `primes` count as copied, too, though nothing prevents them."""

    def __init__(self, reference: ReferenceText, most: int, primes: Sequence[IdArray]) -> None:
        self._reference, self._most = reference, most
        self._written: list[list[int]] = [prime[-most:].tolist() for prime in primes]

    def push(self, stream: int, id: int) -> None:
        """Take note of the next symbol of a stream."""
        self._written[stream] = [*self._written[stream], id][-self._most :]

    def forbidden(self, stream: int) -> NDArray[np.integer]:
        """The symbols that would now make the copy too long."""
        written = self._written[stream]
        if len(written) < self._most:
            return np.zeros(0, np.intp)
        return self._reference.following(np.array(written))
