"""One symbol after another: drawn as the network says, with the state of all that was read."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn.errors import OptionError
from charrnn.nn.network import Network, NetworkConfig
from charrnn.sampling.filters import Filters
from charrnn.sampling.options import SamplingOptions
from charrnn.sampling.sampler import Sampler, check_units
from charrnn.types import Array
from reference import random_network

CONFIG = NetworkConfig(vocabulary_size=7, hidden_size=5, layers=2)
PRIME = np.array([3, 1, 4, 1, 5])


def example(seed: int = 81) -> Network:
    return random_network(np.random.default_rng(seed), CONFIG)


def expected_probabilities(
    network: Network, ids: NDArray[np.integer[Any]], temperature: float = 1
) -> Array:
    """What follows the text `ids` (N,), read in one window: (V,)."""
    logits = network.workspace(len(ids), 1).forward(ids[:, np.newaxis])[:, -1]
    p: Array = np.exp(logits / temperature)
    p /= p.sum()
    return p


def filters(temperature: float) -> Filters:
    return Filters(SamplingOptions(temperature=temperature))


def saying(logits: list[float]) -> Network:
    """A network that says the same whatever it reads."""
    network = Network.create(NetworkConfig(len(logits), 2, 1), np.random.default_rng(0), np.float64)
    network.parameters["V"][:] = 0
    network.parameters["V"][:, -1] = logits
    return network


class Fixed(np.random.Generator):
    """Chance that always comes out the same."""

    def __init__(self, value: float) -> None:
        super().__init__(np.random.PCG64(0))
        self.value = value

    def random(self, size: Any = None, *_: Any, **__: Any) -> Any:
        return np.full(size, self.value)


# --- what comes next


def test_probabilities_are_those_of_the_whole_text_before() -> None:
    network = example()
    sampler = Sampler(network, 3)
    sampler.prime(PRIME)
    probabilities = sampler.probabilities
    assert probabilities.shape == (7, 3)
    expected = expected_probabilities(network, PRIME)
    for column in probabilities.T:
        np.testing.assert_allclose(column, expected, rtol=1e-10)


def test_probabilities_of_each_stream_sum_to_1() -> None:
    network = random_network(np.random.default_rng(82), CONFIG, np.float32)
    sampler = Sampler(network, 4)
    for ids in np.random.default_rng(83).integers(7, size=(20, 4)):
        sampler.feed(ids)
        np.testing.assert_allclose(sampler.probabilities.sum(axis=0), 1, rtol=1e-12)
        assert (sampler.probabilities > 0).all()


def test_streams_are_apart() -> None:
    network = example()
    sampler = Sampler(network, 3)
    texts = np.random.default_rng(84).integers(7, size=(6, 3))
    for ids in texts:
        sampler.feed(ids)
    for column, text in zip(sampler.probabilities.T, texts.T, strict=True):
        np.testing.assert_allclose(column, expected_probabilities(network, text), rtol=1e-10)


def test_before_anything_was_read_the_state_is_zero() -> None:
    network = example()
    bias = network.parameters["V"][:, -1]
    expected = np.exp(bias) / np.exp(bias).sum()
    np.testing.assert_allclose(Sampler(network).probabilities[:, 0], expected, rtol=1e-12)


def test_a_prime_changes_the_state_and_reset_forgets_it() -> None:
    network = example()
    sampler = Sampler(network, 2)
    fresh = sampler.probabilities
    sampler.prime(PRIME)
    primed = sampler.probabilities
    assert (primed != fresh).all()
    sampler.prime(PRIME)
    assert (sampler.probabilities != primed).all(), "the second reading has the first behind it"
    sampler.reset()
    np.testing.assert_array_equal(sampler.probabilities, fresh)
    sampler.prime(PRIME)
    np.testing.assert_array_equal(sampler.probabilities, primed)


def test_an_empty_prime_changes_nothing() -> None:
    sampler = Sampler(example())
    before = sampler.probabilities
    sampler.prime(PRIME[:0])
    np.testing.assert_array_equal(sampler.probabilities, before)


# --- drawing


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_symbols_are_drawn_as_often_as_they_are_probable(temperature: float) -> None:
    network, count = example(), 50_000
    sampler = Sampler(network, count)
    sampler.prime(PRIME)
    drawn = sampler.draw(np.random.default_rng(85), filters(temperature))
    assert drawn.shape == (count,)
    expected = count * expected_probabilities(network, PRIME, temperature)
    found = np.bincount(drawn, minlength=7)
    assert expected.min() > 5
    chi_square = ((found - expected) ** 2 / expected).sum()
    assert chi_square < 22.5  # 6 degrees of freedom: exceeded once in a thousand


def test_temperature_0_takes_the_most_probable() -> None:
    network = example()
    sampler = Sampler(network)
    for ids in PRIME:
        sampler.feed(np.array([ids]))
        best = sampler.probabilities.argmax(axis=0)
        rng = np.random.default_rng(86)
        assert sampler.draw(rng, filters(0)).tolist() == best.tolist()
        assert rng.random() == np.random.default_rng(86).random(), "nothing is left to chance"


@pytest.mark.parametrize("temperature", [5e-324, 1e-308, 1e-100, 1e-3])
def test_a_temperature_close_to_0_is_like_0(temperature: float) -> None:
    sampler = Sampler(saying([1.0, 3.0, 2.0, -5.0]), 1000)
    assert set(sampler.draw(np.random.default_rng(87), filters(temperature)).tolist()) == {1}


def test_a_very_high_temperature_makes_all_alike() -> None:
    sampler = Sampler(saying([1.0, 30.0, 2.0, -5.0]), 8000)
    found = np.bincount(sampler.draw(np.random.default_rng(88), filters(1e300)))
    assert found.min() > 1800


def test_large_logits_do_not_overflow() -> None:
    sampler = Sampler(saying([1e300, 1e300, -1e300]), 100)
    np.testing.assert_array_equal(sampler.probabilities[:, 0], [0.5, 0.5, 0])
    assert set(sampler.draw(np.random.default_rng(89), filters(1.0)).tolist()) == {0, 1}


@pytest.mark.parametrize(("chance", "drawn"), [(0.0, 1), (0.2499, 1), (0.2501, 3), (1 - 2**-53, 3)])
def test_what_is_impossible_is_never_drawn(chance: float, drawn: int) -> None:
    logits = [-1e6, math.log(1), -1e6, math.log(3), -1e6]
    assert Sampler(saying(logits)).draw(Fixed(chance), filters(1.0)).tolist() == [drawn]


def test_drawing_reads_nothing() -> None:
    sampler = Sampler(example(), 3)
    sampler.prime(PRIME)
    before = sampler.probabilities
    sampler.draw(np.random.default_rng(90), filters(0.7))
    np.testing.assert_array_equal(sampler.probabilities, before)


# --- units held at a value


def test_a_unit_that_is_not_there() -> None:
    check_units({(0, 0): 0.5, (1, 4): -1}, example())
    for place in ((2, 0), (0, 5), (-1, 0), (0, -1)):
        with pytest.raises(OptionError, match="name one from L0:0 to L1:4"):
            check_units({place: 0.5}, example())
