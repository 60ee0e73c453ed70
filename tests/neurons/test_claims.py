"""Claims: what is planted is found, and chance claims nothing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn.neurons import claims
from charrnn.neurons.claims import Findings, Half, Null, episodes, find
from charrnn.neurons.features.registry import Feature
from charrnn.neurons.scores import score


def feature(name: str, kind: Literal["flag", "number"] = "flag") -> Feature:
    """Of which only the name and the kind count here."""
    return Feature(name, kind, "", lambda text: np.zeros(len(text), np.bool_))


FEATURES = [feature("spells"), feature("marks"), feature("depth", "number")]
N = 44_000
UNITS = 12
STATE, INVERTED, DETECTOR, NUMBER = 3, 5, 7, 9
"""Units that follow the first feature, its opposite, the second, and the third."""


def slow(rng: np.random.Generator, shape: tuple[int, int], rho: float) -> NDArray[np.float32]:
    """Autoregressive noise (N, U) with unit variance: a part of a longer one, so that its ends do
    not meet."""
    length = 2 * shape[0]
    angle = 2 * np.pi * np.fft.rfftfreq(length)
    filtered = np.fft.rfft(rng.normal(size=(length, shape[1])), axis=0)
    filtered /= (1 - rho * np.exp(-1j * angle))[:, np.newaxis]
    noise = np.fft.irfft(filtered, axis=0)[: shape[0]] * (1 - rho**2) ** 0.5
    return noise.astype(np.float32)  # type: ignore[no-any-return]


def half(seed: int, planted: bool = True) -> Half:
    """Units that follow what they do, with noise, among slow ones that follow nothing."""
    rng = np.random.default_rng([111, seed])
    symbols = rng.integers(20, size=N)
    spells = slow(rng, (N, 1), 0.98)[:, 0] > 1
    marks = symbols == 4
    depth = np.round(slow(rng, (N, 1), 0.99))
    values = slow(rng, (N, UNITS), 0.95)
    if planted:
        values[:, STATE] = 2 * spells + rng.normal(size=N)
        values[:, INVERTED] = -2 * spells + rng.normal(size=N)
        values[:, DETECTOR] = 3 * marks + rng.normal(size=N)
        values[:, NUMBER] = depth[:, 0] + rng.normal(size=N)
    return Half(values, np.stack([spells, marks], axis=1), depth, symbols)


def found(
    first: Half, second: Half, twins: Sequence[tuple[Half, ...]] = (), seed: int = 1
) -> Findings:
    return find(FEATURES, first, second, twins)


def test_what_is_planted_is_found() -> None:
    twins = [(half(n, planted=False), half(n + 50, planted=False)) for n in (3, 4)]
    result = found(half(1), half(2), twins)
    assert {finding.unit for finding in result.claims} == {STATE, INVERTED, DETECTOR, NUMBER}
    assert result.explained == 4 / UNITS
    assert [finding.unit for finding in result.units] == list(range(UNITS))
    of_state, inverted, detector, number = (
        result.units[unit] for unit in (STATE, INVERTED, DETECTOR, NUMBER)
    )
    assert (of_state.feature.name, of_state.label) == ("spells", "state cell")
    assert (inverted.feature.name, inverted.label) == ("spells", "state cell")
    assert of_state.score > 0.5 > -0.5 > inverted.score
    assert (detector.feature.name, detector.label) == ("marks", "character detector")
    assert (number.feature.name, number.label) == ("depth", "state cell")
    for finding in (of_state, inverted):
        assert finding.p is not None
        assert finding.p < 0.05
        assert finding.overlap is not None
        assert 0.3 < finding.overlap < 1
        assert finding.within is not None
        assert finding.within * finding.score > 0
    assert number.overlap is None
    assert {finding.reason for finding in result.units if not finding.is_claim} == {
        "its score is below 0.5"
    }


def test_numbers_that_are_shown_come_from_the_second_half() -> None:
    first, second, third = half(1), half(2), half(6)
    a, b = found(first, second), found(third, second)
    assert a.units[STATE].chosen != b.units[STATE].chosen
    assert a.units[STATE].score == b.units[STATE].score
    assert a.units[STATE].p == b.units[STATE].p
    # what is not there in the first half is not found in the second
    nothing = found(half(1, planted=False), second)
    assert all(finding.unit not in (STATE,) or finding.chosen < 0.5 for finding in nothing.units)


def test_a_sign_that_does_not_last_is_no_claim() -> None:
    second = half(2)
    second.values[:, STATE] *= -1
    finding = found(half(1), second).units[STATE]
    assert finding.chosen > 0.5
    assert finding.score < -0.5
    assert not finding.is_claim


def test_what_fresh_networks_do_as_well_is_no_claim() -> None:
    result = found(half(1), half(2), [(half(3), half(4))])
    reasons = {result.units[unit].reason for unit in (STATE, INVERTED)}
    assert reasons <= {"fresh networks do nearly as well", ""}
    better = half(3)
    better.values[:, 0] = better.flags[:, 0]
    result = found(half(1), half(2), [(better,)])
    assert result.units[STATE].reason == "fresh networks do nearly as well"
    assert result.units[STATE].twins == pytest.approx(1, abs=1e-5)


def test_better_than_fresh_networks_is_not_enough() -> None:
    assert claims.bar(0.3) == pytest.approx(0.5)
    assert claims.bar(0.96) == pytest.approx(0.99)
    assert claims.bar(1) == 1
    second = half(2)
    score_of = found(half(1), second).units[STATE].score
    rival = half(3, planted=False)
    strength = np.linspace(0, 3, 31)
    for boost in strength:  # the first that is a little worse
        rival.values[:, 0] = boost * rival.flags[:, 0] + np.random.default_rng(1).normal(size=N)
        twins = found(half(1), second, [(rival,)]).units[STATE].twins
        if score_of - 0.1 < twins < score_of:
            break
    finding = found(half(1), second, [(rival,)]).units[STATE]
    assert finding.twins < finding.score
    assert finding.reason == "fresh networks do nearly as well"


def test_a_feature_that_fresh_networks_follow_gives_way_to_one_that_they_do_not() -> None:
    sizes = np.array([[0.99, 0.7, 0.6], [0.99, 0.4, 0.45], [0.999, 0.7, 0.6]], np.float32)
    twins = np.array([0.98, 0.3, 0.3])
    assert claims.best_features(sizes, twins).tolist() == [1, 0, 0]


def test_a_rare_feature_is_skipped_and_said_so() -> None:
    first, second = half(1), half(2)
    second.flags[:, 0] = False
    second.flags[100:2000:100, 0] = True
    result = found(first, second)
    assert result.skipped == {"spells": 19}
    assert {finding.feature.name for finding in result.units} <= {"marks", "depth"}
    assert result.units[DETECTOR].label == "character detector"


def test_too_little_text_to_test() -> None:
    short = claims.SHORTEST - 1
    cut = Half(*(array[:short] for array in vars(half(2)).values()))
    result = found(half(1), cut)
    assert result.mismatches == 0
    assert result.claims == []
    assert result.units[STATE].p is None
    assert result.units[STATE].reason == "there is too little text to test"
    assert found(half(1), half(2)).mismatches >= 200


def test_no_feature_at_all() -> None:
    first = replace(half(1), flags=np.zeros((N, 1), np.bool_), numbers=np.zeros((N, 0), np.float32))
    result = find([feature("never")], first, first, [])
    assert (result.units, result.skipped, result.explained) == ([], {"never": 0}, 0)


def test_the_same_text_gives_the_same_findings() -> None:
    first, second = half(1), half(2)
    one, other = found(first, second), found(first, second)
    assert repr(one) == repr(other)  # NaN is equal to itself there


def chance(seed: int, rho: float, length: int, units: int) -> float:
    """The smallest p of slow units against slow features that have nothing to do with them."""
    rng = np.random.default_rng([112, seed])
    values = slow(rng, (length, units), rho)
    flags = slow(rng, (length, 3), rho) > [0, 0.5, 1]
    numbers = slow(rng, (length, 2), rho)
    null = Null(Half(values, flags, numbers, np.zeros(length, np.intp)))
    found = [null.p(unit, feature) for unit in range(units) for feature in range(5)]
    return min(p for p in found if p is not None)


@pytest.mark.parametrize("rho", [0.0, 0.9, 0.99])
def test_chance_rarely_looks_like_a_claim(monkeypatch: pytest.MonkeyPatch, rho: float) -> None:
    """At p < 0.05, 60 runs bring 8 false alarms or more with a probability of 1.3 %. To be quick,
    all lengths are a tenth of what they are."""
    monkeypatch.setattr(claims, "FAR", claims.FAR // 10)
    monkeypatch.setattr(claims, "SHORTEST", claims.SHORTEST // 10)
    alarms = sum(chance(seed, rho, length=5000, units=12) < 0.05 for seed in range(60))
    assert alarms <= 7


def test_shifts_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "SHIFTS", 11)
    one = half(2)
    null = Null(one)
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


def test_no_shift_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    """220 steps of 200 characters: the 10 nearest either way, and none at all, are left out."""
    monkeypatch.setattr(claims, "SHIFTS", 220)
    assert Null(half(2)).mismatches == 219 - 2 * 9


def test_episodes() -> None:
    flags = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 0]], np.bool_)
    assert episodes(flags).tolist() == [2, 2, 0]
