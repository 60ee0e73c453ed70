"""What the units of a network do while it reads a text."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import OptionError
from charrnn.model import Model, Text
from charrnn.nn.network import Network, NetworkConfig
from charrnn.nn.single_step import Stepper
from charrnn.nn.softmax import softmax
from charrnn.text.batches import spread
from charrnn.types import Array, IdArray

WARM_UP = 512
"""Symbols that a stream reads before the first one that counts."""
STREAMS = 64
SHORTEST = 1024
"""Symbols that a stream has at least, where there is more than one."""
TOP = 5
"""Predictions that are kept at each symbol."""


@dataclass(frozen=True)
class Reading:
    """What was seen after each of N symbols of a text had been read.

    `states` has for each name an array (L, N, H); `losses` (N,) is what the next symbol of the text
    cost, in nats, NaN after the last one. `predicted` (N, K) are the K most probable next symbols,
    the most probable first, and `probabilities` (N, K) theirs.
    """

    states: dict[str, NDArray[np.float32]]
    losses: NDArray[np.float64]
    predicted: NDArray[np.intp] = field(default_factory=lambda: np.zeros((0, TOP), np.intp))
    probabilities: NDArray[np.float32] = field(
        default_factory=lambda: np.zeros((0, TOP), np.float32)
    )


def state_names(config: NetworkConfig) -> tuple[str, ...]:
    """What can be seen in each layer of a network: h, and what its cell works out beside."""
    return ("h", *config.cell_type.states)


def read(
    network: Network,
    ids: IdArray,
    states: Sequence[str] = (),
    *,
    before: IdArray | None = None,
    predictions: bool = False,
) -> Reading:
    """Read the symbols `ids` (N,), which follow `before`, and look at `states` after each of them.

    A long text is read in up to `STREAMS` parts side by side, each from `WARM_UP` symbols earlier
    on, so that its state is as good as carried through the whole text. Memory: what is returned.
    Raises OptionError for a state that the network does not have.
    """
    config = network.config
    for name in states:
        if name not in state_names(config):
            raise OptionError(
                f"a {config.cell.upper()} has no state {name!r}: choose from "
                f"{', '.join(state_names(config))}"
            )
    before = ids[:0] if before is None else before[-WARM_UP:]
    text = np.concatenate([before, ids]).astype(np.intp)
    first, N = len(before), len(ids)
    streams = max(1, min(STREAMS, N // SHORTEST))
    borders = first + spread(N, streams)
    starts, ends = borders[:-1], borders[1:]
    begins = np.maximum(starts - WARM_UP, 0)

    shape = (config.layers, N, config.hidden_size)
    seen = {name: np.empty(shape, np.float32) for name in states}
    losses = np.full(N, np.nan)
    best = np.zeros((N if predictions else 0, min(TOP, config.vocabulary_size)), np.intp)
    chances = np.zeros(best.shape, np.float32)
    stepper = Stepper(network, streams)
    for n in range(int((ends - begins).max(initial=0))):
        here = begins + n
        logits = stepper.step(text[np.minimum(here, len(text) - 1)])
        (counting,) = np.nonzero((here >= starts) & (here < ends))
        if not len(counting):
            continue
        places = here[counting] - first
        for name, array in seen.items():
            for layer in range(config.layers):
                array[layer, places] = stepper.state(layer, name)[:, counting].T
        p = softmax(logits[:, counting])
        _note_losses(losses, p, places, text, first)
        if predictions:
            order = np.argsort(-p, axis=0, kind="stable")[: best.shape[1]]
            best[places] = order.T
            chances[places] = np.take_along_axis(p, order, axis=0).T
    return Reading(seen, losses, best, chances)


def _note_losses(
    losses: NDArray[np.float64],
    p: NDArray[np.float64],
    places: NDArray[np.intp],
    text: NDArray[np.intp],
    first: int,
) -> None:
    """From the probabilities (V, S) after the symbols at `places` (S,)."""
    has_next = places + 1 < len(losses)
    targets = text[places[has_next] + first + 1]
    with np.errstate(divide="ignore"):
        losses[places[has_next]] = -np.log(p[targets, np.flatnonzero(has_next)])


def activations(
    model: Model, text: Text, states: Sequence[str] | None = None
) -> dict[str, NDArray[np.float32]]:
    """What each unit of a model is after each symbol of a text, by the name of a state: arrays
    (L, T, H), so that `activations(model, text)["c"][0]` is (T, H) for the lowest layer.

    Without `states`, all that there are: "h", and what the cell works out beside it, such as the
    cell state "c" and the gates "o", "i", "f" of an LSTM. Raises UnknownSymbolError for a text with
    symbols that the model does not know, and OptionError for a state that it does not have.
    """
    names = state_names(model.network.config) if states is None else states
    return read(model.network, model.vocabulary.encode(text), names).states


def losses_when_held(
    network: Network,
    pieces: IdArray,
    units: Sequence[tuple[int, int]],
    values: Array,
    skip: int,
) -> NDArray[np.float64]:
    """The losses (nats) of pieces of text while one unit is held at a value, for each of U units.

    `pieces` (B, N + 1) are read side by side, all from a state of zeros; `units` are (layer, unit),
    and `values` (U,) what they are held at (see `Cell.hold`), NaN to let one go. Returns
    (U, B, N − skip), without the first `skip` symbols of each piece, which only warm the state up.
    """
    B, U = len(pieces), len(units)
    N = pieces.shape[1] - 1
    stepper = Stepper(network, U * B)  # unit by unit, all pieces of one side by side
    for layer in range(network.config.layers):
        of_layer = [
            n for n, (place, _) in enumerate(units) if place == layer and not np.isnan(values[n])
        ]
        streams = np.array([n * B + b for n in of_layer for b in range(B)], np.intp)
        held = np.array([units[n][1] for n in of_layer for _ in range(B)], np.intp)
        stepper.hold(layer, held, streams, np.repeat(values[of_layer], B))
    losses = np.empty((U, B, N - skip))
    columns = np.arange(U * B)
    for n in range(N):
        logits = stepper.step(np.tile(pieces[:, n], U))
        if n >= skip:
            p = softmax(logits)[np.tile(pieces[:, n + 1], U), columns]
            losses[:, :, n - skip] = -np.log(p).reshape(U, B)
    return losses
