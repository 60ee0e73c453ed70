"""An n-gram model: interpolated Kneser-Ney smoothing with modified discounts.

With the counts c of `charrnn.ngram.counts`, the context h of a symbol s, C(h) = Σ_s c(h s), and h′
the context without its first symbol (Chen & Goodman 1999, section 3):

    p(s | h) = (c(h s) − D(c(h s))) / C(h) + γ(h) · p(s | h′)        first term: 0 if c(h s) = 0
    γ(h) = (D₁·N₁(h) + D₂·N₂(h) + D₃·N₃(h)) / C(h)

down to 1/V below the empty context. N₁(h), N₂(h), N₃(h) are the numbers of symbols that followed h
once, twice, and more often. With n_j the number of k-grams of count j, and Y = n₁ / (n₁ + 2·n₂),

    D(c) = D_min(c, 3)        D_j = j − (j + 1) · Y · n_{j+1} / n_j
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.ngram.codes import Codes, codes, find
from charrnn.ngram.counts import Counts, count_ngrams
from charrnn.types import IdArray

Floats = NDArray[np.float64]
Contexts = NDArray[np.int64]
"""Contexts of S places in a text (n, S): row k has the index of the last k symbols among the
k-grams that are known, or `UNKNOWN`."""

DEFAULT_ORDER = 8
UNKNOWN = -1
MOST_ROWS = 2**21
"""Numbers, at most, in the table of the whole predictions after short contexts."""


class NgramModel:
    """Predicts the next symbol from the last n − 1 ones.

    Memory: 13 bytes for each n-gram of the highest order, 34 for each shorter one (of up to 255
    symbols), and 8 · `MOST_ROWS` for a table.
    """

    def __init__(self, vocabulary_size: int, counts: Sequence[Counts]) -> None:
        """Of the k-grams for k = 1 … n. Raises ValueError where they are not those of a text."""
        V = vocabulary_size
        self.vocabulary_size, self.counts = V, list(counts)
        empty = np.zeros(1, np.int64)
        self._known: list[Codes] = [empty, *(each.codes for each in counts[:-1])]
        self._followers = [
            _Followers(each, known, V) for each, known in zip(counts, self._known, strict=True)
        ]
        self._make_rows()

    @classmethod
    def of(cls, ids: IdArray, vocabulary_size: int, order: int = DEFAULT_ORDER) -> "NgramModel":
        """The model of the text `ids` (N,); see `count_ngrams`, also for what it raises."""
        return cls(vocabulary_size, count_ngrams(ids, vocabulary_size, order))

    @property
    def order(self) -> int:
        """n."""
        return len(self.counts)

    def contexts(self, text: IdArray) -> Contexts:
        """The contexts (n, N) after each of the symbols of a text (N,)."""
        found = np.full((self.order, len(text)), UNKNOWN, np.int64)
        found[0] = 0
        for k in range(1, min(self.order, len(text) + 1)):
            found[k, k - 1 :] = find(codes(text, self.vocabulary_size, k), self._known[k])
        return found

    def contexts_after(self, read: IdArray) -> Contexts:
        """The contexts (n, S) of S streams that have read T symbols each, `read` (T, S)."""
        T, S = read.shape
        found = np.full((self.order, S), UNKNOWN, np.int64)
        found[0] = 0
        code = np.zeros(S, np.int64)
        for k in range(1, min(self.order, T + 1)):
            code += read[T - k].astype(np.int64) * self.vocabulary_size ** (k - 1)
            found[k] = find(code, self._known[k])
        return found

    def probabilities(self, contexts: Contexts) -> Floats:
        """p(s | h) of every symbol (V, S) after the contexts (n, S)."""
        place = np.zeros(contexts.shape[1], np.int64)
        for k, first in enumerate(self._first_rows):
            place = np.where(contexts[k] != UNKNOWN, first + contexts[k], place)
        p: Floats = self._rows[place]
        for k in range(len(self._first_rows), self.order):
            self._followers[k].refine(p, contexts[k])
        return p.T

    def of_next(self, text: IdArray) -> Floats:
        """The probability (N − 1,) of each of the symbols text[1:], given all before it."""
        found = np.empty(max(len(text) - 1, 0))
        contexts = self.contexts(text)
        size = max(1, MOST_ROWS // self.vocabulary_size)
        for start in range(0, len(found), size):
            targets = text[start + 1 : start + size + 1]
            p = self.probabilities(contexts[:, start : start + len(targets)])
            found[start : start + size] = p[targets, np.arange(len(targets))]
        return found

    def known(self, contexts: Contexts) -> tuple[NDArray[np.intp], Floats]:
        """The length of the longest known context (S,), in symbols, and C(h) of it (S,)."""
        lengths = (contexts != UNKNOWN).sum(axis=0) - 1
        totals = np.empty(len(lengths))
        for k, followers in enumerate(self._followers):
            there = lengths == k
            totals[there] = followers.totals[contexts[k, there]]
        return lengths, totals

    def _make_rows(self) -> None:
        """The whole predictions after all contexts of the lengths 0, 1, …, as long as there is
        room: `_rows` (M, V), where those of length k begin at `_first_rows[k]`."""
        V = self.vocabulary_size
        rows = [np.full((1, V), 1 / V)]
        self._followers[0].refine(rows[0], np.zeros(1, np.int64))
        self._first_rows, total = [0], 1
        for k in range(1, self.order):
            own = self._known[k]
            if (total + len(own)) * V > MOST_ROWS:
                break
            shorter = find(own % V ** (k - 1), self._known[k - 1])
            if shorter.min() < 0:
                raise ValueError(f"there are {k}-grams whose last symbols are no {k - 1}-gram")
            rows.append(rows[-1][shorter])
            self._followers[k].refine(rows[-1], np.arange(len(own)))
            self._first_rows.append(total)
            total += len(own)
        self._rows: Floats = np.concatenate(rows)


class _Followers:
    """What followed the M contexts of one length, and how much is left for other symbols."""

    def __init__(self, counts: Counts, contexts: Codes, V: int) -> None:
        self._starts = np.searchsorted(counts.codes, np.append(contexts, contexts[-1] + 1) * V)
        self._symbols = (counts.codes % V).astype(np.min_scalar_type(V - 1))
        self._counts = counts.counts
        self._discounts = modified_discounts(counts.counts)
        self.totals = self._sums(self._counts)
        # a context that stands only at the very end has no followers: all is left to shorter ones
        left = sum(
            self._discounts[c] * self._sums(np.minimum(self._counts, 3) == c) for c in (1, 2, 3)
        )
        self._rests = np.where(self.totals > 0, left / np.maximum(self.totals, 1), 1.0)

    def _sums(self, numbers: NDArray[Any]) -> Floats:
        """The sum of the numbers of each context's followers (M,)."""
        sums = np.zeros(len(self._starts) - 1)
        some = np.flatnonzero(np.diff(self._starts))
        sums[some] = np.add.reduceat(numbers, self._starts[some], dtype=np.float64)
        return sums

    def refine(self, p: Floats, contexts: NDArray[np.int64]) -> None:
        """From p(s | h′) to p(s | h) in the rows of p (S, V), for contexts h (S,) of this length;
        rows whose h is unknown stay."""
        rows = np.flatnonzero(contexts != UNKNOWN)
        contexts = contexts[rows]
        p[rows] *= self._rests[contexts, np.newaxis]
        first = self._starts[contexts]
        sizes = self._starts[contexts + 1] - first
        # the followers of all contexts, one after another
        before = np.cumsum(sizes) - sizes
        followers = np.arange(int(sizes.sum())) + np.repeat(first - before, sizes)
        counts = self._counts[followers]
        discounted = counts - self._discounts[np.minimum(counts, 3)]
        shares = discounted / np.repeat(self.totals[contexts], sizes)
        p[np.repeat(rows, sizes), self._symbols[followers]] += shares


def modified_discounts(counts: NDArray[np.integer[Any]]) -> Floats:
    """D(c) for c = 0, 1, 2, and 3 or more (4,), from the counts of all k-grams.

    A text so small that a count of 1 to 4 is missing has the single discount Y (Ney, Essen & Kneser
    1994), or ½ where that cannot be estimated either. Discounts are kept above 0, so that every
    symbol keeps a probability, and below the count.
    """
    n = np.array([np.count_nonzero(counts == c) for c in (1, 2, 3, 4)], float)
    Y = n[0] / (n[0] + 2 * n[1]) if n[0] and n[1] else 0.5
    j = np.array([1.0, 2.0, 3.0])
    D = j - (j + 1) * Y * n[1:] / n[:3] if n.all() else np.full(3, Y)
    return np.concatenate([[0.0], np.clip(D, 0.02, j - 0.02)])
