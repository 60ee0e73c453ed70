"""A network reads a text in parallel streams: losses, states and predictions after each symbol.

Evaluation, activations and scores all read this way. What they see of a symbol does not depend on
how the streams are shared out among threads, but for rounding.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from charrnn.nn.network import Network
from charrnn.nn.workspace import Workspace
from charrnn.text.streams import Positions, Streams
from charrnn.types import Array, IdArray

WINDOW = 64
"""Steps that are read at a time, unless told: their logits, for example, are one product."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class ReadWindow:
    """What was seen of n symbols, at `positions` (n,) of the text, after each had been read.

    States and predictions can be read until the next window. Predictions are computed when they
    are first asked for.
    """

    def __init__(
        self,
        workspace: Workspace,
        positions: Positions,
        counts: NDArray[np.bool_],
        targets: IdArray,
    ) -> None:
        self._workspace, self._counts, self._targets = workspace, counts, targets
        self.positions = positions[counts]

    @cached_property
    def losses(self) -> Array:
        """The losses (n,) of the next symbols, in nats; where the text ends, of its last symbol
        once more."""
        losses: Array = self._workspace.losses_of(self._targets)[self._counts]
        return losses

    @property
    def probabilities(self) -> Array:
        """The probability of every next symbol (V, n), as a copy."""
        _ = self.losses  # the probabilities come with them
        found: Array = self._workspace.probabilities[:, self._counts.reshape(-1)]
        return found

    def state(self, layer: int, name: str) -> Array:
        """A state of a layer, (n, H): "h", or one of those that were asked for."""
        states: Array = self._workspace.layers[layer].states(name)[self._counts]
        return states

    def most_probable(self, count: int) -> tuple[NDArray[np.intp], Array]:
        """The most probable next symbols (n, K) and their probabilities (n, K), the most probable
        first; of equal ones, the one with the lower id."""
        left = self.probabilities
        columns = np.arange(left.shape[1])
        symbols = np.empty((left.shape[1], count), np.intp)
        p = np.empty(symbols.shape, left.dtype)
        for rank in range(count):
            symbols[:, rank] = left.argmax(axis=0)
            p[:, rank] = left[symbols[:, rank], columns]
            left[symbols[:, rank], columns] = -1
        return symbols, p


def read_windows(
    network: Network,
    text: IdArray,
    streams: Streams,
    *,
    steps: int | None = None,
    states: Sequence[str] = (),
) -> Iterator[ReadWindow]:
    """Read the symbols of a text (N,) in B streams, from states of zeros, in windows of `steps`;
    those of which nothing counts are left out, and nothing is predicted there.

    `states` are kept beside h, which is always there. Memory: a workspace of T steps, and L·T·B·H
    numbers for each of `states`.
    """
    T = max(1, min(steps or WINDOW, streams.longest))
    workspace = network.workspace(T, len(streams))
    for layer in workspace.layers if states else ():
        layer.keep_states(states)
    for positions, counts in streams.windows(T):
        workspace.advance(text[positions])
        if counts.any():
            targets = text[np.minimum(positions + 1, len(text) - 1)]
            yield ReadWindow(workspace, positions, counts, targets)


def sum_losses(network: Network, text: IdArray, streams: Streams) -> float:
    """The loss (nats) of all symbols in the streams' parts of a text (N,)."""
    nats = 0.0
    for window in read_windows(network, text, streams):
        nats += float(window.losses.sum(dtype=np.float64))
    return nats


def sum_losses_of_groups(network: Network, text: IdArray, groups: Sequence[Streams]) -> list[float]:
    """The same for several groups of streams, each in a thread of its own."""
    return map_in_threads(partial(sum_losses, network, text), groups, len(groups))


def warmed_up_state(network: Network, text: IdArray, streams: Streams) -> Array:
    """The state (L, 1 + S, H, B) of streams that have read all before their parts; the warm-up is
    equally long in each."""
    workspace = network.workspace(1, len(streams))
    for n in range(int((streams.starts - streams.begins)[0])):
        workspace.advance(text[streams.begins + n][np.newaxis])
    return workspace.state


def map_in_threads(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    threads: int,
    tell: Callable[[float], object] = lambda share: None,
) -> list[Result]:
    """The results of `work` for several items, such as groups of streams, in their order; at most
    `threads` work at a time. `tell` is called with the share of the items that are done."""
    results: list[Result] = []
    pool = ThreadPoolExecutor(min(threads, len(items))) if min(threads, len(items)) > 1 else None
    try:
        for result in map(work, items) if pool is None else pool.map(work, items):
            results.append(result)
            tell(len(results) / len(items))
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)  # after an error, nothing more begins
    return results
