"""Parts of a text that are read side by side, each warmed up by the text before it.

A network reads many streams at once much faster than one. A stream that begins in the middle of a
text has a state of zeros; so it reads some symbols before its part first, and nothing of those
counts. After the warm-up its state is as good as carried through the whole text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from charrnn.text.batches import spread
from charrnn.types import IdArray

Positions = NDArray[np.intp]
"""Places of symbols in a text."""


@dataclass(frozen=True, eq=False)
class Streams:
    """B streams, each as three positions in a text, (B,).

    A stream reads from `begins` on; the symbols from `starts` to before `ends` are its part. After
    the symbol at position t has been read, the network predicts the one at t + 1.
    """

    begins: Positions
    starts: Positions
    ends: Positions

    @classmethod
    def covering(cls, part: range, streams: int, warm_up: int) -> "Streams":
        """Streams that share a part of a text evenly; each begins `warm_up` symbols before its
        share, or with the text."""
        borders = part.start + spread(len(part), streams)
        return cls(np.maximum(borders[:-1] - warm_up, 0), borders[:-1], borders[1:])

    @classmethod
    def pieces(cls, length: int, streams: int, size: int, warm_up: int) -> "Streams":
        """Pieces of `size` symbols, spread evenly over a text of `length`, each after a whole
        warm-up and before at least one more symbol."""
        begins = spread(length - (warm_up + size), streams)[:-1]
        return cls(begins, begins + warm_up, begins + warm_up + size)

    def shortened(self, size: int) -> "Streams":
        """The same, with at most `size` symbols in each part."""
        return Streams(self.begins, self.starts, np.minimum(self.ends, self.starts + size))

    def __len__(self) -> int:
        """B."""
        return len(self.begins)

    @property
    def symbols(self) -> int:
        """In all parts together."""
        return int((self.ends - self.starts).sum())

    @property
    def longest(self) -> int:
        """Symbols that the longest stream reads, with its warm-up."""
        return int((self.ends - self.begins).max(initial=0))

    def groups(self, count: int) -> list["Streams"]:
        """The streams in at most `count` groups of sizes as even as can be."""
        borders = spread(len(self), max(1, min(count, len(self))))
        return [
            Streams(self.begins[a:b], self.starts[a:b], self.ends[a:b])
            for a, b in pairwise(borders.tolist())
        ]

    def excerpt(self, text: IdArray) -> tuple[IdArray, "Streams"]:
        """What these streams read of a text (N,), with the symbol behind the end of each; and the
        streams in it."""
        ends = np.minimum(self.ends + 1, len(text))
        pieces = [text[a:b] for a, b in zip(self.begins.tolist(), ends.tolist(), strict=True)]
        shift = np.cumsum([0, *map(len, pieces[:-1])]) - self.begins
        streams = Streams(self.begins + shift, self.starts + shift, self.ends + shift)
        return np.concatenate(pieces), streams

    def windows(self, steps: int) -> Iterator[tuple[Positions, NDArray[np.bool_]]]:
        """Windows of T steps: the positions to read (T, B), and whether they count (T, B).

        A stream that is at its end reads its last symbol again, which does not count.
        """
        for first in range(0, self.longest, steps):
            positions = self.begins + first + np.arange(steps)[:, np.newaxis]
            counts = (positions >= self.starts) & (positions < self.ends)
            yield np.minimum(positions, self.ends - 1), counts
