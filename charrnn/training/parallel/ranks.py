"""Shards in processes that mpiexec has started, on one machine or several: what rank 0 has of it.

Rank r has the shards of its number in `ShardingPlan.shards_of`, in workers of its own. The result
is the same to the bit as that of the same number of shards in one process.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import CharRNNError
from charrnn.nn.network import Network
from charrnn.text.batches import Batches
from charrnn.text.streams import Streams
from charrnn.training.parallel.rank_shards import COMMANDS, HEADER, RankShards
from charrnn.training.parallel.shard import ShardingPlan
from charrnn.training.parallel.workers import Workers
from charrnn.training.parallel.world import World
from charrnn.types import IdArray


class Ranks(Workers):
    """The shards of all ranks, commanded by this one, rank 0."""

    def __init__(self, world: World, plan: ShardingPlan) -> None:
        several = world.size > 1
        super().__init__(
            replace(
                plan,
                ranks=world.size,
                local=plan.local and several,
                compress=plan.compress and several,
            )
        )
        self._world = world
        self._own = RankShards(world)
        self._window = 0
        self._squares: list[float] = []
        self._evaluated: Network | None = None
        try:
            self._command("start", given=(self._plan,))
        except BaseException:
            self.close()
            raise
        own = self._own.workers.arrays
        state = (*own["state"].shape[:-1], plan.batch)
        self.arrays = own | {"state": np.zeros(state, plan.dtype)}

    def load_text(self, batches: Batches) -> None:
        self._command("load_text", given=(batches,))

    def load_window(self, index: int) -> None:
        self._window = index

    def compute_gradient(self, step: int) -> list[float]:
        answers = self._command("compute_gradient", self._window, step)
        pairs = [np.split(answers[rank, : 2 * n], 2) for rank, n in enumerate(self._counts)]
        # of local steps, each with a gradient of its own: the mean of the squares
        count = self._plan.ranks if self._plan.local else 1
        self._squares = [x / count for _, squares in pairs for x in squares.tolist()]
        return [x for losses, _ in pairs for x in losses.tolist()]

    @property
    def _counts(self) -> list[int]:
        """The number of shards of each rank."""
        return [len(self._plan.shards_of(rank)) for rank in range(self._plan.ranks)]

    def sum_gradients(self) -> list[float]:
        return self._squares  # they are summed with the gradient: a message less

    def update(self, count: int, learning_rate: float, scale: float, limit: float) -> None:
        self._command("update", count, learning_rate, scale, limit)
        self.is_synchronized = not self._plan.local

    def synchronize(self) -> None:
        if not self.is_synchronized:
            self._command("synchronize")
            self.is_synchronized = True

    def load_weights(self) -> None:
        self._command("load_weights")
        self.is_synchronized = True

    def store_moments(self) -> None:
        self._command("store_moments")

    def load_moments(self) -> None:
        self._command("load_moments")

    def store_state(self) -> None:
        self._command("store_state", given=(self.arrays["state"],))

    def load_state(self) -> None:
        self._command("load_state", given=(self.arrays["state"],))

    def sum_losses(self, network: Network, text: IdArray, groups: Sequence[Streams]) -> list[float]:
        excerpts = [group.excerpt(text) for group in groups]
        count, R = len(groups), self._plan.ranks
        parts = [excerpts[count * r // R : count * (r + 1) // R] for r in range(R)]
        weights = network.parameters.flat
        kind = 0 if weights is self.arrays["weights"] else 2 if network is self._evaluated else 1
        if kind:
            self._evaluated = network
        answers = self._command("sum_losses", kind, given=(parts, weights))
        return [x for rank, part in enumerate(parts) for x in answers[rank, : len(part)].tolist()]

    def close(self) -> None:
        if not self._world.is_talking:  # as after an interruption
            self._command("close")

    def _command(self, name: str, *numbers: float, given: tuple[Any, ...] = ()) -> NDArray[Any]:
        """All ranks run a command; rank 0 is also `given` what the others get from it. The answers
        of all ranks, (R, N). Raises CharRNNError for an error of another rank."""
        self._world.is_talking = True
        send_command(self._world, name, *numbers)
        answers = self._own.run(name, *numbers, *given)
        self._world.is_talking = False
        if answers is None:
            return np.zeros((self._plan.ranks, 0))
        if answers[:, 0].any() and name != "close":
            self._raise()
        return answers[:, 1:]

    def _raise(self) -> None:
        """Raise the error of this rank, or of the first other one that has one."""
        send_command(self._world, "tell_error")
        texts = self._own.tell_error() or []
        if self._own.error is not None:
            raise self._own.error
        rank = next(rank for rank, text in enumerate(texts) if text)
        raise CharRNNError(f"rank {rank}: {texts[rank]}")


def send_command(world: World, name: str, *numbers: float) -> None:
    """Tell the other ranks what to run."""
    header = np.zeros(HEADER)
    header[: 2 + len(numbers)] = [COMMANDS.index(name), len(numbers), *numbers]
    world.send_numbers(header)
