"""Kneser-Ney smoothing, beside the equations symbol by symbol."""

import numpy as np
import pytest

from charrnn.ngram import model as module
from charrnn.ngram.codes import codes
from charrnn.ngram.counts import count_ngrams
from charrnn.ngram.model import UNKNOWN, NgramModel, modified_discounts

RNG = np.random.default_rng(902)
V, ORDER = 5, 5


def example(length: int, rng: np.random.Generator = RNG) -> np.ndarray:
    return np.minimum(rng.geometric(0.4, length) - 1, V - 2)  # the last symbol never comes


TEXT = np.concatenate([example(600), example(40), example(40)])
OTHER = np.concatenate([TEXT[90:120], example(60), [V - 1], TEXT[:30]])


def naive(text: np.ndarray, order: int, context: list[int], symbol: int) -> float:
    """p(symbol | context) by the recursion of Chen & Goodman, from counts as they are defined."""
    if order == 0:
        return 1 / V
    shorter = naive(text, order - 1, context, symbol)
    own = context[len(context) - order + 1 :]
    if len(own) < order - 1:
        return shorter
    counts = count_ngrams(text, V, ORDER)[order - 1]
    grams = dict(zip(counts.codes.tolist(), counts.counts.tolist(), strict=True))
    first = int(codes(np.array(own, np.int64), V, order - 1)[0]) * V if own else 0
    after = [grams.get(first + s, 0) for s in range(V)]
    if sum(after) == 0:
        return shorter
    D = discounts(list(grams.values()))
    kinds = [sum(c == 1 for c in after), sum(c == 2 for c in after), sum(c > 2 for c in after)]
    rest = sum(D[j + 1] * kinds[j] for j in range(3)) / sum(after)
    c = after[symbol]
    return float(max(c - D[min(c, 3)], 0) / sum(after) + rest * shorter)


def discounts(counts: list[int]) -> list[float]:
    n1, n2, n3, n4 = (counts.count(j) for j in (1, 2, 3, 4))
    if not (n1 and n2 and n3 and n4):
        y = n1 / (n1 + 2 * n2) if n1 and n2 else 0.5
        raw = [y, y, y]
    else:
        y = n1 / (n1 + 2 * n2)
        raw = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
    return [0.0, *(min(max(d, 0.02), j - 0.02) for j, d in enumerate(raw, start=1))]


def test_by_the_equations() -> None:
    model = NgramModel.of(TEXT, V, ORDER)
    p = model.probabilities(model.contexts(OTHER))
    for t in range(0, len(OTHER), 3):
        wanted = [naive(TEXT, ORDER, OTHER[: t + 1].tolist(), s) for s in range(V)]
        np.testing.assert_allclose(p[:, t], wanted, rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 8])
@pytest.mark.parametrize("length", [1, 2, 7, 680])
def test_every_prediction_is_a_distribution(order: int, length: int) -> None:
    model = NgramModel.of(TEXT[:length], V, order)
    p = model.probabilities(model.contexts(OTHER))
    assert p.shape == (V, len(OTHER))
    assert abs(p.sum(axis=0) - 1).max() < 1e-12
    assert p.min() > 0


@pytest.mark.parametrize("most", [0, 20, 100, 10**6])
def test_the_table_of_short_contexts_changes_nothing(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = NgramModel.of(TEXT, V, ORDER)
    monkeypatch.setattr(module, "MOST_ROWS", most)
    model = NgramModel.of(TEXT, V, ORDER)
    np.testing.assert_allclose(
        model.probabilities(model.contexts(OTHER)),
        expected.probabilities(expected.contexts(OTHER)),
        rtol=1e-12,
    )


def test_contexts_of_the_last_symbols_are_those_of_the_whole_text() -> None:
    model = NgramModel.of(TEXT, V, ORDER)
    whole = model.contexts(OTHER)
    for t in range(len(OTHER)):
        last = OTHER[max(0, t + 1 - (ORDER - 1)) : t + 1]
        assert np.array_equal(model.contexts(last)[:, -1], whole[:, t])
    assert model.contexts(OTHER[:0]).shape == (ORDER, 0)


def test_the_longest_known_context() -> None:
    model = NgramModel.of(TEXT, V, ORDER)
    lengths, totals = model.known(model.contexts(TEXT[:9]))
    assert lengths.tolist() == [1, 2, 3, 4, 4, 4, 4, 4, 4]
    followed = sum(np.array_equal(TEXT[t : t + 4], TEXT[:4]) for t in range(len(TEXT) - 4))
    assert totals[3] == followed
    unknown, _ = model.known(model.contexts(np.array([0, V - 1])))
    assert unknown.tolist() == [1, 0]
    assert (model.contexts(np.array([0, V - 1]))[1:, 1] == UNKNOWN).all()


def test_it_learns_the_text() -> None:
    text = np.tile(TEXT[:11], 40)
    model = NgramModel.of(text, V, 8)
    p = model.probabilities(model.contexts(text))
    of_next = p[text[1:], np.arange(len(text) - 1)]
    assert of_next[20:].min() > 0.95


def test_discounts_of_small_texts() -> None:
    assert modified_discounts(np.array([1, 1, 1])).tolist() == [0, 0.5, 0.5, 0.5]
    np.testing.assert_allclose(modified_discounts(np.array([1, 1, 2])), [0, 0.5, 0.5, 0.5])
    counts = np.repeat([1, 2, 3, 4, 9], [40, 20, 10, 6, 5])
    y = 40 / 80
    wanted = [0, 1 - 2 * y * 20 / 40, 2 - 3 * y * 10 / 20, 3 - 4 * y * 6 / 10]
    np.testing.assert_allclose(modified_discounts(counts), wanted)


def test_the_probabilities_of_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    model = NgramModel.of(TEXT, V, ORDER)
    p = model.probabilities(model.contexts(OTHER))
    expected = p[OTHER[1:], np.arange(len(OTHER) - 1)]
    np.testing.assert_array_equal(model.of_next(OTHER), expected)
    monkeypatch.setattr(module, "MOST_ROWS", 7 * V)
    np.testing.assert_array_equal(model.of_next(OTHER), expected)
    assert model.of_next(OTHER[:1]).shape == model.of_next(OTHER[:0]).shape == (0,)
