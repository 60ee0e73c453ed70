"""Memory that texts side by side need."""

import tracemalloc

import numpy as np
import pytest

from charrnn.errors import OptionError
from charrnn.nn.network import Network, NetworkConfig
from charrnn.sampling.filters import Filters
from charrnn.sampling.memory_check import check_samples, needed
from charrnn.sampling.options import SamplingOptions
from charrnn.sampling.sampler import Sampler

CONFIG = NetworkConfig(vocabulary_size=60, hidden_size=64, layers=2)


def test_the_estimate_is_about_what_a_step_takes() -> None:
    network = Network.create(CONFIG, np.random.default_rng(1))
    filters = Filters(SamplingOptions())
    tracemalloc.start()
    sampler = Sampler(network, 2000)
    sampler.feed(sampler.draw(np.random.default_rng(1), filters))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.5 < needed(CONFIG, 2000) / most < 2


def test_numbers_of_texts_that_make_no_sense() -> None:
    check_samples([CONFIG], 1)
    with pytest.raises(OptionError, match="`samples` must be at least 1, not 0"):
        check_samples([CONFIG], 0)
    for samples in (10**14, 10**400):
        with pytest.raises(OptionError, match="samples side by side would need about"):
            check_samples([CONFIG], samples)
