"""The shortest rule that predicts a cell: a sum of a few terms, in words.

Rules of up to `MOST_TERMS` terms are found on one part of the text. On a second part the shortest
is taken whose correlation with the cell is within `TOLERANCE` of the best one's. How well it does
is measured on a third part, beside the best such rule over the last characters alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.neurons.explain.columns import LAST_CHARACTERS, Column
from charrnn.neurons.explain.naming import listed
from charrnn.neurons.explain.recording import Parts
from charrnn.neurons.explain.terms import BinnedColumns, Floats, Sum, Term, fitted

MOST_TERMS = 6
TOLERANCE = 0.02
"""Correlation that is given up for a shorter rule."""
SMALLEST_R = 0.8
"""Correlation on unseen text below which a cell has no short rule."""
RESERVE = 0.01
"""Correlation beyond that a rule should have where it is chosen."""
NAMED_EFFECTS = 3
"""Symbols of a lookup that are named, of those that raise and of those that lower the cell."""


@dataclass(frozen=True)
class Rule:
    """A rule for a cell: it is at `base`, plus what the `terms` say; and the correlation `r` of the
    rule with the cell on unseen text.

    `r_characters` is that of the best rule over the last characters alone, and `r_untrained` the
    median of rules for cells of the untrained baseline.
    """

    base: float
    terms: list[str]
    r: float
    r_characters: float
    r_untrained: float

    @property
    def is_short_rule(self) -> bool:
        """Whether it predicts the cell, and better than the last characters alone."""
        return self.r >= SMALLEST_R and self.r > self.r_characters

    def in_words(self) -> str:
        """One sentence with its figures."""
        figures = (
            f"r = {self.r:.2f} on unseen text, where 1 would be perfect; by the last "
            f"{LAST_CHARACTERS} characters alone {self.r_characters:.2f}, for untrained cells "
            f"{self.r_untrained:.2f}"
        )
        if self.r < SMALLEST_R:
            return f"no short rule (best: {figures})"
        text = "; ".join([f"starts at {self.base:+.2f}", *self.terms])
        if not self.is_short_rule:
            return f"the last characters alone tell as much: {text} ({figures})"
        return f"{text} ({figures})"


class RuleFinder:
    """Finds rules for cells while a network reads a text, from its `columns`."""

    def __init__(self, columns: Sequence[Column], parts: Parts) -> None:
        self._binned, self._parts = BinnedColumns(columns, parts.learned), parts
        self._all = range(len(columns))

    def find(
        self,
        learned: NDArray[np.floating],
        chosen: NDArray[np.floating],
        unseen: NDArray[np.floating],
        r_untrained: float = float("nan"),
    ) -> Rule:
        """The rule for a cell with these values in the three parts."""
        best = self._shortest(learned, chosen, self._all)
        alone = self._shortest(learned, chosen, self._all[-LAST_CHARACTERS:])
        predicted = self._binned.predicted
        return Rule(
            base=self._base(best),
            terms=list(self._in_words(best)),
            r=correlation(predicted(best, self._parts.unseen), unseen),
            r_characters=correlation(predicted(alone, self._parts.unseen), unseen),
            r_untrained=r_untrained,
        )

    def _shortest(
        self, learned: NDArray[np.floating], chosen: NDArray[np.floating], rows: Sequence[int]
    ) -> Sum:
        y = learned.astype(np.float64)
        sums = list(fitted(self._binned, self._parts.learned, y, rows, MOST_TERMS))
        reached = [
            correlation(self._binned.predicted(one, self._parts.chosen), chosen) for one in sums
        ]
        best = max(reached)
        enough = max(best - TOLERANCE, min(best, SMALLEST_R + RESERVE))
        return next(one for one, r in zip(sums, reached, strict=True) if r >= enough)

    def _base(self, found: Sum) -> float:
        """What a sum predicts where no step is on and each line is at its beginning."""
        lines = sum(
            weight * term.table[self._ends(term)[0]]
            for weight, term in zip(found.weights, found.terms, strict=True)
            if term.kind == "line"
        )
        return float(found.base + lines)

    def _in_words(self, found: Sum) -> Iterator[str]:
        for weight, term in zip(found.weights.tolist(), found.terms, strict=True):
            column, upper = self._binned.columns[term.column], self._binned.upper[term.column]
            if term.kind == "lookup":
                counts = np.bincount(self._binned.bins[term.column, self._parts.learned])
                yield _effects(column, weight * term.table, upper, counts)
            elif term.kind == "line":
                first, last = self._ends(term)
                change = weight * (term.table[last] - term.table[first])
                means = self._binned.means[term.column]
                yield f"{change:+.2f} from {means[first]:.0f} to {means[last]:.0f} {column.on}"
            else:
                yield f"{weight:+.2f} {_where(column, term.table > 0, upper)}"

    def _ends(self, term: Term) -> tuple[int, int]:
        """The bins between which a number is nine tenths of the time."""
        bins = np.sort(self._binned.bins[term.column, self._parts.learned])
        return int(bins[len(bins) // 20]), int(bins[-1 - len(bins) // 20])


def _effects(column: Column, effects: Floats, symbols: Floats, counts: NDArray[np.integer]) -> str:
    """A lookup: the symbols that explain most by their effects, given how often each bin comes."""
    size = min(len(symbols), len(counts))
    known = effects[:size]
    order = np.argsort(np.sign(known) * known**2 * counts[:size])
    raised = [n for n in order[::-1][:NAMED_EFFECTS] if known[n] > 0]
    lowered = [n for n in order[:NAMED_EFFECTS] if known[n] < 0]
    parts = [
        f"{np.mean(known[some]):+.2f} for {listed(column.names[int(symbols[n])] for n in some)}"
        for some in (raised, lowered)
        if some
    ]
    return f"by {column.on}: {', '.join(parts)}"


def _where(column: Column, bins: NDArray[np.bool_], upper: Floats) -> str:
    """In words, that a column is in some bins."""
    if column.kind == "flag":
        return column.on if bins[1] else column.off
    if column.kind == "symbol":
        named = bins[: len(upper)]
        is_negated = bool(bins[-1]) or named.sum() > len(named) // 2
        names = listed(sorted(column.names[int(x)] for x in upper[named != is_negated]))
        return f"where {column.on} is {'not ' if is_negated else ''}{names}"
    lowest = upper[int(bins.argmax()) - 1]
    if column.event:
        return (
            f"more than {lowest:.0f} characters after {column.event}"
            if lowest
            else f"not at {column.event}"
        )
    return f"at more than {lowest:.0f} {column.on}"


def correlation(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Pearson's correlation of two signals (n,); 0 where one of them is constant."""
    if not (one.std() > 0 and other.std() > 0):
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
