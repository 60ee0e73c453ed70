"""Groups of characters that have a name: one symbol, or a class of symbols, after another.

A group is a set of symbols that were read, and a set of those that may stand before them; so every
count over groups is a product with a table of pairs of symbols, (V, V).
"""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.neurons.explain.naming import symbol_names
from charrnn.neurons.features.words import ASCII_SYMBOLS
from charrnn.text.vocabulary import Vocabulary

Flags = NDArray[np.bool_]


def _is_punctuation(symbol: str) -> bool:
    return unicodedata.category(symbol)[0] == "P" or symbol in ASCII_SYMBOLS


_CLASSES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("a small letter", str.islower),
    ("a capital letter", str.isupper),
    ("a letter", str.isalpha),
    ("a digit", str.isdecimal),
    ("a punctuation mark", _is_punctuation),
    ("white space", str.isspace),
    ("a mark that ends a sentence", ".!?…".__contains__),
)


@dataclass(frozen=True)
class Sets:
    """Sets of symbols with their names: `members` (S, V)."""

    names: list[str]
    members: Flags

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> "Sets":
        """Each symbol alone, and all classes that have at least two of them."""
        V = vocabulary.size
        symbols = [chr(code) for code in vocabulary.symbols.tolist()]
        names, members = symbol_names(vocabulary), [np.eye(V, dtype=np.bool_)]
        for name, is_member in _CLASSES:
            row = np.array([is_member(symbol) for symbol in symbols])
            if 1 < row.sum() < V:
                names.append(name)
                members.append(row[np.newaxis])
        return cls(names, np.concatenate(members))


@dataclass(frozen=True)
class Group:
    """Symbols `read` (V,), where one of `before` (V,) was read before them."""

    name: str
    before: Flags
    read: Flags

    def holds(self, before: NDArray[np.integer], read: NDArray[np.integer]) -> Flags:
        """Whether each of some pairs of symbols (n,) is in the group: (n,)."""
        found: Flags = self.before[before] & self.read[read]
        return found


class PairTable:
    """The moves of a signal at pairs of symbols: how many (V, V), and their sum."""

    def __init__(
        self,
        before: NDArray[np.integer],
        read: NDArray[np.integer],
        moves: NDArray[np.floating],
        symbols: int,
    ) -> None:
        pairs = before.astype(np.intp) * symbols + read
        shape = (symbols, symbols)
        self._counts = np.bincount(pairs, minlength=symbols**2).reshape(shape).astype(np.float64)
        self._sums = np.bincount(pairs, moves, symbols**2).reshape(shape)

    def best_groups(
        self, sets: Sets, sign: int, *, most: int, fewest: int, smallest: float, simpler: float
    ) -> Iterator[Group]:
        """The groups that explain most of the squared moves of one sign, the best first, without
        what the earlier ones cover; each with at least `fewest` moves, of a mean size of at least
        `smallest`. A group with any symbol before is taken if it is worth `simpler` times the best
        one."""
        counts, sums = self._counts.copy(), sign * self._sums
        anything = np.ones((1, len(counts)), np.bool_)
        before = np.concatenate([anything, sets.members]).astype(np.float64)
        read = sets.members.T.astype(np.float64)
        for _ in range(most):
            n = before @ counts @ read  # (1 + S, S)
            total = before @ sums @ read
            mean = total / np.maximum(n, 1)
            worth = np.where((n >= fewest) & (mean >= smallest), n * mean**2, 0)
            best = float(worth.max())
            if best <= 0:
                return
            context = (
                0 if worth[0].max() >= simpler * best else int(worth.argmax() // len(sets.names))
            )
            group = self._group(sets, context, int(worth[context].argmax()))
            yield group
            covered = np.outer(group.before, group.read)
            counts[covered] = sums[covered] = 0

    def _group(self, sets: Sets, context: int, read: int) -> Group:
        name = f"at {sets.names[read]}"
        if context == 0:
            return Group(name, np.ones(sets.members.shape[1], np.bool_), sets.members[read])
        name += f" after {sets.names[context - 1]}"
        return Group(name, sets.members[context - 1], sets.members[read])
