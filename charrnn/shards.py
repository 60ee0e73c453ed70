"""One batch over several threads.

Each thread runs its own columns of the batch in its own workspace, with a single-threaded BLAS, and
writes its own gradient; the gradients are summed in a fixed order. So a run repeats to the bit for
a given number of threads. NumPy lets the threads run side by side because it gives up the
interpreter's lock inside products and large ufuncs.
"""

import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np

from charrnn.network import IdArray, Network
from charrnn.optimizers import Adam
from charrnn.parameters import Array

BLOCK = 32768
"""Weights that are updated at a time: the few vectors of this length stay in the cache."""

T = TypeVar("T")
R = TypeVar("R")


class ShardedNetwork:
    """Training windows of T steps in B streams, shared out among threads.

    Use it as a context, which ends its threads. Memory: one workspace for all B streams, and a
    gradient (P,) for each thread.
    """

    def __init__(self, network: Network, steps: int, batch: int, threads: int) -> None:
        self.network = network
        self.threads = max(1, min(threads, batch))
        bounds = [batch * index // self.threads for index in range(self.threads + 1)]
        self._columns = [slice(a, b) for a, b in pairwise(bounds)]
        self._workspaces = [
            network.workspace(steps, columns.stop - columns.start, training=True)
            for columns in self._columns
        ]
        self._gradients = [network.parameters.zeros_like() for _ in self._columns]
        self.gradient = self._gradients[0]
        self._scale = 1.0 / (steps * batch)
        size = network.parameters.size
        blocks = [slice(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK)]
        cuts = [len(blocks) * index // self.threads for index in range(self.threads + 1)]
        self._blocks = [blocks[a:b] for a, b in pairwise(cuts)]
        self._scratch = [
            np.empty(BLOCK, network.parameters.flat.dtype) for _ in range(self.threads)
        ]
        self._pool = ThreadPoolExecutor(self.threads) if self.threads > 1 else None

    def __enter__(self) -> "ShardedNetwork":
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    @property
    def state(self) -> Array:
        """A copy of the state that the streams carry, (L, 1 + S, H, B)."""
        return np.concatenate([workspace.state for workspace in self._workspaces], axis=-1)

    @state.setter
    def state(self, state: Array) -> None:
        for workspace, columns in zip(self._workspaces, self._columns, strict=True):
            workspace.state = state[..., columns]

    def reset(self) -> None:
        """Make the state of every stream zero."""
        for workspace in self._workspaces:
            workspace.reset()

    def compute_gradient(self, ids: IdArray, targets: IdArray) -> float:
        """The mean loss (nats) over a window of `ids` and `targets`, both (T, B).

        Its gradient is in `gradient` afterwards.
        """
        losses = self._map(lambda index: self._run(index, ids, targets), range(self.threads))
        return math.fsum(losses) * self._scale

    def _run(self, index: int, ids: IdArray, targets: IdArray) -> float:
        workspace, columns = self._workspaces[index], self._columns[index]
        loss = float(workspace.losses(ids[:, columns], targets[:, columns]).sum(dtype=np.float64))
        workspace.backward(self._gradients[index], self._scale)
        return loss

    def gradient_norm(self) -> float:
        """Sum the threads' gradients into `gradient`; the Euclidean norm of the sum."""
        squares = self._map(self._sum_blocks, range(self.threads))
        return math.sqrt(math.fsum(squares))

    def _sum_blocks(self, index: int) -> float:
        first, *others = (gradient.flat for gradient in self._gradients)
        squares = 0.0
        for block in self._blocks[index]:
            for other in others:
                first[block] += other[block]
            squares += float(np.dot(first[block], first[block]))
        return squares

    def update(self, optimizer: Adam, learning_rate: float, scale: float) -> None:
        """One optimizer step along scale · `gradient`, which is used up."""
        optimizer.begin_step()
        self._map(
            lambda index: self._update_blocks(index, optimizer, learning_rate, scale),
            range(self.threads),
        )

    def _update_blocks(
        self, index: int, optimizer: Adam, learning_rate: float, scale: float
    ) -> None:
        weights, gradient = self.network.parameters.flat, self.gradient.flat
        for block in self._blocks[index]:
            gradient[block] *= scale
            optimizer.update(weights, gradient, learning_rate, block, self._scratch[index])

    def _map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        if self._pool is None:
            return [function(item) for item in items]
        return list(self._pool.map(function, items))
