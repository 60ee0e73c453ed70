"""Characters that a cell makes more and less probable."""

import numpy as np

import planted_cells
from charrnn.neurons.explain.naming import symbol_names
from charrnn.neurons.explain.output import Factor, largest_factors, output_effects
from charrnn.neurons.explain.recording import Recording

NAMES = ["‘a’", "‘b’", "‘c’", "‘d’"]


def test_the_largest_factors() -> None:
    chosen = np.array([0.5, 0.1, 0.3, 0.1]), np.array([0.1, 0.5, 0.3, 0.1])
    unseen = np.array([0.4, 0.2, 0.3, 0.1]), np.array([0.2, 0.4, 0.1, 0.3])
    found = largest_factors(chosen, unseen, NAMES)
    assert [one.symbol for one in found] == ["‘a’", "‘b’"], "those that were chosen, and no others"
    np.testing.assert_allclose([one.factor for one in found], [2, 0.5], rtol=1e-3)


def test_what_turns_round_is_not_named() -> None:
    chosen = np.array([0.5, 0.5]), np.array([0.1, 0.9])
    assert largest_factors(chosen, chosen[::-1], NAMES) == []


def test_a_planted_cell() -> None:
    """Its logits are known: +6·h for the opening mark, −6·h for the closing one."""
    model = planted_cells.model(1)
    ids = model.vocabulary.encode(planted_cells.text(20_000))
    found = Recording.of(model.network, ids, slice(0, 20_000))
    names = symbol_names(model.vocabulary)
    places = np.arange(100, 20_000)
    factors = output_effects(found, planted_cells.SECOND, places[:9000], places[9000:], names)
    h = found.h[1, places[9000:], planted_cells.SECOND[1]]
    low, high = np.quantile(h, (0.05, 0.95))
    by_name = {one.symbol: one.factor for one in factors}
    assert list(by_name) == ["‘“’", "‘”’"]
    ratio = by_name["‘“’"] / by_name["‘”’"]
    np.testing.assert_allclose(ratio, np.exp(12 * (high - low)), rtol=0.03)
    assert output_effects(found, planted_cells.OPENER, places, places, names) == []


def test_words() -> None:
    assert Factor("‘a’", 12.3).in_words() == "‘a’ × 12"
    assert Factor("‘a’", 0.253).in_words() == "‘a’ × 0.25"
    assert Factor("‘a’", 1e-5).in_words() == "‘a’ × less than 0.01"
