"""Mixtures of networks and n-gram models: the same predictions however a text is read."""

import numpy as np
import pytest

from charrnn.errors import OptionError
from charrnn.mixtures import mixture as module
from charrnn.mixtures.gate import DOMAINS, Domain, Gate
from charrnn.mixtures.members import Member, NetworkMember, NgramMember
from charrnn.mixtures.mixture import Mixture, learned_gate
from charrnn.ngram.model import NgramModel
from charrnn.nn.cells import CELLS
from charrnn.nn.network import Network, NetworkConfig
from reference import random_network

RNG = np.random.default_rng(941)
V = 5
TEXT = np.minimum(RNG.geometric(0.4, 900) - 1, V - 1)
COUNTED = np.concatenate([TEXT[600:], TEXT[:300]])


def network(seed: int, cell: str = "lstm", size: int = V) -> Network:
    return random_network(np.random.default_rng(seed), NetworkConfig(size, 6, 2, cell))


def members(cell: str = "lstm") -> list[Member]:
    return [
        NetworkMember(network(1, cell)),
        NetworkMember(network(2)),
        NgramMember(NgramModel.of(COUNTED, V, 4)),
    ]


def random_gate(of: list[Member], domain: Domain) -> Gate:
    shape = len(of), 1 + sum(member.features for member in of)
    return Gate(np.random.default_rng(942).normal(0.3, 0.1, shape), domain)


def example(domain: Domain = "log", cell: str = "lstm") -> Mixture:
    of = members(cell)
    return Mixture(of, random_gate(of, domain))


def by_steps(mixture: Mixture, text: np.ndarray) -> list[float]:
    """The losses of text[1:], symbol by symbol."""
    stepper = mixture.stepper(1)
    return [float(-stepper.step(text[t : t + 1])[text[t + 1], 0]) for t in range(len(text) - 1)]


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("cell", CELLS)
def test_reading_and_stepping_agree(cell: str, domain: Domain) -> None:
    mixture = example(domain, cell)
    np.testing.assert_allclose(mixture.losses(TEXT[:99]), by_steps(mixture, TEXT[:99]), rtol=1e-9)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 64, 65, 66])
def test_texts_of_every_length(length: int) -> None:
    mixture = example()
    found = mixture.losses(TEXT[:length])
    np.testing.assert_allclose(found, by_steps(mixture, TEXT[:length]), rtol=1e-9)
    assert mixture.losses(TEXT[:length], learn=True).shape == found.shape


def test_parallel_streams_change_little(monkeypatch: pytest.MonkeyPatch) -> None:
    mixture = example()
    one = mixture.losses(TEXT)
    monkeypatch.setattr(module, "STREAM_WARM_UP", 60)
    many = mixture.losses(TEXT)
    assert not np.array_equal(one, many)
    np.testing.assert_allclose(one, many, atol=1e-4)
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 100)
    np.testing.assert_allclose(mixture.losses(TEXT), many, rtol=1e-9)


def test_streams_do_not_depend_on_each_other() -> None:
    stepper, texts = example().stepper(3), np.stack([TEXT[:40], TEXT[40:80], TEXT[80:120]])
    together = np.stack([stepper.step(texts[:, t]).copy() for t in range(40)])
    for n, text in enumerate(texts):
        alone = example().stepper(1)
        for t in range(40):
            np.testing.assert_allclose(
                alone.step(text[t : t + 1])[:, 0], together[t, :, n], rtol=1e-9
            )
    stepper.reset()
    np.testing.assert_array_equal(stepper.step(texts[:, 0]), together[0])


def test_no_symbol_has_a_say_in_its_own_prediction() -> None:
    whole = example().losses(TEXT[:200], learn=True)
    for place in (1, 63, 64, 65, 130, 199):
        other = TEXT[:200].copy()
        other[place] = (other[place] + 1) % V
        changed = example().losses(other, learn=True)
        assert np.array_equal(changed[: place - 1], whole[: place - 1])
        assert changed[place - 1] != whole[place - 1]


def test_a_reading_that_learns_leaves_the_gate_as_it_is() -> None:
    mixture = example()
    before = mixture.gate.A.copy()
    assert not np.array_equal(mixture.losses(TEXT, learn=True), mixture.losses(TEXT))
    assert np.array_equal(mixture.gate.A, before)


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_learned_gate_is_better_than_an_even_one(domain: Domain) -> None:
    of = members()
    learned = Mixture(of, learned_gate(of, TEXT[:400], domain))
    even = Mixture(of, Gate.even(of, domain))
    best = min(
        Mixture([member], Gate.even([member], domain)).losses(TEXT[400:]).mean() for member in of
    )
    assert learned.losses(TEXT[400:]).mean() < 0.9 * even.losses(TEXT[400:]).mean()
    assert learned.losses(TEXT[400:]).mean() < 1.02 * best


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_mixture_of_one_is_that_one(domain: Domain) -> None:
    of: list[Member] = [NetworkMember(network(1))]
    mixture = Mixture(of, Gate.fixed([1.0], of, domain))
    workspace = network(1).workspace(99, 1)
    expected = workspace.losses(TEXT[:99, None], TEXT[1:100, None])[:, 0]
    np.testing.assert_allclose(mixture.losses(TEXT[:100]), expected, rtol=1e-9)


def test_members_of_different_vocabularies() -> None:
    of: list[Member] = [NetworkMember(network(1)), NetworkMember(network(1, size=V + 1))]
    with pytest.raises(OptionError, match="must have the same vocabulary"):
        Mixture(of, Gate.even(of, "log"))
