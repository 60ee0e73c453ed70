"""Reading a text in parallel streams: the same as one symbol after the other."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn.nn.network import Network, NetworkConfig
from charrnn.nn.reading import map_in_threads, read_windows, warmed_up_state
from charrnn.nn.single_step import Stepper
from charrnn.nn.workspace import Workspace
from charrnn.text.streams import Streams
from charrnn.types import Array
from reference import random_network
from toy_cells import ALL_CELLS

pytestmark = pytest.mark.usefixtures("toy_cells")

TEXT = np.random.default_rng(61).integers(7, size=50)
STREAMS = Streams.covering(range(4, 49), 5, 20)


def example(cell: str) -> Network:
    return random_network(np.random.default_rng(62), NetworkConfig(7, 5, 2, cell))


def one_by_one(network: Network, names: list[str]) -> dict[str, NDArray[Any]]:
    """Losses, states and probabilities after each position that counts, each stream alone."""
    found: dict[str, list[Any]] = {name: [] for name in ("position", "loss", "p", *names)}
    for begin, start, end in zip(STREAMS.begins, STREAMS.starts, STREAMS.ends, strict=True):
        stepper = Stepper(network, 1)
        for t in range(begin, end):
            z = stepper.step(TEXT[t : t + 1])[:, 0]
            if t >= start:
                p = np.exp(z) / np.exp(z).sum()
                found["position"].append(t)
                found["loss"].append(-np.log(p[TEXT[t + 1]]))
                found["p"].append(p)
                for name in names:
                    states = [stepper.state(layer, name)[0].copy() for layer in range(2)]
                    found[name].append(states)
    return {name: np.array(values) for name, values in found.items()}


@pytest.mark.parametrize("steps", [1, 4, 64])
@pytest.mark.parametrize("cell", ALL_CELLS)
def test_windows_are_what_single_steps_are(cell: str, steps: int) -> None:
    network = example(cell)
    names = ["h", *network.config.cell_type.states]
    expected = one_by_one(network, names)
    seen = 0
    for window in read_windows(network, TEXT, STREAMS, steps=steps, states=names):
        places = window.positions - 4
        np.testing.assert_array_equal(expected["position"][places], window.positions)
        np.testing.assert_allclose(window.losses, expected["loss"][places], rtol=1e-9)
        for name in names:
            for layer in range(2):
                np.testing.assert_allclose(
                    window.state(layer, name), expected[name][places, layer], atol=1e-9
                )
        symbols, p = window.most_probable(3)
        order = np.argsort(-expected["p"][places], axis=1)[:, :3]
        np.testing.assert_array_equal(symbols, order)
        np.testing.assert_allclose(p, np.take_along_axis(expected["p"][places], order, 1))
        seen += len(places)
    assert seen == len(expected["loss"]) == STREAMS.symbols


def test_equally_probable_symbols_come_in_their_order() -> None:
    network = example("lstm")
    network.parameters["V"][:] = 0
    network.parameters["V"][3, -1] = 1
    for window in read_windows(network, TEXT, STREAMS):
        symbols, p = window.most_probable(7)
        assert (symbols == [3, 0, 1, 2, 4, 5, 6]).all()
        np.testing.assert_allclose(p.sum(axis=1), 1)


@pytest.mark.parametrize("cell", ALL_CELLS)
def test_a_warmed_up_state(cell: str) -> None:
    network = example(cell)
    streams = Streams.pieces(50, 3, 10, 6)
    found = warmed_up_state(network, TEXT, streams)
    for b, begin in enumerate(streams.begins):
        workspace = network.workspace(6, 1)
        workspace.forward(TEXT[begin : begin + 6, np.newaxis])
        np.testing.assert_allclose(found[..., b], workspace.state[..., 0], atol=1e-12)


def test_probabilities_come_with_the_losses_or_before_them() -> None:
    network = example("lstm")
    for late, early in zip(
        read_windows(network, TEXT, STREAMS, steps=7),
        read_windows(network, TEXT, STREAMS, steps=7),
        strict=True,
    ):
        losses, p = late.losses, early.probabilities
        np.testing.assert_array_equal(late.probabilities, p)
        np.testing.assert_array_equal(early.losses, losses)
        assert p.shape == (7, len(late.positions))


def test_nothing_is_predicted_where_nothing_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams of 4 symbols after 10: the third window of 5 is the first that counts."""
    predicted: list[Workspace] = []
    predict = Workspace._predict

    def counting(workspace: Workspace) -> Array:
        predicted.append(workspace)
        return predict(workspace)

    monkeypatch.setattr(Workspace, "_predict", counting)
    streams = Streams.pieces(50, 3, 4, 10)
    (window,) = read_windows(example("lstm"), TEXT, streams, steps=5)
    assert predicted == []
    assert len(window.losses) == 12
    window.most_probable(2)
    assert len(predicted) == 1


@pytest.mark.parametrize("threads", [1, 2, 9])
def test_results_come_in_the_order_of_the_groups(threads: int) -> None:
    groups = STREAMS.groups(4)
    found = map_in_threads(lambda group: int(group.starts[0]), groups, threads)
    assert found == [int(group.starts[0]) for group in groups]


@pytest.mark.parametrize("threads", [1, 2])
def test_how_much_is_done_is_told(threads: int) -> None:
    told: list[float] = []
    assert map_in_threads(abs, [-1, 2, -3, 4], threads, told.append) == [1, 2, 3, 4]
    assert told == [0.25, 0.5, 0.75, 1]


@pytest.mark.parametrize("threads", [1, 2])
def test_after_an_error_nothing_more_begins(threads: int) -> None:
    begun = []

    def work(item: int) -> None:
        begun.append(item)
        raise ValueError(item)

    with pytest.raises(ValueError, match="0"):
        map_in_threads(work, range(100), threads)
    assert len(begun) < 100
