"""The activations of every unit while a network reads a text, its losses and its predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import OptionError
from charrnn.machine.blas import one_thread
from charrnn.model import Model
from charrnn.nn.network import Network, NetworkConfig
from charrnn.nn.reading import map_in_threads, read_windows
from charrnn.nn.single_step import Stepper
from charrnn.nn.softmax import log_softmax
from charrnn.options import usable_threads
from charrnn.text.streams import Streams
from charrnn.types import IdArray, Text

MOST_STREAMS = 64
STREAM_WARM_UP = 512
"""Symbols that a stream reads before the first that counts: twice as many as for a mean loss, since
here single states count."""
WARM_UPS = 2
"""Warm-ups that the part of a stream is long, at least, where there is more than one stream."""
STREAMS_PER_THREAD = 32
"""Streams that one thread reads at a time."""
STEPS_AT_ONCE = 16
"""Steps of a window: its arrays are to fit into a core's cache. With 64, reading 32 streams of a
2 × 256 LSTM took 1.15 times as long, with 8 as long."""
TOP_PREDICTIONS = 5
"""Predictions that are kept at each symbol."""

HeldUnits = Mapping[tuple[int, int], float]
"""The value at which each unit (layer, unit) is held."""


@dataclass(frozen=True)
class Reading:
    """What was seen after each of N symbols of a text had been read.

    `states` has an array (L, N, H) for each name; `losses` (N,) are those of the next symbol of the
    text, in nats, NaN after the last one. `predicted` (N, K) are the K most probable next symbols,
    the most probable first, and `probabilities` (N, K) theirs. N is 0 for what was not asked for.
    """

    states: dict[str, NDArray[np.float32]]
    losses: NDArray[np.float64]
    predicted: NDArray[np.intp] = field(
        default_factory=lambda: np.zeros((0, TOP_PREDICTIONS), np.intp)
    )
    probabilities: NDArray[np.float32] = field(
        default_factory=lambda: np.zeros((0, TOP_PREDICTIONS), np.float32)
    )


def state_names(config: NetworkConfig) -> tuple[str, ...]:
    """The states of each layer of a network: h, and those that its cell computes beside it."""
    return ("h", *config.cell_type.states)


def read(
    network: Network,
    ids: IdArray,
    states: Sequence[str] = (),
    *,
    before: IdArray | None = None,
    losses: bool = True,
    predictions: bool = False,
    warm_up: int | None = None,
    threads: int | None = None,
) -> Reading:
    """Read the symbols `ids` (N,), which follow `before`, and keep `states` after each of them.

    A long text is read in up to `MOST_STREAMS` streams, each warmed up by `warm_up` symbols
    (`STREAM_WARM_UP` by default). The result is the same for any number of `threads`; None uses all
    processors. Memory: what is returned, and for each thread a workspace. Raises OptionError for a
    state that the network does not have.
    """
    config = network.config
    _check_states(states, config)
    warm_up = STREAM_WARM_UP if warm_up is None else warm_up
    before = ids[:0] if before is None else before[-warm_up:]
    text = np.concatenate([before, ids])
    first, N = len(before), len(ids)
    reading = _empty_reading(config, N, states, losses=losses, predictions=predictions)

    def read_group(streams: Streams) -> None:
        for window in read_windows(network, text, streams, steps=STEPS_AT_ONCE, states=states):
            places = window.positions - first
            for name, array in reading.states.items():
                for layer in range(config.layers):
                    array[layer, places] = window.state(layer, name)
            if losses:
                reading.losses[places] = window.losses
            if predictions:
                best, chances = reading.predicted, reading.probabilities
                best[places], chances[places] = window.most_probable(best.shape[1])

    groups = _groups(range(first, first + N), warm_up)
    with one_thread():
        map_in_threads(read_group, groups, usable_threads() if threads is None else threads)
    reading.losses[-1:] = np.nan  # no symbol follows the last one
    return reading


def _groups(part: range, warm_up: int) -> list[Streams]:
    """Streams through a part of a text, in groups; as many for any number of threads, so that the
    results are the same."""
    count = max(1, min(MOST_STREAMS, len(part) // (WARM_UPS * warm_up)))
    streams = Streams.covering(part, count, warm_up)
    return streams.groups(-(-len(streams) // STREAMS_PER_THREAD))


def _empty_reading(
    config: NetworkConfig, N: int, states: Sequence[str], *, losses: bool, predictions: bool
) -> Reading:
    """A reading of N symbols to be filled in."""
    L, H, K = config.layers, config.hidden_size, min(TOP_PREDICTIONS, config.vocabulary_size)
    predicted = N if predictions else 0
    return Reading(
        # all units of a character side by side: as (N, L·H) the array needs no copy
        states={name: np.empty((N, L, H), np.float32).swapaxes(0, 1) for name in states},
        losses=np.full(N if losses else 0, np.nan),
        predicted=np.zeros((predicted, K), np.intp),
        probabilities=np.zeros((predicted, K), np.float32),
    )


def _check_states(states: Sequence[str], config: NetworkConfig) -> None:
    for name in states:
        if name not in state_names(config):
            raise OptionError(
                f"a {config.cell.upper()} has no state {name!r}: choose from "
                f"{', '.join(state_names(config))}"
            )


def activations(
    model: Model, text: Text, states: Sequence[str] | None = None
) -> dict[str, NDArray[np.float32]]:
    """The activations of each unit of a model after each symbol of a text, by the name of a state:
    arrays (L, T, H), so that `activations(model, text)["c"][0]` is (T, H) for the lowest layer.

    Without `states`, all that there are: "h", and what the cell computes beside it, such as the
    cell state "c" and the gates "o", "i", "f" of an LSTM. Raises UnknownSymbolError for a text with
    symbols that the model does not know, and OptionError for a state that it does not have.
    """
    names = state_names(model.network.config) if states is None else states
    return read(model.network, model.vocabulary.encode(text), names).states


def losses_with_held_units(
    network: Network, text: IdArray, streams: Streams, held: Sequence[HeldUnits]
) -> NDArray[np.float64]:
    """The losses (nats) in parts of a text, read R times with other units held each time.

    The parts of the B `streams` have the same length N, and so have their warm-ups, in which the
    units are held already. `held` (R,) are the values of units that are held together (see
    `Cell.hold`); none in an empty mapping. Returns (R, B, N).
    """
    B, R = len(streams), len(held)
    stepper = Stepper(network, R * B)  # reading by reading, all streams of one side by side
    for layer in range(network.config.layers):
        of_layer = [
            (n * B + b, unit, value)
            for n, units in enumerate(held)
            for (place, unit), value in units.items()
            if place == layer
            for b in range(B)
        ]
        columns = np.array([column for column, _, _ in of_layer], np.intp)
        units = np.array([unit for _, unit, _ in of_layer], np.intp)
        stepper.hold(layer, units, columns, np.array([value for _, _, value in of_layer]))
    losses = np.empty((R, B, streams.symbols // B))
    columns, n = np.arange(R * B), 0
    for (positions,), (counts,) in streams.windows(1):
        logits = stepper.step(np.tile(text[positions], R))
        if counts.all():
            of_next = np.tile(text[positions + 1], R)
            losses[:, :, n] = -log_softmax(logits)[of_next, columns].reshape(R, B)
            n += 1
    return losses
