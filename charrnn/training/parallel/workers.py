"""Shards at work side by side: in this thread, in threads, or in processes.

Processes are the faster way. Threads have to take turns in the interpreter between the products,
which costs a tenth of the time at 2 × 256 and more in smaller networks, where the turns are more
frequent. Where processes cannot share memory (`charrnn.training.parallel.processes`), threads take
their place.
"""

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from charrnn.training.parallel.shard import Shard, ShardingPlan
from charrnn.types import Array


class Workers(ABC):
    """The shards of a plan, at work on common `arrays`.

    A further kind of workers says how a method of `Shard` is called on all shards, and on the first
    one alone.
    """

    arrays: dict[str, Array]

    def __init__(self, plan: ShardingPlan) -> None:
        self._plan = plan

    def compute_gradient(self, step: int) -> list[float]:
        """Gradients of the window in `arrays`; the sum of the losses (nats) of each shard."""
        return self._call_all("compute_gradient", step)

    def sum_gradients(self) -> list[float]:
        """Sum the gradients into the first one; the squared norms of its parts."""
        return self._call_updaters("sum_gradients")

    def update(self, count: int, learning_rate: float, scale: float, limit: float) -> None:
        """The optimizer's step number `count` ≥ 1, along scale · gradient, each number of which is
        clipped to ± `limit` unless that is 0."""
        self._call_updaters("update", count, learning_rate, scale, limit)

    def store_state(self) -> None:
        """Write the state that the streams carry into `arrays`."""
        self._call_all("store_state")

    def load_state(self) -> None:
        """Go on from the state in `arrays`."""
        self._call_all("load_state")

    @abstractmethod
    def close(self) -> None:
        """End the workers."""

    def _call_updaters(self, method: str, *arguments: Any) -> list[Any]:
        call = self._call_first if self._plan.parts == 1 else self._call_all
        return call(method, *arguments)

    @abstractmethod
    def _call_all(self, method: str, *arguments: Any) -> list[Any]:
        """The method of every shard at once; what each of them returned, in their order."""

    @abstractmethod
    def _call_first(self, method: str, *arguments: Any) -> list[Any]:
        """The method of the first shard alone, without a message to the others."""


class Threads(Workers):
    """All shards in this process; a single one in this thread."""

    def __init__(self, plan: ShardingPlan) -> None:
        super().__init__(plan)
        self.arrays = {
            name: np.zeros(shape, dtype) for name, (shape, dtype) in plan.arrays().items()
        }
        self._shards = [Shard(plan, index, self.arrays) for index in range(plan.shards)]
        self._pool = ThreadPoolExecutor(plan.shards) if plan.shards > 1 else None

    def _call_all(self, method: str, *arguments: Any) -> list[Any]:
        if self._pool is None:
            return self._call_first(method, *arguments)
        return list(self._pool.map(lambda shard: getattr(shard, method)(*arguments), self._shards))

    def _call_first(self, method: str, *arguments: Any) -> list[Any]:
        return [getattr(self._shards[0], method)(*arguments)]

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()
