"""The loss on a text that the network does not learn from.

The text is read in parallel streams, each warmed up by the text before its part, so that no symbol
is counted twice or left out. `benchmarks/evaluation.py` measures how close the result comes to one
stream that reads the whole text.
"""

from collections.abc import Callable, Sequence

import numpy as np

from charrnn.nn.network import Network
from charrnn.nn.reading import sum_losses_of_groups
from charrnn.text.streams import Streams
from charrnn.types import IdArray

EVALUATION_STREAMS = 64
EVALUATION_WARM_UP = 256
"""Symbols that a stream reads before the first whose loss counts."""

SumLosses = Callable[[Network, IdArray, Sequence[Streams]], list[float]]
"""The loss (nats) of a network on the parts of groups of streams of a text (N,), each group in all
(`charrnn.nn.reading.sum_losses_of_groups`)."""


class Evaluation:
    """The mean loss over the symbols `ids` (N,) that follow the symbols `before`.

    With `limit`, only about that many symbols count, in `streams` pieces spread evenly.
    """

    def __init__(
        self,
        before: IdArray,
        ids: IdArray,
        *,
        limit: int | None = None,
        streams: int = EVALUATION_STREAMS,
        threads: int = 1,
    ) -> None:
        before = before[-EVALUATION_WARM_UP:]
        self._text = np.concatenate([before, ids])
        # the symbols that are read; the next one is predicted, so nothing predicts the very first
        part = range(max(len(before) - 1, 0), len(self._text) - 1)
        streams = max(1, min(streams, len(part)))
        self._streams = Streams.covering(part, streams, EVALUATION_WARM_UP)
        if limit is not None:
            self._streams = self._streams.shortened(max(1, limit // streams))
        self._threads = max(1, threads)

    @property
    def count(self) -> int:
        """Symbols whose loss counts."""
        return self._streams.symbols

    def loss(self, network: Network, sum_losses: SumLosses = sum_losses_of_groups) -> float:
        """Mean loss in nats per symbol. `sum_losses` says who reads the text."""
        sums = sum_losses(network, self._text, self._streams.groups(self._threads))
        return sum(sums) / self.count
