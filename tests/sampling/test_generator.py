"""Texts side by side: each goes on from its prime, and ends by its own rule."""

import itertools

import numpy as np
from numpy.typing import NDArray

from charrnn.nn.network import NetworkConfig
from charrnn.sampling.filters import Filters
from charrnn.sampling.generator import TextGenerator
from charrnn.sampling.options import SamplingOptions
from charrnn.sampling.sampler import Sampler
from charrnn.text.vocabulary import Vocabulary
from reference import random_network

VOCABULARY = Vocabulary(np.array([ord(symbol) for symbol in "\nabcdef"], np.uint32))
CONFIG = NetworkConfig(VOCABULARY.size, hidden_size=5, layers=2)
NETWORK = random_network(np.random.default_rng(81), CONFIG)
PRIME = np.array([3, 1, 4, 1, 5])


def generator(**options: object) -> TextGenerator:
    return TextGenerator(NETWORK, VOCABULARY, SamplingOptions(**options))  # type: ignore[arg-type]


def written(seed: int, length: int, samples: int = 3) -> NDArray[np.intp]:
    """The symbols of each text, (samples, length)."""
    texts = generator(length=length).texts(
        [PRIME] * samples, [np.random.default_rng(seed)], seed=seed
    )
    return np.array([text.ids for text in texts])


def test_each_symbol_is_drawn_and_then_read() -> None:
    by_hand, rng = Sampler(NETWORK, 3), np.random.default_rng(91)
    filters = Filters(SamplingOptions(temperature=0.9))
    by_hand.prime(PRIME)
    expected = []
    for _ in range(20):
        expected.append(by_hand.draw(rng, filters))
        by_hand.feed(expected[-1])
    steps = generator(length=20, temperature=0.9).steps([PRIME] * 3, [np.random.default_rng(91)])
    np.testing.assert_array_equal([step.ids for step in steps], expected)


def test_the_same_seed_writes_the_same() -> None:
    np.testing.assert_array_equal(written(1, 50), written(1, 50))
    assert (written(1, 50) != written(2, 50)).any()


def test_samples_differ_from_each_other() -> None:
    assert len({tuple(text) for text in written(1, 50).tolist()}) == 3


def test_a_shorter_text_is_the_beginning_of_a_longer_one() -> None:
    np.testing.assert_array_equal(written(1, 50)[:, :20], written(1, 20))


def test_length() -> None:
    assert written(1, 0).shape == (3, 0)
    assert written(1, 1).shape == (3, 1)
    endless = generator(length=None).steps([PRIME], [np.random.default_rng(1)])
    assert len(list(itertools.islice(endless, 500))) == 500
    assert list(generator().steps([], [])) == []


def test_with_a_generator_each_a_text_is_the_same_whatever_stands_beside_it() -> None:
    primes = [PRIME, PRIME[:0], PRIME[:2], PRIME[1:]]

    def texts(numbers: list[int]) -> list[str]:
        randoms = [np.random.default_rng([5, n]) for n in numbers]
        found = generator(length=40, stop=["a"]).texts(
            [primes[n] for n in numbers], randoms, seed=5
        )
        return [text.text for text in found]

    together = texts([0, 1, 2, 3])
    assert [text for n in range(4) for text in texts([n])] == together
    assert texts([2, 0]) == [together[2], together[0]]
    assert len({len(text) for text in together}) > 1, "they end at different steps"


def test_what_a_stop_rule_held_back_belongs_to_a_text_of_its_length() -> None:
    (free,) = generator(length=12).texts([PRIME], [np.random.default_rng(3)], seed=3)
    stop = free.text[10:] + "\n\n\n\n"  # begins, and is not finished
    (text,) = generator(length=12, stop=[stop]).texts([PRIME], [np.random.default_rng(3)], seed=3)
    assert text.text == free.text
    assert len(text.log_probabilities) == 12


def test_pieces_are_the_texts() -> None:
    options = generator(length=30, stop=["ab", "c"])
    texts = options.texts([PRIME] * 4, [np.random.default_rng(7)], seed=7)
    pieces = list(options.pieces(PRIME, 4, 7))
    for text in texts:
        ids = [id for piece in pieces if piece.number == text.number for id in piece.ids]
        assert ids == text.ids.tolist()
    numbers = [piece.number for piece in pieces]
    assert numbers == sorted(numbers)
    assert numbers[-3:] == [1, 2, 3], "the others as a whole"


def test_log_probabilities_are_finite_where_the_probability_underflows() -> None:
    network = random_network(np.random.default_rng(82), CONFIG)
    network.parameters["V"][:] = 0
    network.parameters["V"][1, -1] = 2000  # every other symbol has exp(−2000), below any float64
    unlikely = TextGenerator(network, VOCABULARY, SamplingOptions(length=5, suppress="a"))
    (text,) = unlikely.texts([PRIME], [np.random.default_rng(1)], seed=1)
    np.testing.assert_allclose(text.log_probabilities, -2000)
