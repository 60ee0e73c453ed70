"""Scores against their definitions."""

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn.neurons.scores import (
    best_threshold,
    centred_ranks,
    overlap,
    score,
    within_groups,
)

Numbers = NDArray[np.floating]
NONE = np.zeros((0, 0), np.float32)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng([101, seed])


def naive_auc(x: Numbers, on: NDArray[np.bool_]) -> float:
    """Every pair of an on and an off character: is the unit higher, or lower?"""
    signs = np.sign(x[on][:, np.newaxis] - x[~on])
    return float(signs.mean())


def naive_ranks(x: Numbers) -> Numbers:
    return np.array([(x < value).sum() + ((x == value).sum() + 1) / 2 for value in x])


def of_flags(x: Numbers, flags: NDArray[np.bool_]) -> Numbers:
    return score(x, flags, np.zeros((len(x), 0)))


def of_numbers(x: Numbers, numbers: Numbers) -> Numbers:
    return score(x, np.zeros((len(x), 0), np.bool_), numbers)


@pytest.mark.parametrize("levels", [2, 5, 10**9], ids=["many ties", "ties", "no ties"])
def test_ranks_by_their_definition(levels: int) -> None:
    x = rng().integers(levels, size=(301, 40)).astype(np.float32)
    ranks = centred_ranks(x)
    assert ranks.shape == (40, 301)
    for unit in range(40):
        np.testing.assert_array_equal(ranks[unit], naive_ranks(x[:, unit]) - 151)


def test_ranks_of_negative_numbers_and_of_both_zeros() -> None:
    column = np.array([[-0.0], [-2.5], [0.0], [1e-40], [-np.inf], [-1e-40], [3.0]], np.float32)
    np.testing.assert_array_equal(centred_ranks(column)[0], [0.5, -2, 0.5, 2, -3, -1, 3])


@pytest.mark.parametrize("levels", [2, 7, 10**9], ids=["many ties", "ties", "no ties"])
def test_flags_by_their_definition(levels: int) -> None:
    x = rng().integers(levels, size=(500, 6)).astype(np.float32)
    flags = rng(1).random((500, 4)) < [0.5, 0.1, 0.9, 0.01]
    flags[0] = [True, True, False, True]
    found = of_flags(x, flags)
    for unit in range(6):
        for feature in range(4):
            expected = naive_auc(x[:, unit], flags[:, feature])
            assert found[unit, feature] == pytest.approx(expected, abs=1e-5)


def test_numbers_by_their_definition() -> None:
    x = rng().normal(size=(400, 5)).astype(np.float32)
    numbers = np.stack([np.arange(400) % 7, x[:, 0] ** 3, -x[:, 1]], axis=1)
    found = of_numbers(x, numbers)
    for unit in range(5):
        for feature in range(3):
            r, z = naive_ranks(x[:, unit]), naive_ranks(numbers[:, feature])
            assert found[unit, feature] == pytest.approx(np.corrcoef(r, z)[0, 1], abs=1e-5)
    assert found[0, 1] == pytest.approx(1, abs=1e-6)
    assert found[1, 2] == pytest.approx(-1, abs=1e-6)


def test_perfect_and_inverted_and_constant() -> None:
    flags = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1]], np.bool_)  # one on; always on
    x = np.array([[1, -1, 3], [2, -2, 3], [3, -3, 3]], np.float32)  # up; down; constant
    np.testing.assert_allclose(of_flags(x, flags), [[1, 0, 0], [-1, 0, 0], [0, 0, 0]], atol=1e-6)
    assert (of_numbers(x, np.ones((3, 2))) == 0).all()
    assert (of_numbers(np.ones((3, 2), np.float32), x) == 0).all()


def test_a_large_text_keeps_its_precision() -> None:
    """float32 ranks of many characters, against float64."""
    N = 200_000
    on = rng().random(N) < 0.02
    x = (rng(1).normal(size=N) + on).astype(np.float32)
    order = np.argsort(x, kind="stable")
    ranks = np.empty(N)
    ranks[order] = np.arange(1, N + 1)
    n, m = on.sum(), (~on).sum()
    expected = 2 * (ranks[on].sum() - n * (n + 1) / 2) / (n * m) - 1
    assert of_flags(x[:, np.newaxis], on[:, np.newaxis])[0, 0] == pytest.approx(expected, abs=1e-5)


def test_what_keeps_the_order_changes_nothing() -> None:
    x = rng().normal(size=(300, 3)).astype(np.float32)
    flags = rng(1).random((300, 2)) < 0.3
    numbers = rng(2).normal(size=(300, 2))
    expected = score(x, flags, numbers)
    np.testing.assert_allclose(score(np.exp(x) + 5, flags, np.tanh(numbers)), expected, atol=1e-6)
    np.testing.assert_allclose(score(-x, flags, numbers), -expected, atol=1e-6)
    np.testing.assert_allclose(score(x, ~flags, -numbers), -expected, atol=1e-6)


def test_within_groups_by_its_definition() -> None:
    x = rng().integers(6, size=200).astype(np.float32)
    on, groups = rng(1).random(200) < 0.4, rng(2).integers(5, size=200)
    higher, pairs = 0.0, 0
    for group in range(5):
        a, b = x[(groups == group) & on], x[(groups == group) & ~on]
        higher += np.sign(a[:, np.newaxis] - b).sum()
        pairs += len(a) * len(b)
    assert within_groups(x, on, groups) == pytest.approx(higher / pairs, abs=1e-5)


def test_within_groups_of_numbers() -> None:
    groups = rng().integers(5, size=300)
    number = rng(1).normal(size=300).astype(np.float32)
    offset = 100 * groups.astype(np.float32)
    assert within_groups(number + offset, number, groups) == pytest.approx(1, abs=1e-5)
    assert within_groups(-number + offset, number, groups) == pytest.approx(-1, abs=1e-5)
    assert abs(within_groups(rng(2).normal(size=300), number, groups)) < 0.2


def test_what_the_character_alone_tells_is_gone_within_it() -> None:
    groups = rng().integers(4, size=400)
    on = groups == 2
    assert np.isnan(within_groups((groups == 2).astype(np.float32), on, groups))
    on = on ^ (rng(1).random(400) < 0.2)
    assert of_flags((groups == 2).astype(np.float32)[:, np.newaxis], on[:, np.newaxis])[0, 0] > 0.4
    assert within_groups((groups == 2).astype(np.float32), on, groups) == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_the_best_threshold_is_the_best_of_all(sign: int) -> None:
    x = rng().integers(20, size=300).astype(np.float32)
    flag = sign * (x + rng(1).normal(0, 3, 300)) > sign * 12
    threshold = best_threshold(x, flag, sign)
    overlaps = [overlap(x, flag, sign, sign * (level - 0.5)) for level in range(21)]
    assert overlap(x, flag, sign, threshold) == max(overlaps)


def test_overlap_by_its_definition() -> None:
    x, flag = np.array([0.0, 1.0, 2.0, 3.0]), np.array([True, False, True, True])
    assert overlap(x, flag, 1, 1.5) == 2 / 3
    assert overlap(x, flag, -1, 0.0) == 1 / 3
    assert overlap(x, np.zeros(4, np.bool_), 1, 9) == 0
