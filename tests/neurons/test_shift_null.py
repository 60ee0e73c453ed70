"""The null of shifted features: chance claims nothing."""

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn.neurons import shift_null
from charrnn.neurons.scores import score
from charrnn.neurons.shift_null import ShiftNull
from planted_units import STATE, N, half, slow


def chance(seed: int, rho: float, length: int, units: int) -> float:
    """The smallest p of slow units against slow features that have nothing to do with them."""
    rng = np.random.default_rng([112, seed])
    values = slow(rng, (length, units), rho)
    flags = slow(rng, (length, 3), rho) > [0, 0.5, 1]
    numbers = slow(rng, (length, 2), rho)
    null = ShiftNull(values, flags, numbers)
    found = [null.p(unit, feature) for unit in range(units) for feature in range(5)]
    return min(p for p in found if p is not None)


@pytest.mark.parametrize("rho", [0.0, 0.9, 0.99])
def test_chance_rarely_looks_like_a_claim(monkeypatch: pytest.MonkeyPatch, rho: float) -> None:
    """At p < 0.05, 60 runs bring 8 false alarms or more with a probability of 1.3 %. To be quick,
    all lengths are a tenth of what they are."""
    monkeypatch.setattr(shift_null, "SMALLEST_SHIFT", shift_null.SMALLEST_SHIFT // 10)
    monkeypatch.setattr(shift_null, "SHORTEST_TEXT", shift_null.SHORTEST_TEXT // 10)
    alarms = sum(chance(seed, rho, length=5000, units=12) < 0.05 for seed in range(60))
    assert alarms <= 7


def test_shifts_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shift_null, "SHIFTS", 11)
    one = half(2)
    null = ShiftNull(one.values, one.flags, one.numbers)
    step = N // 11
    shifted = []
    for shift in range(11):
        flags: NDArray[np.bool_] = np.roll(one.flags, -shift * step, axis=0)
        numbers: NDArray[np.float32] = np.roll(one.numbers, -shift * step, axis=0)
        shifted.append(np.abs(score(one.values, flags, numbers)))
    # every other shift is far away
    spreads = [
        np.sqrt(np.mean([np.square(shifted[t]) for t in range(11) if t != s], axis=0))
        for s in range(11)
    ]
    largest = [np.max(shifted[s] / spreads[s]) for s in range(1, 11)]
    np.testing.assert_allclose(null._largest, largest, rtol=1e-3)
    reached = shifted[0] / spreads[0]
    assert null.p(STATE, 0) == (1 + sum(x >= reached[STATE, 0] for x in largest)) / 11


def test_the_products_are_those_of_rolled_features() -> None:
    rng = np.random.default_rng(113)
    length = 240 * 3 + 7  # the last 7 characters fill no piece
    ranks = rng.normal(size=(4, length)).astype(np.float32)
    weights = rng.normal(size=(length, 3)).astype(np.float32)
    found = shift_null._Shifts.of(weights).products(ranks)
    whole = slice(0, 720)
    for shift in range(240):
        expected = ranks[:, whole] @ np.roll(weights[whole], -3 * shift, axis=0)
        np.testing.assert_allclose(found[shift], expected, atol=2e-3)


def test_threads_change_nothing() -> None:
    values = np.hstack([half(n).values for n in range(2, 7)])  # two groups of units
    one = half(2)
    found = [ShiftNull(values, one.flags, one.numbers, threads=n) for n in (1, 2, 5)]
    for other in found[1:]:
        np.testing.assert_array_equal(other.scores, found[0].scores)
        np.testing.assert_array_equal(other._reached, found[0]._reached)
        np.testing.assert_array_equal(other._largest, found[0]._largest)


def test_no_shift_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    """220 steps of 200 characters: the 10 nearest either way, and none at all, are left out."""
    monkeypatch.setattr(shift_null, "SHIFTS", 220)
    one = half(2)
    assert ShiftNull(one.values, one.flags, one.numbers).shifts == 219 - 2 * 9
