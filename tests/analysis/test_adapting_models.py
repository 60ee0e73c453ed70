"""Dynamic evaluation of mixtures, and of models that write afterwards."""

from dataclasses import replace

import numpy as np
import pytest

from charrnn.analysis.adapting_models import AdaptingMember, adapted_model, mixture_losses
from charrnn.analysis.dynamic_evaluation import Adaptation, adapted_network, adapting_losses
from charrnn.mixed_model import mix
from charrnn.mixtures.gate import Gate
from charrnn.mixtures.members import Member, NetworkMember, NgramMember
from charrnn.mixtures.mixture import Mixture
from charrnn.model import Model
from charrnn.ngram.model import NgramModel
from charrnn.nn.network import Network, NetworkConfig
from charrnn.text.corpus import Corpus
from charrnn.text.streams import Streams
from reference import random_network

CORPUS = Corpus.from_text("she sells sea shells.\n" * 12)
TEXT, V = CORPUS.ids, CORPUS.vocabulary.size
HOW = Adaptation(rate=0.01, steps=10, training_text=TEXT)


def network(seed: int) -> Network:
    return random_network(np.random.default_rng(seed), NetworkConfig(V, 6, 2, "lstm"))


def members() -> list[Member]:
    ngram = NgramMember(NgramModel.of(TEXT[:60], V, 3))
    return [NetworkMember(network(1)), NetworkMember(network(2)), ngram]


def test_a_mixture_of_one_adapts_as_its_network() -> None:
    of: list[Member] = [NetworkMember(network(1))]
    found = mixture_losses(Mixture(of, Gate.fixed([1], of, "log")), TEXT, HOW, learn=False)
    np.testing.assert_allclose(found, adapting_losses(network(1), TEXT, HOW), rtol=1e-6)


def test_fixed_weights_of_two_networks_that_adapt() -> None:
    of = members()[:2]
    found = mixture_losses(Mixture(of, Gate.fixed([3, 1], of, "linear")), TEXT, HOW, learn=False)
    p = [np.exp(-adapting_losses(network(seed), TEXT, HOW)) for seed in (1, 2)]
    np.testing.assert_allclose(found, -np.log(0.75 * p[0] + 0.25 * p[1]), rtol=1e-6)


def test_no_symbol_has_a_say_in_its_own_prediction() -> None:
    of = members()
    mixture = Mixture(of, Gate.even(of, "log"))
    whole = mixture_losses(mixture, TEXT, HOW, learn=True)
    for place in (1, 9, 10, 11, 100, len(TEXT) - 1):
        other = TEXT.copy()
        other[place] = (other[place] + 1) % V
        changed = mixture_losses(mixture, other, HOW, learn=True)
        assert np.array_equal(changed[: place - 1], whole[: place - 1])
        assert changed[place - 1] != whole[place - 1]


def test_without_an_adaptation() -> None:
    of = members()
    mixture = Mixture(of, Gate.even(of, "log"))
    assert np.array_equal(mixture_losses(mixture, TEXT, None, learn=False), mixture.losses(TEXT))
    assert mixture_losses(mixture, TEXT, HOW, learn=True).mean() < mixture.losses(TEXT).mean()


def test_several_streams_are_refused() -> None:
    streams = Streams.covering(range(50), 2, 0)
    with pytest.raises(ValueError, match="a single stream"):
        next(AdaptingMember(network(1), HOW).read(TEXT, streams, 10))
    with pytest.raises(ValueError, match="its own windows"):
        next(AdaptingMember(network(1), HOW).read(TEXT, Streams.covering(range(50), 1, 0), 7))


def test_models_that_have_adapted() -> None:
    model = Model(network(1), CORPUS.vocabulary)
    start = model.line_end()
    found = adapted_model(model, TEXT, HOW)
    expected = adapted_network(network(1), np.concatenate([start, TEXT]), HOW)
    assert np.array_equal(found.network.parameters.flat, expected.parameters.flat)

    mixed = mix([model, Model(network(2), CORPUS.vocabulary)], NgramModel.of(TEXT, V, 3))
    adapted = adapted_model(mixed, TEXT, replace(HOW, rate=0.02))
    assert adapted.sample(20, seed=3) != mixed.sample(20, seed=3)
    assert np.array_equal(mixed.network.parameters.flat, network(1).parameters.flat)
