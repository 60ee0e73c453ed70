"""Filters and the draw of the next symbol, against their definition."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn.sampling.filters import Filters
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
