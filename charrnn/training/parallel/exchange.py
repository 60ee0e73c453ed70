"""What the ranks of a training send each other in its steps, so that all learn the same network.

Here R are the ranks, P the weights, M the state arrays of the optimizer. An exchange works on the
arrays of a rank that `ShardingPlan.arrays` names. All ranks call the same method at once.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np

from charrnn.optim.clipping import clip_scale
from charrnn.training.parallel.bfloat16 import from_bfloat16, round_to_bfloat16
from charrnn.training.parallel.shard import ShardingPlan
from charrnn.training.parallel.world import World
from charrnn.types import Array


class Exchange(ABC):
    """How ranks take their steps together."""

    def __init__(self, world: World, plan: ShardingPlan, arrays: Mapping[str, Array]) -> None:
        """`plan` is that of this rank, of which `arrays` are."""
        self._world, self._plan, self._arrays = world, plan, arrays

    @abstractmethod
    def send_gradients(self) -> None:
        """After the gradient of each rank's own streams: what the others need of it."""

    def scale(self, scale: float, squares: Sequence[float]) -> float:
        """What clipping multiplies this rank's gradient by: `scale`, which rank 0 gives, unless the
        rank decides by the `squares` of the norms of its parts."""
        return scale

    def send_sums(self) -> None:
        """Before the optimizer's step: what the others need of the gradients that a rank has added
        up."""
        return  # nothing, where each rank updates what it has added up

    @abstractmethod
    def send_weights(self) -> None:
        """After the optimizer's step of each rank: what the others need of its weights."""

    def store_moments(self) -> None:
        """Bring the moments to rank 0."""
        return  # which has them, as every rank has

    def load_moments(self) -> None:
        """Go on from the moments of rank 0."""
        for moments in self._arrays["moments"]:
            self._world.send_numbers(moments)

    def synchronize(self) -> None:
        """Make the weights and moments of all ranks the same, where they are not."""
        return  # they always are


class EveryStep(Exchange):
    """All ranks take one step, by the gradient of all streams.

    Each rank sends to each other one that one's part of its gradient (P/R numbers), adds up what it
    gets in the order of `charrnn.training.parallel.pairwise`, updates its part of the weights, and
    sends that to the others. So each rank sends and receives 2·P·(R − 1)/R numbers a step, as in a
    ring all-reduce, and the optimizer's work and moments are divided by R.
    """

    def __init__(self, world: World, plan: ShardingPlan, arrays: Mapping[str, Array]) -> None:
        super().__init__(world, plan, arrays)
        self._spans = [plan.span(rank) for rank in range(plan.ranks)]

    def send_gradients(self) -> None:
        plan, gradients = self._plan, self._arrays["gradients"]
        if plan.ranks == 1:
            return
        sent = [plan.sent_rows_of(rank) for rank in range(plan.ranks)]
        first = plan.shards_of(plan.rank).start
        for turn in range(max(map(len, sent))):
            places = [
                plan.sent_rows.index(rows[turn]) if turn < len(rows) else None for rows in sent
            ]
            row = sent[plan.rank][turn] - first if turn < len(sent[plan.rank]) else 0
            self._send_row(gradients[row], places)

    def _send_row(self, row: Array, places: Sequence[int | None]) -> None:
        """Send the parts of a gradient (P,), and receive those of the others."""
        self._world.exchange(row, self._spans, self._arrays["received"], places)

    def send_weights(self) -> None:
        self._world.share(self._arrays["weights"], self._spans)

    def store_moments(self) -> None:
        for moments in self._arrays["moments"]:
            self._world.collect(moments, self._spans)

    def load_moments(self) -> None:
        for moments in self._arrays["moments"]:
            self._world.distribute(moments, self._spans)


class Rounded(EveryStep):
    """The same with all messages in bfloat16, so that they take half the bytes.

    The gradients of the ranks are rounded, added up in full, and their sums are rounded once more
    and sent to all. Each rank updates all weights, which are never rounded, so that they are the
    same everywhere: the work and memory of the optimizer are not divided. Nothing is remembered
    from step to step, so that a resumed training goes on exactly. Memory: P numbers more.
    """

    def __init__(self, world: World, plan: ShardingPlan, arrays: Mapping[str, Array]) -> None:
        super().__init__(world, plan, arrays)
        self._halves = np.empty(plan.config.size, np.uint16)
        self._received = np.empty(arrays["received"].shape, np.uint16)

    def send_gradients(self) -> None:
        super().send_gradients()
        for halves, numbers in zip(self._received, self._arrays["received"], strict=True):
            from_bfloat16(halves, numbers)

    def _send_row(self, row: Array, places: Sequence[int | None]) -> None:
        round_to_bfloat16(row, self._halves)
        self._world.exchange(self._halves, self._spans, self._received, places)

    def send_sums(self) -> None:
        total, own = self._arrays["gradients"][0], self._spans[self._plan.rank]
        round_to_bfloat16(total[own], self._halves[own])
        self._world.share(self._halves, self._spans)
        from_bfloat16(self._halves, total)

    def send_weights(self) -> None:
        pass  # all ranks have made the same step

    def store_moments(self) -> None:
        Exchange.store_moments(self)  # all ranks have the moments of all weights

    def load_moments(self) -> None:
        Exchange.load_moments(self)


class Averaging(Exchange):
    """Ranks take steps of their own, by the gradients of their own streams; from time to time the
    weights and moments of all are averaged (local SGD, Stich 2019). As in federated averaging
    (McMahan et al. 2017), a rank counts by its share of the streams:

    w = Σ_r B_r/B · w_r, and so for each of the moments

    Each rank gets a P/R part of the weights and moments of all, averages it in the order of the
    ranks, and sends it to the others: 2·(1 + M)·P·(R − 1)/R numbers each time. Memory: P numbers.
    """

    def __init__(self, world: World, plan: ShardingPlan, arrays: Mapping[str, Array]) -> None:
        super().__init__(world, plan, arrays)
        R, P = plan.ranks, plan.config.size
        self._spans = [slice(P * r // R, P * (r + 1) // R) for r in range(R)]
        own = self._spans[plan.rank]
        self._received = np.empty((R, own.stop - own.start), plan.dtype)

    def send_gradients(self) -> None:
        pass

    def scale(self, scale: float, squares: Sequence[float]) -> float:
        return clip_scale(math.sqrt(math.fsum(squares)), self._plan.clip)

    def send_weights(self) -> None:
        pass

    def synchronize(self) -> None:
        for vector in (self._arrays["weights"], *self._arrays["moments"]):
            self._average(vector)

    def _average(self, vector: Array) -> None:
        """Put the mean over the ranks in the place of a vector (P,)."""
        plan, received = self._plan, self._received
        self._world.exchange(vector, self._spans, received, range(plan.ranks))
        total = vector[self._spans[plan.rank]]
        total[:] = 0
        for rank, part in enumerate(received):
            columns = plan.rank_columns(rank)
            part *= (columns.stop - columns.start) / plan.batch
            total += part
        self._world.share(vector, self._spans)
