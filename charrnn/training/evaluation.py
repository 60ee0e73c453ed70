"""The loss on a text that the network does not learn from.

The text is cut into streams that run side by side. Each of them first reads some of the text before
its own part, so that its state is as good as carried through the whole text, and nothing is counted
twice or left out. How little is lost by that shows `benchmarks/evaluation.py`.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from charrnn.nn.network import Network
from charrnn.text.batches import spread
from charrnn.types import IdArray

STREAMS = 64
STEPS = 64
WARM_UP = 256
"""Symbols that a stream reads before the first that counts."""


class Evaluation:
    """The mean loss over the symbols `ids` (N,) that follow the symbols `before`.

    With `limit`, at most that many symbols are looked at, in `STREAMS` pieces spread evenly.
    """

    def __init__(
        self, before: IdArray, ids: IdArray, *, limit: int | None = None, threads: int = 1
    ) -> None:
        before = before[-WARM_UP:]
        self._text = np.concatenate([before, ids])
        count, first = len(ids), len(before)
        if first == 0:
            # nothing comes before the very first symbol, so nothing predicts it
            count, first = count - 1, 1
        self._threads = max(1, threads)
        streams = max(1, min(STREAMS, count))
        borders = first + spread(count, streams)
        self._starts, self._ends = borders[:-1], borders[1:]
        if limit is not None:
            self._ends = np.minimum(self._ends, self._starts + max(1, limit // streams))
        self.count = int((self._ends - self._starts).sum())
        """Symbols whose loss counts."""

    def loss(self, network: Network) -> float:
        """Mean loss in nats per symbol."""
        parts = spread(len(self._starts), min(self._threads, len(self._starts)))
        groups = [slice(a, b) for a, b in pairwise(parts)]
        if len(groups) == 1:
            return self._sum(network, groups[0]) / self.count
        with ThreadPoolExecutor(len(groups)) as pool:
            sums = pool.map(lambda group: self._sum(network, group), groups)
            return sum(sums) / self.count

    def _sum(self, network: Network, group: slice) -> float:
        starts, ends = self._starts[group], self._ends[group]
        # where there is less text before a stream, it begins with the very first symbol
        begins = np.maximum(starts - WARM_UP, 1)
        length = int((ends - begins).max())
        T = min(STEPS, length)
        workspace = network.workspace(T, len(starts))
        total = 0.0
        for t in range(0, length, T):
            # position of each target; its input is the symbol before
            targets = begins + t + np.arange(T)[:, np.newaxis]
            counts = (targets >= starts) & (targets < ends)
            targets = np.minimum(targets, len(self._text) - 1)
            losses = workspace.losses(self._text[targets - 1], self._text[targets])
            total += float(losses[counts].sum(dtype=np.float64))
        return total
