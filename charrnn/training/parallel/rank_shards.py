"""The shards of one rank, and how it gets what it needs of the others.

All ranks run the same commands at the same time. Rank 0 says which, by a header of numbers; each
rank answers with numbers. An error of a rank does not keep it from its part in the messages: it
says so in its next answer.

What they send each other in a step is the matter of `charrnn.training.parallel.exchange`.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from charrnn.nn.network import Network
from charrnn.nn.reading import map_in_threads, sum_losses
from charrnn.text.batches import Batches
from charrnn.text.streams import Streams
from charrnn.training.parallel.exchange import Averaging, EveryStep, Exchange, Rounded
from charrnn.training.parallel.shard import ShardingPlan
from charrnn.training.parallel.sharded import start_workers
from charrnn.training.parallel.world import World
from charrnn.types import Array, IdArray

Numbers = NDArray[np.float64]
HEADER = 6
"""Numbers of a command: which one, and its arguments."""
COMMANDS = (
    "end", "tell_error", "start", "close", "load_text", "compute_gradient", "update",
    "synchronize", "load_weights", "store_moments", "load_moments", "store_state", "load_state",
    "sum_losses",
)  # fmt: skip
"""Methods of `RankShards`, but for the first one, which ends the rank."""
UNANSWERED = ("update", "synchronize", "tell_error")
"""Commands that are known to be done without an answer: those after them wait for them."""
Excerpts = list[tuple[IdArray, Streams]]
Result = TypeVar("Result")


class RankShards:
    """The shards of this rank. Every method is a command, which all ranks run at once; some get
    from rank 0 what the others do not have."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.error: Exception | None = None
        """The first one, after which nothing else is tried."""
        self._plan: ShardingPlan | None = None
        self._squares: list[float] = []

    def run(self, command: str, *arguments: Any) -> Numbers | None:
        """Run a command; at rank 0, the answers of all ranks, (R, 1 + N). The first number of an
        answer says whether there was an error."""
        values = getattr(self, command)(*arguments)
        if command in UNANSWERED:
            return None
        answer = np.zeros(1 + self._answers)
        answer[1 : 1 + len(values or [])] = values or []
        answer[0] = self.error is not None
        return self._world.gather_numbers(answer)

    @property
    def _answers(self) -> int:
        """The most numbers of an answer: a loss and a norm for each shard."""
        return 0 if self._plan is None else 2 * -(-self._plan.shards // self._plan.ranks)

    def _try(self, work: Callable[..., Result], *arguments: Any) -> Result | None:
        """The result; None after an error, here or before."""
        if self.error is None:
            try:
                return work(*arguments)
            except Exception as error:
                self.error = error
        return None

    def tell_error(self) -> list[str] | None:
        """What went wrong at each rank, at rank 0; "" for nothing."""
        error = self.error
        text = "" if error is None else str(error) or type(error).__name__
        return self._world.gather_objects(text)

    def start(self, plan: ShardingPlan | None = None) -> None:
        """Start the workers of this rank, by the plan of rank 0."""
        self._plan = self._world.send_object(plan).of_rank(self._world.rank)
        self._try(self._start, self._plan)

    def _start(self, plan: ShardingPlan) -> None:
        self.workers = start_workers(plan.apart() if plan.local else plan)
        arrays = self.workers.arrays
        kind = Averaging if plan.local else Rounded if plan.compress else EveryStep
        self._exchange: Exchange = kind(self._world, plan, arrays)
        self._network = Network.from_weights(plan.config, arrays["weights"])
        self._columns = plan.rank_columns(plan.rank)

    def close(self) -> None:
        """End the workers."""
        if hasattr(self, "workers"):
            self.workers.close()

    def load_text(self, batches: Batches | None = None) -> None:
        """Keep the streams of this rank, one after the other."""
        world, plan = self._world, self._plan
        assert plan is not None
        if batches is None:
            size, dtype = world.scatter_objects(None)
            ids = np.empty(size, dtype)
            world.receive(ids)
        else:
            length = (len(batches.ids) - 1) // batches.batch
            parts = []
            for rank in range(plan.ranks):
                columns = plan.rank_columns(rank)
                parts.append(batches.ids[columns.start * length : columns.stop * length + 1])
            world.scatter_objects([(len(part), part.dtype) for part in parts])
            for rank, part in enumerate(parts[1:], start=1):
                world.send_to(rank, part)
            ids = parts[0]
        streams = self._columns.stop - self._columns.start
        self.workers.load_text(Batches(ids, streams, plan.steps))

    def compute_gradient(self, window: float, step: float) -> list[float]:
        """The gradient of a window, summed; the losses (nats) of this rank's shards, and the
        squared norms of its parts of the gradient."""
        losses = self._try(self._compute_gradient, int(window), int(step))
        self._exchange.send_gradients()
        squares = self._try(self.workers.sum_gradients)
        if losses is None or squares is None:
            return []
        self._squares = squares
        rest = [0.0] * (len(losses) - len(squares))  # a small network is updated by one shard
        return losses + squares + rest

    def _compute_gradient(self, window: int, step: int) -> list[float]:
        self.workers.load_window(window)
        losses = self.workers.compute_gradient(step)
        self.workers.add_own_gradients()
        return losses

    def update(self, count: float, learning_rate: float, scale: float, limit: float) -> None:
        """The optimizer's step on the weights that this rank updates."""
        scale = self._exchange.scale(scale, self._squares)
        self._exchange.send_sums()
        self._try(self.workers.update, int(count), learning_rate, scale, limit)
        self._exchange.send_weights()

    def synchronize(self) -> None:
        """Give all ranks the same weights and moments again."""
        self._exchange.synchronize()

    def load_weights(self) -> None:
        """Go on from the weights of rank 0."""
        self._world.send_numbers(self.workers.arrays["weights"])

    def store_moments(self) -> None:
        """Bring the moments to rank 0."""
        self._exchange.store_moments()

    def load_moments(self) -> None:
        """Go on from the moments of rank 0."""
        self._exchange.load_moments()

    def store_state(self, whole: Array | None = None) -> None:
        """Bring the state of all streams to rank 0, into `whole` (L, 1 + S, H, B)."""
        self._try(self.workers.store_state)
        states = self._world.gather_objects(self.workers.arrays["state"])
        if states is not None and whole is not None:
            np.concatenate(states, axis=-1, out=whole)

    def load_state(self, whole: Array | None = None) -> None:
        """Go on from the state of all streams that rank 0 has."""
        plan = self._plan
        assert plan is not None
        parts = None
        if whole is not None:
            parts = [whole[..., plan.rank_columns(rank)] for rank in range(plan.ranks)]
        self.workers.arrays["state"][:] = self._world.scatter_objects(parts)
        self._try(self.workers.load_state)

    def sum_losses(
        self, kind: float, excerpts: list[Excerpts] | None = None, weights: Array | None = None
    ) -> list[float] | None:
        """The losses (nats) of excerpts of a text, each in all: by the weights of the training
        (kind 0), by other ones of rank 0 (1), or by the same other ones as before (2)."""
        assert self._plan is not None
        own = self._world.scatter_objects(excerpts)
        if kind == 1:
            # a copy: rank 0 may change them before they are used again
            others = np.empty_like(self.workers.arrays["weights"])
            if weights is not None:
                others[:] = weights
            self._world.send_numbers(others)
            self._other = Network.from_weights(self._plan.config, others)
        network = self._other if kind else self._network
        return self._try(
            map_in_threads, lambda each: sum_losses(network, *each), own, max(1, len(own))
        )


def serve(world: World) -> None:
    """The work of a rank other than 0: the commands of rank 0, until it ends."""
    shards = RankShards(world)
    while True:
        header = np.zeros(HEADER)
        world.send_numbers(header)
        command, count = COMMANDS[int(header[0])], int(header[1])
        if command == "end":
            return
        shards.run(command, *header[2 : 2 + count].tolist())
