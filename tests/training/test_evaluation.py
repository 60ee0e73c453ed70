"""The loss on held-out text: in many streams the same as in one that reads from the start."""

from copy import copy
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn.nn import reading
from charrnn.nn.network import Network, NetworkConfig
from charrnn.training import evaluation
from charrnn.training.evaluation import Evaluation
from reference import random_network

CONFIG = NetworkConfig(vocabulary_size=7, hidden_size=5, layers=2)


class Table:
    """In the place of a network: each symbol has a loss of its own, and follows its number."""

    def __init__(self, symbols: int) -> None:
        self.of_symbols = np.random.default_rng(51).random(symbols)

    def workspace(self, steps: int, batch: int) -> "Table":
        assert steps >= 1
        assert batch >= 1
        return copy(self)  # each thread has one of its own

    def advance(self, ids: NDArray[np.intp]) -> None:
        self._ids = ids

    def losses_of(self, targets: NDArray[np.intp]) -> NDArray[np.float64]:
        assert (targets == self._ids + 1).all()
        losses: NDArray[np.float64] = self.of_symbols[targets]
        return losses


def measure(table: Any, evaluation: Evaluation) -> float:
    return evaluation.loss(table)


def naive_losses(network: Network, text: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """The loss of each symbol but the first, read one by one with the state carried."""
    workspace = network.workspace(1, 1)
    return np.array([workspace.losses(*pair.reshape(2, 1, 1)).item() for pair in pairs(text)])


def pairs(text: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
    return np.stack([text[:-1], text[1:]], axis=1)


def example(before: int, count: int) -> tuple[Network, NDArray[np.intp]]:
    rng = np.random.default_rng(52)
    return random_network(rng, CONFIG), rng.integers(CONFIG.vocabulary_size, size=before + count)


# --- what is counted


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("before", [0, 1, 5, 300])
@pytest.mark.parametrize("count", [2, 3, 63, 64, 65, 128, 1000])
def test_every_symbol_counts_once(before: int, count: int, threads: int) -> None:
    text, table = np.arange(before + count), Table(before + count)
    evaluated = Evaluation(text[:before], text[before:], threads=threads)
    # nothing predicts the very first symbol of all
    expected = table.of_symbols[max(before, 1) :]
    assert evaluated.count == expected.size
    assert measure(table, evaluated) == pytest.approx(expected.mean(), rel=1e-12)


def test_one_symbol_after_a_text() -> None:
    text, table = np.arange(6), Table(6)
    evaluated = Evaluation(text[:5], text[5:])
    assert evaluated.count == 1
    assert measure(table, evaluated) == pytest.approx(table.of_symbols[5])


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("before", [0, 1, 300])
def test_a_limit_takes_pieces_from_everywhere(before: int, threads: int) -> None:
    count, limit, streams = 6400, 640, evaluation.EVALUATION_STREAMS
    text, table = np.arange(before + count), Table(before + count)
    evaluated = Evaluation(text[:before], text[before:], limit=limit, threads=threads)
    assert evaluated.count == limit
    first = max(before, 1)
    starts = [first + (count - (before == 0)) * k // streams for k in range(streams)]
    looked_at = np.concatenate([np.arange(a, a + limit // streams) for a in starts])
    expected = table.of_symbols[looked_at].mean()
    assert measure(table, evaluated) == pytest.approx(expected, rel=1e-12)


def test_a_limit_that_the_text_does_not_reach_changes_nothing() -> None:
    network, text = example(20, 1000)
    limited, whole = (Evaluation(text[:20], text[20:], limit=each) for each in (2000, None))
    assert limited.count == whole.count == 1000
    assert limited.loss(network) == whole.loss(network)


# --- the loss


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize(("before", "count"), [(0, 2), (0, 250), (1, 200), (56, 200), (250, 6)])
def test_equals_one_stream_where_the_warm_up_reaches_the_start(
    before: int, count: int, threads: int
) -> None:
    network, text = example(before, count)
    evaluated = Evaluation(text[:before], text[before:], threads=threads)
    expected = naive_losses(network, text)[max(before - 1, 0) :].mean()
    assert evaluated.loss(network) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("steps", [1, 7, 64, 500])
@pytest.mark.parametrize("streams", [1, 3, 64])
def test_equals_one_stream_whatever_the_windows(
    monkeypatch: pytest.MonkeyPatch, streams: int, steps: int
) -> None:
    monkeypatch.setattr(evaluation, "EVALUATION_STREAMS", streams)
    monkeypatch.setattr(reading, "WINDOW", steps)
    monkeypatch.setattr(evaluation, "EVALUATION_WARM_UP", 10**6)
    network, text = example(100, 300)
    evaluated = Evaluation(text[:100], text[100:])
    expected = naive_losses(network, text)[99:].mean()
    assert evaluated.loss(network) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("before", [0, 3, 1000])
def test_the_warm_up_is_as_good_as_the_whole_text(before: int) -> None:
    network, text = example(before, 1280)
    evaluated = Evaluation(text[:before], text[before:])
    expected = naive_losses(network, text)[max(before - 1, 0) :].mean()
    # a network this small has forgotten after so many symbols what was before them
    assert evaluated.loss(network) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("before", [0, 2, 10, 400])
@pytest.mark.parametrize("limit", [None, 320])
def test_threads_change_only_the_rounding(before: int, limit: int | None) -> None:
    network, text = example(before, 900)
    one, *others = (
        Evaluation(text[:before], text[before:], limit=limit, threads=threads).loss(network)
        for threads in (1, 2, 5)
    )
    for other in others:
        assert other == pytest.approx(one, rel=1e-12)


def test_a_loss_can_be_measured_again() -> None:
    network, text = example(10, 300)
    evaluated = Evaluation(text[:10], text[10:])
    weights = network.parameters.flat.copy()
    first = evaluated.loss(network)
    assert evaluated.loss(network) == first
    np.testing.assert_array_equal(network.parameters.flat, weights)
    network.parameters.flat *= 0.5
    assert evaluated.loss(network) != first


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_ids_of_every_width(dtype: type[np.unsignedinteger[Any]]) -> None:
    network, text = example(10, 300)
    expected = Evaluation(text[:10], text[10:]).loss(network)
    narrow = text.astype(dtype)
    assert Evaluation(narrow[:10], narrow[10:]).loss(network) == expected
