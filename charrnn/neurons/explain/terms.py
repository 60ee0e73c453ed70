"""A signal as a sum of a few terms, each of one column of a text.

    prediction = base + Σ_k w_k · x_k

A term x_k is one of three:

    step      1 where a flag is on, a number above a threshold, or a symbol one of a few; else 0
    line      ln(1 + x) of a number: most signals that change after an event do so fast at first
    lookup    an effect of each symbol

Terms are added one after another (orthogonal matching pursuit: Pati, Rezaiifar & Krishnaprasad
1993): the one that lowers the sum of squared errors most, then all weights anew by least squares.
Every column is cut into at most `MOST_BINS` bins, so that a term is a table with a number for each
bin, and the gain of every step, line and lookup of a column follows from two histograms of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from charrnn.neurons.explain.columns import Column
from charrnn.text.streams import Positions

Floats = NDArray[np.floating]

MOST_BINS = 128
"""Thresholds of a number, and values of a symbol, that are told apart; rarer ones count as one."""
FEWEST = 100
"""Characters on either side of a step, at least."""
LARGEST_SET = 4
"""Values that a step of a symbol may name."""
SHRINKAGE = 20
"""Characters with an effect of 0 that are added to each value of a lookup, against chance."""


@dataclass(frozen=True)
class Term:
    """One term: a column, by its number, and what it counts in each bin, `table` (`MOST_BINS`,)."""

    column: int
    kind: Literal["step", "line", "lookup"]
    table: Floats


@dataclass(frozen=True)
class Sum:
    """A base and terms with their weights (K,)."""

    base: float
    weights: Floats
    terms: tuple[Term, ...]


class BinnedColumns:
    """Columns of a text of N characters as bins: `bins` (C, N), each below `MOST_BINS`.

    The borders of numbers and the frequent symbols come from a part of the text, `learned`.
    """

    def __init__(self, columns: Sequence[Column], learned: Positions) -> None:
        self.columns = list(columns)
        self.bins = np.zeros((len(columns), len(columns[0].values)), np.uint8)
        self.upper: list[Floats] = []
        """For each number or flag the largest value of each bin but the last; for a symbol its
        value in each bin but the last."""
        self.means: Floats = np.zeros((len(columns), MOST_BINS))
        """Of each bin of a number."""
        for row, column in enumerate(columns):
            if column.kind == "symbol":
                self._bin_symbols(row, column.values, learned)
            else:
                self._bin_numbers(row, column.values.astype(np.float64), learned)

    def _bin_symbols(self, row: int, values: NDArray[np.integer], learned: Positions) -> None:
        counts = np.bincount(values[learned], minlength=int(values.max()) + 1)
        frequent = np.argsort(-counts, kind="stable")[: MOST_BINS - 1]
        bins = np.full(len(counts), MOST_BINS - 1, np.uint8)
        bins[frequent] = np.arange(len(frequent))
        self.bins[row] = bins[values]
        self.upper.append(frequent.astype(np.float64))

    def _bin_numbers(self, row: int, values: Floats, learned: Positions) -> None:
        known = values[learned]
        borders = np.unique(np.quantile(known, np.linspace(0, 1, MOST_BINS), method="lower"))[:-1]
        self.bins[row] = np.searchsorted(borders, values, side="left")
        self.upper.append(borders)
        of_learned = self.bins[row, learned]
        counts = np.bincount(of_learned, minlength=MOST_BINS)
        self.means[row] = np.bincount(of_learned, known, MOST_BINS) / np.maximum(counts, 1)

    def predicted(self, found: Sum, places: Positions) -> Floats:
        """What a sum predicts at some places (n,) of the text: (n,)."""
        prediction = np.full(len(places), found.base)
        for weight, term in zip(found.weights, found.terms, strict=True):
            prediction += weight * term.table[self.bins[term.column, places]]
        return prediction


def fitted(
    binned: BinnedColumns, places: Positions, y: Floats, rows: Sequence[int], most: int
) -> Iterator[Sum]:
    """Sums of 0, 1, … and at most so many terms for a signal y (n,) at some places of the text
    (n,), of some of the columns, `rows`; as long as a term gains something."""
    base = float(y.mean())
    found = Sum(base, np.zeros(0), ())
    design, left = np.ones((len(y), 1)), y - base
    yield found
    for _ in range(most):
        term = _best_term(binned, places, left, rows)
        if term is None:
            return
        design = np.column_stack([design, term.table[binned.bins[term.column, places]]])
        weights = np.linalg.pinv(design.T @ design, hermitian=True) @ (design.T @ y)
        left = y - design @ weights
        found = Sum(float(weights[0]), weights[1:], (*found.terms, term))
        yield found


def _best_term(
    binned: BinnedColumns, places: Positions, left: Floats, rows: Sequence[int]
) -> Term | None:
    """The term that explains most of a signal (n,) whose mean is 0."""
    best, found = 1e-9 * float(left @ left), None
    for row in rows:
        bins, kind = binned.bins[row, places], binned.columns[row].kind
        counts = np.bincount(bins, minlength=MOST_BINS).astype(np.float64)
        sums = np.bincount(bins, left, MOST_BINS).astype(np.float64)
        candidates = [_step(row, counts, sums, is_symbol=kind == "symbol")]
        if kind == "symbol":
            candidates.append(_lookup(row, counts, sums))
        elif kind == "number":
            candidates.append(_line(row, np.log1p(np.maximum(binned.means[row], 0)), counts, sums))
        for gain, term in candidates:
            if gain > best:
                best, found = gain, term
    return found


def _step(row: int, counts: Floats, sums: Floats, *, is_symbol: bool) -> tuple[float, Term]:
    """With S and n of one side, S_total = 0: gain = S²/n + S²/(n_total − n). Symbols are ordered by
    their mean, in which order the best set is a beginning or an end (Breiman et al. 1984, theorem
    4.5)."""
    order = np.arange(len(counts))
    if is_symbol:
        used = counts > 0
        means = np.divide(sums, counts, out=np.full(len(sums), np.inf), where=used)
        order = np.argsort(means, kind="stable")
    n, n_total = np.cumsum(counts[order]), counts.sum()
    below = np.cumsum(sums[order])
    is_allowed = (n >= FEWEST) & (n_total - n >= FEWEST)
    size = np.arange(1, len(order) + 1)
    if is_symbol:
        is_allowed &= np.minimum(size, np.count_nonzero(counts) - size) <= LARGEST_SET
    gains = np.where(
        is_allowed, below**2 / np.maximum(n, 1) + below**2 / np.maximum(n_total - n, 1), 0
    )
    best = int(gains.argmax())
    table = np.ones(len(order))
    table[order[: best + 1]] = 0
    if is_symbol:
        if 2 * (best + 1) < np.count_nonzero(counts):
            table = 1 - table  # the few that it names
        table[counts == 0] = 0
    return float(gains[best]), Term(row, "step", table)


def _lookup(row: int, counts: Floats, sums: Floats) -> tuple[float, Term]:
    """The mean of each value, shrunk; its gain is Σ S·effect."""
    effects = sums / (counts + SHRINKAGE)
    return float(sums @ effects), Term(row, "lookup", effects)


def _line(row: int, x: Floats, counts: Floats, sums: Floats) -> tuple[float, Term]:
    """By least squares: gain = (Σ x·left)² / Σ (x − mean)²."""
    centre = float(counts @ x) / float(counts.sum())
    spread, shared = float(counts @ (x - centre) ** 2), float(sums @ x)
    return (shared**2 / spread if spread > 0 else 0.0), Term(row, "line", x)
