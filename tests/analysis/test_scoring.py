"""The score of a text."""

import lzma
import math

import numpy as np
import pytest

from charrnn.analysis.scoring import posterior, score, symbol_losses
from charrnn.errors import CorpusError
from charrnn.model import Model
from charrnn.nn.network import NetworkConfig
from charrnn.text.vocabulary import Vocabulary
from reference import random_network

LETTERS = Vocabulary(np.array([10, 97, 98, 99], np.uint32))
NO_LINES = Vocabulary(np.array([97, 98, 99, 100], np.uint32))


def model(vocabulary: Vocabulary = LETTERS) -> Model:
    return Model(random_network(np.random.default_rng(171), NetworkConfig(4, 5, 2)), vocabulary)


def test_losses_by_the_probability_of_each_step() -> None:
    one = model()
    one.step("\n")
    expected, p = [], one.step("\n")
    one.reset()
    p = one.step("\n")
    for character in "abca\ncb":
        expected.append(-math.log(p[character]))
        p = one.step(character)
    found = symbol_losses(one, LETTERS.encode("abca\ncb"))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_without_line_ends_the_first_symbol_costs_what_zeros_say() -> None:
    one = model(NO_LINES)
    bias = one.network.parameters["V"][:, -1]
    p = np.exp(bias) / np.exp(bias).sum()
    found = symbol_losses(one, NO_LINES.encode("ba"))
    assert found[0] == pytest.approx(-math.log(p[1]), rel=1e-6)
    assert found[1] == pytest.approx(-math.log(one.step("b")["a"]), rel=1e-6)


def test_a_score_by_hand() -> None:
    text = "aabc" * 50
    ids = LETTERS.encode(text)
    losses = np.full(200, math.log(3))
    found = score(model(), ids, losses)
    assert found.symbols == 200
    assert found.nats == pytest.approx(math.log(3))
    assert found.bits == pytest.approx(math.log2(3))
    assert found.perplexity == pytest.approx(3)
    assert found.order0 == pytest.approx(1.5 * math.log(2))
    assert found.xz == len(lzma.compress(text.encode(), preset=9))
    assert found.xz_bits == found.xz * 8 / 200


def test_nothing_to_score() -> None:
    with pytest.raises(CorpusError, match="nothing to score"):
        score(model(), LETTERS.encode(""), np.zeros(0))


def test_probabilities_of_models_by_bayes() -> None:
    assert posterior([5.0]) == [1]
    assert posterior([1000.0, 1000.0]) == [0.5, 0.5]
    assert posterior([1000 + math.log(3), 1000]) == pytest.approx([0.25, 0.75])
    assert posterior([1e9, 0.0]) == [0, 1]
