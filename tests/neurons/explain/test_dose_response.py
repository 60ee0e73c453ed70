"""What a network writes while a unit is held."""

import numpy as np
import pytest

import planted_cells
from charrnn.neurons.explain import dose_response as module
from charrnn.neurons.explain.dose_response import (
    DoseResponse,
    dose_response,
    feature_means,
    held_texts,
)
from charrnn.neurons.explain.output import Factor
from charrnn.neurons.features.registry import FEATURES
from charrnn.sampling.filters import Filters
from charrnn.sampling.options import SamplingOptions
from charrnn.sampling.sampler import Sampler

UNITS = [(0, 3), (1, 5), (0, 1)]


@pytest.fixture(autouse=True)
def short_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEGINNING", 5)
    monkeypatch.setattr(module, "CHARACTERS", 25)


def test_texts_are_those_of_the_sampler() -> None:
    """One text after another, each with the numbers of its seed."""
    model = planted_cells.model(0)
    network, vocabulary = model.network, model.vocabulary
    values, seeds = (-1.0, 0.5), 3
    texts = held_texts(network, vocabulary, UNITS, values, seeds=seeds, seed=4)
    assert texts.shape == (3, 2, 3, 30)
    numbers = np.random.default_rng(4).random((30, seeds))

    class Given:
        def __init__(self, column: int) -> None:
            self.left = iter(numbers[:, column])

        def random(self, size: int, /) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
            return np.array([next(self.left)])

    for u, unit in enumerate(UNITS):
        for v, value in enumerate(values):
            for s in range(seeds):
                sampler, given = Sampler(network, 1, {unit: value}), Given(s)
                filters = Filters(SamplingOptions())
                for t in range(30):
                    id = sampler.draw(given, filters)
                    assert id[0] == texts[u, v, s, t]
                    sampler.feed(id)


def test_threads_and_groups_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = planted_cells.model(0)

    def texts(streams: int, threads: int) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
        monkeypatch.setattr(module, "STREAMS_AT_ONCE", streams)
        monkeypatch.setattr(module, "usable_threads", lambda: threads)
        return held_texts(model.network, model.vocabulary, UNITS, (0.0, 1.0), seeds=4)

    one = texts(8, 1)
    np.testing.assert_array_equal(one, texts(8, 3))


def test_the_effect_of_a_planted_cell_has_the_right_sign() -> None:
    model = planted_cells.model(1)
    quotes = FEATURES["quotes"]
    texts = held_texts(model.network, model.vocabulary, [planted_cells.SECOND], module.VALUES)
    others = held_texts(model.network, model.vocabulary, [(0, 1)], (-1.0, 1.0), seeds=50)
    found = dose_response(texts[0], others, model.vocabulary, quotes)
    assert found.means[-1] > 0.9 > 0.1 > found.means[0]
    assert (np.diff(found.means) >= 0).all()
    assert found.change[1] <= found.change[0] <= found.change[2]
    assert found.change[1] > 0.8
    assert abs(found.others[0]) < 0.1
    assert [one.symbol for one in found.symbols] == ["‘“’", "‘”’"]
    assert "of the text is inside quotes; held at −1" in found.in_words()


def test_means_of_features() -> None:
    model = planted_cells.model(0)
    text = "abcde" + 10 * "a" + planted_cells.OPENING + 14 * "a"
    ids = model.vocabulary.encode(text).astype(np.intp)[np.newaxis]
    assert feature_means(ids, model.vocabulary, FEATURES["quotes"]).tolist() == [15 / 25]


def test_words() -> None:
    one = DoseResponse(
        feature="quotes",
        is_flag=True,
        means=[0.004, 0.1, 0.2, 0.5, 0.94],
        lows=[0.001, 0.1, 0.2, 0.5, 0.92],
        highs=[0.008, 0.1, 0.2, 0.5, 0.96],
        change=(0.936, 0.91, 0.95),
        others=[0.0] * 20,
        symbols=[Factor("‘!’", 12.0)],
    )
    assert one.in_words() == (
        "held at +1, 94 % (92 % to 96 %) of the text is inside quotes; held at −1, 0.4 % (0.1 % "
        "to 0.8 %); 20 similar cells, held alike: +0.0 to +0.0 points, nine in ten of them; "
        "written at +1 as against −1: ‘!’ × 12"
    )
