"""Sums of a few terms."""

import numpy as np
import pytest

from charrnn.neurons.explain.columns import Column
from charrnn.neurons.explain.terms import MOST_BINS, BinnedColumns, fitted

N = 4000
PLACES = np.arange(N)


def columns(rng: np.random.Generator) -> list[Column]:
    return [
        Column("flag", rng.random(N) < 0.3, "in it", "out of it"),
        Column("number", rng.integers(50, size=N).astype(np.float32), "things"),
        Column("symbol", rng.integers(9, size=N), "the character"),
        Column("number", rng.integers(200, size=N).astype(np.float32), "others"),
    ]


def test_the_terms_of_a_sum_are_found() -> None:
    rng = np.random.default_rng(191)
    flag, number, symbol, _ = found = columns(rng)
    effects = rng.normal(size=9)
    y = 0.5 + 2.0 * flag.values - 3.0 * np.log1p(number.values) + effects[symbol.values]
    binned = BinnedColumns(found, PLACES)
    sums = list(fitted(binned, PLACES, y, range(4), 3))
    assert [len(one.terms) for one in sums] == [0, 1, 2, 3]
    assert {(t.column, t.kind) for t in sums[3].terms} == {(0, "step"), (1, "line"), (2, "lookup")}
    np.testing.assert_allclose(binned.predicted(sums[3], PLACES), y, atol=0.1)


def test_each_term_lowers_the_error_and_is_the_best_step() -> None:
    """By brute force over all thresholds of one number."""
    rng = np.random.default_rng(192)
    number = rng.integers(30, size=N).astype(np.float32)
    y = np.sin(number / 4) + rng.normal(size=N)
    binned = BinnedColumns([Column("number", number, "things")], PLACES)
    best = list(fitted(binned, PLACES, y, [0], 1))[1]
    errors = []
    for threshold in range(29):
        above = number > threshold
        if min(above.sum(), (~above).sum()) >= 100:
            fit = np.where(above, y[above].mean(), y[~above].mean())
            errors.append(((y - fit) ** 2).sum())
    x = np.log1p(number)
    line = np.polyfit(x, y, 1)
    errors.append(((y - np.polyval(line, x)) ** 2).sum())
    reached = ((y - binned.predicted(best, PLACES)) ** 2).sum()
    assert reached == pytest.approx(min(errors), rel=1e-9)


def test_a_step_of_a_symbol_is_the_best_small_set() -> None:
    rng = np.random.default_rng(193)
    symbol = rng.integers(6, size=N)
    y = np.isin(symbol, [1, 4]) * 1.0
    binned = BinnedColumns([Column("symbol", symbol, "the character")], PLACES)
    (term,) = list(fitted(binned, PLACES, y, [0], 1))[1].terms
    assert set(binned.upper[0][np.flatnonzero(term.table[:6])]) == {1.0, 4.0}


def test_rare_values_share_a_bin() -> None:
    symbol = np.arange(N) % 500
    binned = BinnedColumns([Column("symbol", symbol, "the word")], PLACES)
    assert binned.bins.max() == MOST_BINS - 1
    assert (binned.bins[0] == MOST_BINS - 1).sum() == N - 8 * (MOST_BINS - 1)


def test_values_beyond_those_that_were_learned() -> None:
    number = np.concatenate([np.arange(1000) % 10, np.full(1000, 99)]).astype(np.float32)
    binned = BinnedColumns([Column("number", number, "things")], np.arange(1000))
    assert binned.bins[0, 1000:].tolist() == [9] * 1000


def test_a_constant_signal_has_no_terms() -> None:
    binned = BinnedColumns(columns(np.random.default_rng(194)), PLACES)
    assert len(list(fitted(binned, PLACES, np.ones(N), range(4), 3))) == 1
