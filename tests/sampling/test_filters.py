"""Filters and the draw of the next symbol, against their definition."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from charrnn.sampling.filters import Filters, keep_typical_p
from charrnn.sampling.options import SamplingOptions

Column = NDArray[np.float64]


def logits(seed: int = 0, ties: bool = False) -> NDArray[np.float64]:
    """Those of 9 symbols in 4 streams."""
    z = np.random.default_rng([161, seed]).normal(0, 2, (9, 4))
    return np.round(z) if ties else z


def filters(forbidden: Sequence[int] = (), **options: Any) -> Filters:
    return Filters(SamplingOptions(**options), np.array(forbidden, np.intp))


def by_definition(z: Column, options: SamplingOptions, forbidden: list[int]) -> Column:
    """One column, one rule at a time, in plain loops."""
    allowed = [v for v in range(len(z)) if v not in forbidden]
    if options.temperature == 0:
        best = max(allowed, key=lambda v: (z[v], -v))
        return np.array([float(v == best) for v in range(len(z))])
    weights = {v: float(np.exp(z[v] / options.temperature)) for v in allowed}
    total = sum(weights.values())
    p = {v: weight / total for v, weight in weights.items()}
    ranked = sorted(allowed, key=lambda v: (-p[v], v))
    kept = set(ranked)
    if options.top_k:
        kept &= set(ranked[: options.top_k])
    share, nucleus = 0.0, set()
    for v in ranked:
        if share < options.top_p:
            nucleus.add(v)
        share += p[v]
    kept &= nucleus
    kept &= {v for v in ranked if p[v] >= options.min_p * p[ranked[0]]}
    left = sum(p[v] for v in kept)
    return np.array([p[v] / left if v in kept else 0.0 for v in range(len(z))])


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("forbidden", [[], [0, 3, 5]])
@pytest.mark.parametrize("min_p", [0, 0.1, 0.5, 1])
@pytest.mark.parametrize("top_p", [1, 0.9, 0.5, 1e-9])
@pytest.mark.parametrize("top_k", [0, 1, 3, 100])
@pytest.mark.parametrize("temperature", [0, 0.3, 1, 2.5])
def test_probabilities_by_their_definition(
    temperature: float, top_k: int, top_p: float, min_p: float, forbidden: list[int], ties: bool
) -> None:
    z = logits(ties=ties)
    options = SamplingOptions(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    found = Filters(options, np.array(forbidden, np.intp)).probabilities(z)
    expected = np.stack([by_definition(column, options, forbidden) for column in z.T], axis=1)
    if not ties or min_p in (0, 1):  # of equals, rounding may keep either
        np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=0), 1)


@pytest.mark.parametrize(
    "chosen",
    [
        filters(),
        filters(temperature=0.5, top_k=3),
        filters(typical_p=0.6),
        filters(top_p=0.6),
        filters(temperature=2, min_p=0.3),
        filters(temperature=0),
    ],
)
def test_draws_follow_the_probabilities(chosen: Filters) -> None:
    z = np.repeat(logits(1)[:, :1], 40_000, axis=1)
    drawn = chosen.draw(z, np.random.default_rng(162))
    found = np.bincount(drawn, minlength=9) / len(drawn)
    expected = chosen.probabilities(z[:, :1])[:, 0]
    assert set(np.flatnonzero(found)) <= set(np.flatnonzero(expected))
    np.testing.assert_allclose(found, expected, atol=4 * 0.5 / len(drawn) ** 0.5)


class Given:
    """Random numbers that are known in advance."""

    def __init__(self, numbers: NDArray[np.float64]) -> None:
        self._numbers = numbers

    def random(self, size: int, /) -> NDArray[np.float64]:
        assert len(self._numbers) == size
        return self._numbers


@pytest.mark.parametrize(
    "chosen",
    [
        filters(),
        filters(temperature=0.5, top_k=3),
        filters(top_p=0.6),
        filters(temperature=2, min_p=0.3),
        filters(temperature=0),
        filters([2, 5]),
    ],
)
def test_a_stream_alone_draws_what_it_draws_among_others(chosen: Filters) -> None:
    z = np.hstack([logits(seed) for seed in range(12)])
    numbers = np.random.default_rng(163).random(48)
    among_others = chosen.draw(z, Given(numbers))
    alone = [chosen.draw(z[:, n : n + 1], Given(numbers[n : n + 1])) for n in range(48)]
    np.testing.assert_array_equal(np.concatenate(alone), among_others)
    assert len(set(among_others.tolist())) > 2


def test_the_logits_are_left_alone() -> None:
    z = logits()
    before = z.copy()
    chosen = filters([1], temperature=0.7, top_k=3, top_p=0.9, min_p=0.1)
    chosen.draw(z, np.random.default_rng(1))
    chosen.probabilities(z)
    np.testing.assert_array_equal(z, before)


# --- typical-p


def typical_by_definition(p: Column, share: float) -> set[int]:
    """The symbols that typical-p keeps of a distribution p (V,), in plain loops."""
    entropy = -sum(x * math.log(x) for x in p if x > 0)
    possible = [v for v in range(len(p)) if p[v] > 0]
    kept: set[int] = set()
    for v in sorted(possible, key=lambda v: (abs(-math.log(p[v]) - entropy), v)):
        if sum(p[v] for v in kept) < share:
            kept.add(v)
    return kept


weights = st.lists(st.floats(0.001, 1), min_size=1, max_size=8)


@settings(deadline=None, derandomize=True)
@given(weights, st.floats(0.01, 0.99))
def test_typical_p_by_its_definition(column: list[float], share: float) -> None:
    p = np.array(column) / sum(column)
    distances = np.abs(-np.log(p) + (p * np.log(p)).sum())
    order = np.argsort(distances)
    # not where rounding decides
    assume(np.diff(distances[order]).min(initial=1) > 1e-9)
    assume(np.abs(p[order].cumsum() - share).min() > 1e-9)
    found = p.copy()
    keep_typical_p(found, share)
    assert set(np.flatnonzero(found).tolist()) == typical_by_definition(p, share)
    np.testing.assert_array_equal(found[found > 0], p[found > 0])


def test_typical_p_leaves_out_what_is_too_probable() -> None:
    p = np.array([0.6, 0.1, 0.1, 0.1, 0.1])  # entropy 1.228; −ln p is 0.511 and 2.303
    kept = p.copy()
    keep_typical_p(kept, 0.5)
    assert kept.tolist() == [0.6, 0, 0, 0, 0]
    p = np.array([0.4, 0.2, 0.2, 0.1, 0.1])  # entropy 1.471; −ln p is 0.916, 1.609 and 2.303
    kept = p.copy()
    keep_typical_p(kept, 0.35)
    assert kept.tolist() == [0, 0.2, 0.2, 0, 0]


def test_of_equally_typical_symbols_the_first_are_kept() -> None:
    kept = filters(typical_p=0.5).probabilities(np.zeros((4, 2)))
    np.testing.assert_array_equal(kept.T, [[0.5, 0.5, 0, 0]] * 2)


@settings(deadline=None, derandomize=True)
@given(
    st.lists(st.floats(-50, 50), min_size=6, max_size=6),
    st.floats(1e-9, 1),
    st.floats(1e-9, 1),
    st.integers(0, 6),
    st.floats(0, 1),
    st.sampled_from([0.0, 1e-300, 0.5, 1.0, 100.0]),
    st.sets(st.integers(0, 5), max_size=5),
)
def test_at_least_one_symbol_is_left_whatever_the_filters(
    z: list[float],
    typical_p: float,
    top_p: float,
    top_k: int,
    min_p: float,
    temperature: float,
    forbidden: set[int],
) -> None:
    chosen = filters(
        sorted(forbidden),
        temperature=temperature,
        typical_p=typical_p,
        top_p=top_p,
        top_k=top_k,
        min_p=min_p,
    )
    p = chosen.probabilities(np.array([z]).T)[:, 0]
    assert p.sum() == pytest.approx(1)
    assert not p[sorted(forbidden)].any()


def test_typical_p_comes_first() -> None:
    z = np.log([[0.4], [0.2], [0.2], [0.1], [0.1]])  # typical-p 0.35 keeps 0.2 and 0.2
    for others in ({"top_k": 2}, {"top_p": 0.9}, {"min_p": 1.0}):
        p = filters(typical_p=0.35, **others).probabilities(z)[:, 0]
        np.testing.assert_allclose(p, [0, 0.5, 0.5, 0, 0])


def test_a_typical_p_of_1_changes_nothing() -> None:
    z = np.hstack([logits(seed) for seed in range(5)])
    np.testing.assert_array_equal(
        filters(typical_p=1.0).probabilities(z), filters().probabilities(z)
    )
