"""Shards at work side by side: in this thread, in threads, in processes, or on several machines.

Processes are the faster way. Threads have to take turns in the interpreter between the products,
which costs a tenth of the time at 2 × 256 and more in smaller networks, where the turns are more
frequent. Where processes cannot share memory (`charrnn.training.parallel.processes`), threads take
their place. Machines (`charrnn.training.parallel.ranks`) each have workers of one of these kinds.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from charrnn.machine.aligned import aligned_zeros
from charrnn.nn.network import Network
from charrnn.nn.reading import sum_losses_of_groups
from charrnn.text.batches import Batches
from charrnn.text.streams import Streams
from charrnn.training.parallel.shard import Shard, ShardingPlan
from charrnn.types import Array, IdArray


class Workers(ABC):
    """The shards of a plan, at work on common `arrays`. They begin with zeros: `load_weights`,
    `load_moments`, `load_state` and `load_text` come first."""

    arrays: dict[str, Array]

    def __init__(self, plan: ShardingPlan) -> None:
        self._plan = plan

    @abstractmethod
    def load_text(self, batches: Batches) -> None:
        """Keep the windows of a text."""

    @abstractmethod
    def load_window(self, index: int) -> None:
        """Take a window of the text as the next to compute the gradient of."""

    @abstractmethod
    def compute_gradient(self, step: int) -> list[float]:
        """Gradients of the window in `arrays`; the sum of the losses (nats) of each shard."""

    @abstractmethod
    def sum_gradients(self) -> list[float]:
        """Sum the gradients into the first one; the squared norms of its parts."""

    @abstractmethod
    def update(self, count: int, learning_rate: float, scale: float, limit: float) -> None:
        """The optimizer's step number `count` ≥ 1, along scale · gradient, each number of which is
        clipped to ± `limit` unless that is 0."""

    is_synchronized = True
    """Whether all ranks have the same weights; not so after local steps (`ShardingPlan.local`)."""

    def synchronize(self) -> None:
        """Average the weights and moments of all ranks after local steps."""
        return  # where nobody takes any

    @abstractmethod
    def load_weights(self) -> None:
        """Go on from the weights in `arrays`."""

    @abstractmethod
    def store_moments(self) -> None:
        """Write the optimizer's moments into `arrays`."""

    @abstractmethod
    def load_moments(self) -> None:
        """Go on from the moments in `arrays`."""

    @abstractmethod
    def store_state(self) -> None:
        """Write the state that the streams carry into `arrays`."""

    @abstractmethod
    def load_state(self) -> None:
        """Go on from the state in `arrays`."""

    @abstractmethod
    def sum_losses(self, network: Network, text: IdArray, groups: Sequence[Streams]) -> list[float]:
        """The loss (nats) of the parts of groups of streams of a text (N,), each group in all."""

    @abstractmethod
    def close(self) -> None:
        """End the workers."""


class LocalWorkers(Workers):
    """Shards whose arrays are in the memory of this process: those of a rank.

    A kind of local workers says how a method of `Shard` is called on all shards, and on the first
    one alone.
    """

    def load_text(self, batches: Batches) -> None:
        self._batches = batches

    def load_window(self, index: int) -> None:
        self.arrays["ids"][:], self.arrays["targets"][:] = self._batches.window(index)

    def compute_gradient(self, step: int) -> list[float]:
        return self._call_all("compute_gradient", step)

    def add_own_gradients(self) -> None:
        """Add up the gradients as far as no other rank is needed for it; nothing to do where none
        ever is."""
        if self._plan.ranks > 1 and self._plan.own_additions:
            self._call_updaters("add_own_gradients")

    def sum_gradients(self) -> list[float]:
        return self._call_updaters("sum_gradients")

    def update(self, count: int, learning_rate: float, scale: float, limit: float) -> None:
        self._call_updaters("update", count, learning_rate, scale, limit)

    def load_weights(self) -> None:
        pass  # the shards see the arrays

    def store_moments(self) -> None:
        pass

    def load_moments(self) -> None:
        pass

    def store_state(self) -> None:
        self._call_all("store_state")

    def load_state(self) -> None:
        self._call_all("load_state")

    def sum_losses(self, network: Network, text: IdArray, groups: Sequence[Streams]) -> list[float]:
        # in threads: other processes do not have the text, and perhaps not these weights
        return sum_losses_of_groups(network, text, groups)

    def _call_updaters(self, method: str, *arguments: Any) -> list[Any]:
        call = self._call_first if self._plan.parts == 1 else self._call_all
        return call(method, *arguments)

    @abstractmethod
    def _call_all(self, method: str, *arguments: Any) -> list[Any]:
        """The method of every shard at once; what each of them returned, in their order."""

    @abstractmethod
    def _call_first(self, method: str, *arguments: Any) -> list[Any]:
        """The method of the first shard alone, without a message to the others."""


class Threads(LocalWorkers):
    """All shards in this process; a single one in this thread."""

    def __init__(self, plan: ShardingPlan) -> None:
        super().__init__(plan)
        self.arrays = {
            name: aligned_zeros(shape, dtype) for name, (shape, dtype) in plan.arrays().items()
        }
        shards = plan.shards_of(plan.rank)
        self._shards = [Shard(plan, index, self.arrays) for index in shards]
        self._pool = ThreadPoolExecutor(len(shards)) if len(shards) > 1 else None

    def _call_all(self, method: str, *arguments: Any) -> list[Any]:
        if self._pool is None:
            return self._call_first(method, *arguments)
        return list(self._pool.map(lambda shard: getattr(shard, method)(*arguments), self._shards))

    def _call_first(self, method: str, *arguments: Any) -> list[Any]:
        return [getattr(self._shards[0], method)(*arguments)]

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()
