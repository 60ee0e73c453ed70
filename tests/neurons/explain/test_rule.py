"""The shortest rule that predicts a cell."""

import numpy as np
import pytest

import planted_cells
from charrnn.neurons.explain.columns import columns
from charrnn.neurons.explain.naming import listed, symbol_names
from charrnn.neurons.explain.recording import Parts
from charrnn.neurons.explain.rule import Rule, RuleFinder, correlation
from charrnn.neurons.features.registry import FEATURES

TEXT = planted_cells.text(80_000)
PARTS = Parts.of(slice(0, 39_500), slice(40_500, 80_000))


@pytest.fixture(scope="module")
def finder() -> RuleFinder:
    symbols = planted_cells.vocabulary()
    found = columns(TEXT, symbols.encode(TEXT), list(FEATURES.values()), symbol_names(symbols))
    return RuleFinder(found, PARTS)


def rule(finder: RuleFinder, signal: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Rule:
    return finder.find(signal[PARTS.learned], signal[PARTS.chosen], signal[PARTS.unseen], 0.5)


def test_a_flag(finder: RuleFinder) -> None:
    quotes = FEATURES["quotes"].track(TEXT)
    found = rule(finder, np.where(quotes, 0.9, -0.5))
    assert found.terms == ["+1.40 inside quotes"]
    assert found.base == pytest.approx(-0.5, abs=1e-6)
    assert found.r == pytest.approx(1)
    assert found.is_short_rule
    assert found.r_characters < 0.6
    assert found.in_words().startswith("starts at -0.50; +1.40 inside quotes (r = 1.00 on")


def test_a_counter(finder: RuleFinder) -> None:
    """A position, as it is found in cells that follow the line."""
    since = FEATURES["word position"].track(TEXT)
    found = rule(finder, np.tanh(since / 4))
    assert found.is_short_rule
    assert "letters of the word so far" in "; ".join(found.terms)


def test_what_the_last_characters_say_is_no_rule_of_its_own(finder: RuleFinder) -> None:
    symbols = planted_cells.vocabulary().encode(TEXT)
    effects = np.random.default_rng(231).normal(size=20)
    found = rule(finder, effects[symbols])
    assert found.r > 0.99
    assert not found.is_short_rule
    assert found.in_words().startswith("the last characters alone tell as much:")


def test_noise_has_no_rule(finder: RuleFinder) -> None:
    found = rule(finder, np.random.default_rng(232).normal(size=len(TEXT)))
    assert abs(found.r) < 0.1
    assert not found.is_short_rule
    assert found.in_words().startswith("no short rule (best: r =")


def test_a_constant_cell(finder: RuleFinder) -> None:
    found = rule(finder, np.ones(len(TEXT)))
    assert (found.r, found.terms) == (0, [])


def test_correlation() -> None:
    one, other = np.random.default_rng(233).normal(size=(2, 500))
    assert correlation(one, other) == pytest.approx(np.corrcoef(one, other)[0, 1])
    assert correlation(one, np.ones(500)) == 0


def test_listed() -> None:
    assert [listed(list("abc")[:n]) for n in range(4)] == ["", "a", "a or b", "a, b or c"]


def test_parts_have_gaps_and_nothing_in_common() -> None:
    everything = np.concatenate([PARTS.learned, PARTS.chosen, PARTS.unseen])
    assert len(np.unique(everything)) == len(everything)
    assert PARTS.learned.max() < PARTS.chosen.min() - 500
    distance = np.abs(PARTS.unseen[:, np.newaxis] - PARTS.chosen[::50]).min()
    assert distance >= 450
