"""Claims: what is planted is found, and chance claims nothing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from charrnn.neurons import claims, shift_null
from charrnn.neurons.claims import Findings, Half, episodes, find
from charrnn.neurons.features.registry import Feature
from planted_units import DETECTOR, INVERTED, NUMBER, STATE, UNITS, N, half


def feature(name: str, kind: Literal["flag", "number"] = "flag") -> Feature:
    """Of which only the name and the kind count here."""
    return Feature(name, kind, "", lambda text: np.zeros(len(text), np.bool_))


FEATURES = [feature("spells"), feature("marks"), feature("depth", "number")]


def found(
    first: Half, second: Half, untrained: Sequence[tuple[Half, ...]] = (), seed: int = 1
) -> Findings:
    best = [claims.best_scores(each) for halves in untrained for each in halves]
    return find(
        FEATURES, first, second, np.max([np.zeros(len(FEATURES), np.float32), *best], axis=0)
    )


def test_what_is_planted_is_found() -> None:
    untrained = [(half(n, planted=False), half(n + 50, planted=False)) for n in (3, 4)]
    result = found(half(1), half(2), untrained)
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


def test_the_best_claim_of_each_feature() -> None:
    result = found(half(1), half(2))
    of_spells = [x for x in result.claims if x.feature.name == "spells"]
    assert len(of_spells) == 2
    best = {x.feature.name: x for x in result.best_claims}
    assert len(best) == len(result.best_claims) == 3
    assert best["spells"] == max(of_spells, key=lambda x: abs(x.score))


def test_numbers_that_are_shown_come_from_the_second_half() -> None:
    first, second, third = half(1), half(2), half(6)
    a, b = found(first, second), found(third, second)
    assert not np.array_equal(first.values, third.values)
    assert a.units[STATE].score == b.units[STATE].score
    assert a.units[STATE].p == b.units[STATE].p


def test_a_sign_that_does_not_last_is_no_claim() -> None:
    second = half(2)
    second.values[:, STATE] *= -1
    finding = found(half(1), second).units[STATE]
    assert found(half(1), half(2)).units[STATE].score > 0.5
    assert finding.score < -0.5
    assert not finding.is_claim


def test_what_untrained_networks_do_as_well_is_no_claim() -> None:
    result = found(half(1), half(2), [(half(3), half(4))])
    reasons = {result.units[unit].reason for unit in (STATE, INVERTED)}
    assert reasons <= {"untrained networks do nearly as well", ""}
    better = half(3)
    better.values[:, 0] = better.flags[:, 0]
    result = found(half(1), half(2), [(better,)])
    assert result.units[STATE].reason == "untrained networks do nearly as well"
    assert result.units[STATE].untrained == pytest.approx(1, abs=1e-5)


def test_better_than_untrained_networks_is_not_enough() -> None:
    assert claims.required_score(0.3) == pytest.approx(0.5)
    assert claims.required_score(0.96) == pytest.approx(0.99)
    assert claims.required_score(1) == 1
    second = half(2)
    score_of = found(half(1), second).units[STATE].score
    rival = half(3, planted=False)
    strength = np.linspace(0, 3, 31)
    for boost in strength:  # the first that is a little worse
        rival.values[:, 0] = boost * rival.flags[:, 0] + np.random.default_rng(1).normal(size=N)
        untrained = found(half(1), second, [(rival,)]).units[STATE].untrained
        if score_of - 0.1 < untrained < score_of:
            break
    finding = found(half(1), second, [(rival,)]).units[STATE]
    assert finding.untrained < finding.score
    assert finding.reason == "untrained networks do nearly as well"


def test_a_feature_that_untrained_networks_follow_gives_way_to_one_that_they_do_not() -> None:
    sizes = np.array([[0.99, 0.7, 0.6], [0.99, 0.4, 0.45], [0.999, 0.7, 0.6]], np.float32)
    untrained = np.array([0.98, 0.3, 0.3])
    assert claims.best_features(sizes, untrained).tolist() == [1, 0, 0]


def test_a_rare_feature_is_skipped_and_said_so() -> None:
    first, second = half(1), half(2)
    second.flags[:, 0] = False
    second.flags[100:2000:100, 0] = True
    result = found(first, second)
    assert result.skipped == {"spells": 19}
    assert {finding.feature.name for finding in result.units} <= {"marks", "depth"}
    assert result.units[DETECTOR].label == "character detector"


def test_too_little_text_to_test() -> None:
    short = shift_null.SHORTEST_TEXT - 1
    cut = Half(*(array[:short] for array in vars(half(2)).values()))
    result = found(half(1), cut)
    assert result.shifts == 0
    assert result.claims == []
    assert result.units[STATE].p is None
    assert result.units[STATE].reason == "there is too little text to test"
    assert found(half(1), half(2)).shifts >= 200


def test_no_feature_at_all() -> None:
    first = replace(half(1), flags=np.zeros((N, 1), np.bool_), numbers=np.zeros((N, 0), np.float32))
    result = find([feature("never")], first, first, np.zeros(1, np.float32))
    assert (result.units, result.skipped, result.explained) == ([], {"never": 0}, 0)


def test_the_same_text_gives_the_same_findings() -> None:
    first, second = half(1), half(2)
    one, other = found(first, second), found(first, second)
    assert repr(one) == repr(other)  # NaN is equal to itself there


def test_episodes() -> None:
    flags = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 0]], np.bool_)
    assert episodes(flags).tolist() == [2, 2, 0]
    for drawn, count in {"...": 0, "#": 1, "##.#": 2, ".#.##..#.": 3, "####": 1}.items():
        assert episodes(np.array([[flag == "#"] for flag in drawn], np.bool_)).tolist() == [count]
