"""A trained model with new symbols: what it knew, it still knows."""

import numpy as np
import pytest

from charrnn.errors import OptionError
from charrnn.nn.cells import CELLS
from charrnn.nn.network import NetworkConfig
from charrnn.text.corpus import Corpus
from charrnn.training.finetuning import extended
from reference import random_network

OLD = Corpus.from_text("bdf" * 5)
NEW = Corpus.from_text("abcdf\u00fc" * 5)


@pytest.mark.parametrize("cell", CELLS)
def test_logits_of_old_symbols_stay_the_same(cell: str) -> None:
    rng = np.random.default_rng(71)
    network = random_network(rng, NetworkConfig(3, 6, 2, cell))
    larger, corpus = extended(network, OLD.vocabulary, NEW, rng)
    assert larger.config == NetworkConfig(6, 6, 2, cell)
    assert corpus.vocabulary.decode(corpus.ids) == "abcdf\u00fc" * 5
    text = "fdbbfddf"
    before = network.workspace(8, 1).forward(OLD.vocabulary.encode(text)[:, np.newaxis])
    after = larger.workspace(8, 1).forward(corpus.vocabulary.encode(text)[:, np.newaxis])
    old = corpus.vocabulary.encode("bdf")
    np.testing.assert_allclose(after[old], before, rtol=1e-12)
    new = corpus.vocabulary.encode("ac\u00fc")
    lowest = network.parameters["V"][:, -1].min()
    np.testing.assert_array_equal(larger.parameters["V"][new, -1], lowest)
    assert len(np.unique(larger.parameters["V"][new, :-1])) == 3 * 6
    assert len(np.unique(larger.parameters["U0"][:, new])) == len(larger.parameters["U0"]) * 3


def test_with_no_new_symbols_the_network_is_the_same() -> None:
    rng = np.random.default_rng(72)
    network = random_network(rng, NetworkConfig(3, 6, 2))
    larger, corpus = extended(network, OLD.vocabulary, Corpus.from_text("bd" * 9), rng)
    np.testing.assert_array_equal(larger.parameters.flat, network.parameters.flat)
    assert corpus.vocabulary == OLD.vocabulary


def test_bytes_and_characters_do_not_go_together() -> None:
    rng = np.random.default_rng(73)
    network = random_network(rng, NetworkConfig(3, 6, 2))
    with pytest.raises(OptionError, match=r"has learned characters, .* leave out `as_bytes`"):
        extended(network, OLD.vocabulary, Corpus.from_text(b"bdf"), rng)
    with pytest.raises(OptionError, match=r"has learned bytes, .* add `as_bytes`"):
        extended(network, Corpus.from_text(b"bdf").vocabulary, OLD, rng)
