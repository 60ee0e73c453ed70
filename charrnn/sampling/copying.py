"""What of a text is copied, symbol for symbol, from another one; by the other one's suffix array.

A suffix array has the places of a text, sorted by what stands there and behind, so that all places
where a passage occurs lie side by side, and bisection finds them (Manber & Myers 1993).
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import CharRNNError, OptionError
from charrnn.types import IdArray

LONGEST = 2000
"""Symbols of a passage that are compared: a longer copy is reported as several."""


class Source:
    """A text of N symbols from which others may be copied, `ids` (N,).

    Memory: 4 bytes a symbol (8 from 2³¹ symbols on), and those of the ids twice. Raises
    CharRNNError where the library that sorts (pydivsufsort) is not there.
    """

    def __init__(self, ids: IdArray) -> None:
        try:
            from pydivsufsort import divsufsort
        except ImportError as error:
            raise CharRNNError(
                "copies are found by a package that is not there: pip install pydivsufsort"
            ) from error
        largest = int(ids.max(initial=0))
        self._width = next(width for width in (1, 2, 4) if largest < 256**width)
        self._ids = ids.astype(f"u{self._width}")
        # with the highest byte first, so that bytes sort as numbers do
        self._bytes = self._key(self._ids)
        self._places: NDArray[np.integer] = divsufsort(self._ids) if len(ids) else self._ids

    def copied(self, ids: IdArray) -> int:
        """How many symbols from the beginning of `ids` (N,) on stand in this text like that."""
        wanted = self._key(ids[:LONGEST])
        size = len(wanted)
        place = bisect_left(self._places, wanted, key=lambda place: self._at(place, size))
        # what begins most alike stands right before or behind the place where it would stand itself
        neighbours = self._places[max(place - 1, 0) : place + 1].tolist()
        alike = (_common(self._at(place, size), wanted) for place in neighbours)
        return max(alike, default=0) // self._width

    def following(self, ids: IdArray) -> NDArray[np.integer]:
        """The different symbols that follow the passage `ids` (N,) in this text."""
        wanted = self._key(ids)
        size = len(wanted)
        first = bisect_left(self._places, wanted, key=lambda place: self._at(place, size))
        end = bisect_right(self._places, wanted, lo=first, key=lambda place: self._at(place, size))
        after = self._places[first:end].astype(np.int64) + len(ids)
        return np.unique(self._ids[after[after < len(self._ids)]])

    def _key(self, ids: IdArray) -> bytes:
        return ids.astype(f">u{self._width}").tobytes()

    def _at(self, place: int, size: int) -> bytes:
        start = int(place) * self._width
        return self._bytes[start : start + size]


def _common(one: bytes, other: bytes) -> int:
    """How many bytes the two begin with alike."""
    size = min(len(one), len(other))
    a, b = np.frombuffer(one, np.uint8, size), np.frombuffer(other, np.uint8, size)
    different = np.flatnonzero(a != b)
    return int(different[0]) if len(different) else size


@dataclass(frozen=True)
class Passage:
    """Symbols of a text, from `start` on, that stand in a source."""

    start: int
    length: int


def passages(source: Source, ids: IdArray) -> list[Passage]:
    """The passages of `ids` (N,) that stand in `source` and are part of no longer one, in order."""
    found: list[Passage] = []
    end = 0
    for start in range(len(ids)):
        if found and start + LONGEST <= end:
            continue
        length = source.copied(ids[start : start + LONGEST])
        if length and start + length > end:
            end = start + length
            found.append(Passage(start, length))
    return found


class CopyLimit:
    """Keeps S streams from copying more than `most` symbols in a row from a source; what they have
    begun with, `primes`, counts, but is not prevented. Raises OptionError for less than 1."""

    def __init__(self, source: Source, most: int, primes: list[list[int]]) -> None:
        if most < 1:
            raise OptionError(f"--max-copy must be at least 1, not {most}")
        self._source, self._most = source, most
        self._written = [prime[-most:] for prime in primes]

    def push(self, stream: int, id: int) -> None:
        """Take note of the next symbol in a stream."""
        self._written[stream] = [*self._written[stream], id][-self._most :]

    def forbidden(self, stream: int) -> NDArray[np.integer]:
        """The symbols that would now make the copy too long."""
        written = self._written[stream]
        if len(written) < self._most:
            return np.zeros(0, np.intp)
        return self._source.following(np.array(written))
