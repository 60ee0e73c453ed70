"""One share of a training: some columns of the batch, with a workspace and a gradient of their own.

A shard works on arrays that it has in common with the shards of its rank. It does not know whether
those live in other threads or in other processes, nor how a rank gets what it needs of others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from charrnn.nn.network import Network, NetworkConfig
from charrnn.nn.parameters import Parameters
from charrnn.optim.optimizers import OPTIMIZERS, Optimizer
from charrnn.registries import BETA1
from charrnn.training.parallel.pairwise import Addition, additions, additions_among, rows_left
from charrnn.types import Array, IdArray

UPDATE_BLOCK = 32768
"""Weights that are updated at a time: the few vectors of this length stay in the cache."""
SHARED_BLOCKS = 8
"""From this many blocks of weights on, the shards share out their update."""


@dataclass(frozen=True)
class ShardingPlan:
    """How windows of T steps in B streams are shared out among `shards` ≤ B shards, and the shards
    among ranks: processes that have no memory in common. Usually there is one rank.

    A rank has a part of the weights, and the optimizer's moments of that part alone: it gets that
    part of the gradients of all shards, and the others get its new weights.
    """

    config: NetworkConfig
    dtype: str
    steps: int
    batch: int
    shards: int
    optimizer: str
    """A name in `charrnn.optim.optimizers.OPTIMIZERS`."""
    weight_decay: float = 0.0
    beta1: float = BETA1
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed: int = 0
    """Of the dropout masks."""
    ranks: int = 1
    rank: int = 0
    """The rank whose arrays these are, below `ranks`."""
    local: bool = False
    """Whether several ranks take steps of their own, on all weights, by the gradients of their own
    streams (local SGD). Without ranks it changes nothing."""
    clip: float = 0.0
    """The norm to which a rank clips its gradient in local steps; 0 for none."""
    compress: bool = False
    """Whether ranks send each other gradients in 16 bits, and each of them updates all weights."""
    first_shard: int = 0
    """The number of the first shard among those of all ranks."""

    @property
    def optimizer_type(self) -> type[Optimizer]:
        return OPTIMIZERS[self.optimizer]

    @cached_property
    def parts(self) -> int:
        """Parts in which gradients are summed and weights updated, a shard each: 1 for a small
        network, which the first shard updates alone."""
        return self.shards if self.config.size >= SHARED_BLOCKS * UPDATE_BLOCK else 1

    def arrays(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Name, shape and type of the arrays that the shards of this rank have in common.

        Of the moments, only the part of this rank is used; the system gives memory to what is used.
        """
        P, config, columns = self.config.size, self.config, self.rank_columns(self.rank)
        streams = columns.stop - columns.start
        state = (config.layers, config.state_arrays, config.hidden_size, streams)
        window = (self.steps, streams)
        span = self.span(self.rank)
        return {
            "weights": ((P,), self.dtype),
            "moments": ((len(self.optimizer_type.state_names), P), self.dtype),
            "gradients": ((len(self.shards_of(self.rank)), P), self.dtype),
            "received": (
                (len(self.sent_rows) * (self.ranks > 1), span.stop - span.start),
                self.dtype,
            ),
            "state": (state, self.dtype),
            "ids": (window, "intp"),
            "targets": (window, "intp"),
        }

    def of_rank(self, rank: int) -> "ShardingPlan":
        """The same plan for another rank."""
        return replace(self, rank=rank)

    def apart(self) -> "ShardingPlan":
        """The streams and shards of this rank, as a plan of their own."""
        shards, columns = self.shards_of(self.rank), self.rank_columns(self.rank)
        return replace(
            self,
            batch=columns.stop - columns.start,
            shards=len(shards),
            ranks=1,
            rank=0,
            first_shard=shards.start,
        )

    def shards_of(self, rank: int) -> range:
        """The shards of a rank."""
        return range(self.shards * rank // self.ranks, self.shards * (rank + 1) // self.ranks)

    def columns(self, index: int) -> slice:
        """The streams of a shard."""
        return slice(self.batch * index // self.shards, self.batch * (index + 1) // self.shards)

    def rank_columns(self, rank: int) -> slice:
        """The streams of a rank."""
        shards = self.shards_of(rank)
        return slice(self.columns(shards.start).start, self.columns(shards.stop - 1).stop)

    def blocks(self, part: int) -> list[slice]:
        """One of the `parts` of the weights, in blocks; none for a number that is no part."""
        return self._shared_blocks(part, self.parts)

    def _shared_blocks(self, part: int, parts: int) -> list[slice]:
        size = self.config.size
        starts = range(0, size, UPDATE_BLOCK)
        part_of = slice(len(starts) * part // parts, len(starts) * (part + 1) // parts)
        return [slice(a, min(a + UPDATE_BLOCK, size)) for a in starts[part_of]]

    def span(self, rank: int) -> slice:
        """The weights that a rank updates: the parts of its shards."""
        blocks = [block for shard in self.shards_of(rank) for block in self.blocks(shard)]
        return slice(blocks[0].start, blocks[-1].stop) if blocks else slice(0, 0)

    def blocks_to_update(self, index: int) -> list[slice]:
        """The weights that a shard updates."""
        return self.blocks_to_add(index) if self.compress else self.blocks(index)

    def blocks_to_add(self, index: int) -> list[slice]:
        """The share of a shard in adding up the gradients of its rank: all weights, shared out
        among the shards of the rank if those of all ranks share out the update."""
        shards = self.shards_of(self.rank)
        place = index - shards.start
        return self._shared_blocks(place, len(shards) if self.parts > 1 else 1)

    @cached_property
    def own_additions(self) -> list[Addition]:
        """The additions of gradients that need no shard of another rank."""
        return additions_among(self.shards, self.shards_of(self.rank))

    @cached_property
    def last_additions(self) -> list[Addition]:
        """The additions of gradients that are left when each rank has added up its own."""
        own = [self.shards_of(rank) for rank in range(self.ranks)] if self.ranks > 1 else []
        done = {each for shards in own for each in additions_among(self.shards, shards)}
        return [each for each in additions(self.shards) if each not in done]

    @cached_property
    def sent_rows(self) -> list[int]:
        """The shards whose rows of gradients go from rank to rank, of all ranks in their order."""
        return [row for rank in range(self.ranks) for row in self.sent_rows_of(rank)]

    def sent_rows_of(self, rank: int) -> list[int]:
        """Those of one rank: what is left when it has added up its own."""
        return rows_left(self.shards, self.shards_of(rank))


class Shard:
    """The shard `index` of a plan, on the arrays that `ShardingPlan.arrays` names."""

    def __init__(self, plan: ShardingPlan, index: int, arrays: Mapping[str, Any]) -> None:
        self._plan, self._index = plan, index
        first = plan.shards_of(plan.rank).start
        before, columns = plan.rank_columns(plan.rank).start, plan.columns(index)
        columns = slice(columns.start - before, columns.stop - before)
        network = Network.from_weights(plan.config, arrays["weights"])
        self._weights = arrays["weights"]
        self._gradients, self._received = arrays["gradients"], arrays["received"]
        self._gradient = Parameters(plan.config.shapes(), flat=self._gradients[index - first])
        self._state = arrays["state"][..., columns]
        self._ids: IdArray = arrays["ids"][:, columns]
        self._targets: IdArray = arrays["targets"][:, columns]
        self._workspace = network.workspace(
            plan.steps,
            columns.stop - columns.start,
            training=True,
            dropout=plan.dropout,
            recurrent_dropout=plan.recurrent_dropout,
        )
        self._scale = 1.0 / (plan.steps * plan.batch)
        self._optimizer = plan.optimizer_type(
            self._weights,
            arrays["moments"],
            weight_decay=plan.weight_decay,
            beta1=plan.beta1,
        )
        self._scratch = np.empty(UPDATE_BLOCK, self._weights.dtype)

    def compute_gradient(self, step: int) -> float:
        """The sum of the losses (nats) of the window in `ids` and `targets`; its part of the mean's
        gradient is in this shard's row of `gradients` afterwards.

        The dropout masks depend on the seed, the step and the shard alone, so that a resumed
        training draws the same ones.
        """
        if self._plan.dropout or self._plan.recurrent_dropout:
            seeds = [self._plan.seed, step, self._plan.first_shard + self._index]
            self._workspace.draw_dropout_masks(np.random.Generator(np.random.SFC64(seeds)))
        losses = self._workspace.losses(self._ids, self._targets)
        total = float(losses.sum(dtype=np.float64))
        self._workspace.backward(self._gradient, self._scale)
        return total

    def add_own_gradients(self) -> None:
        """Add up this shard's share of the rows of `gradients`, as far as no other rank is needed
        for it."""
        plan = self._plan
        first = plan.shards_of(plan.rank).start
        for block in plan.blocks_to_add(self._index):
            for i, j in plan.own_additions:
                self._gradients[i - first][block] += self._gradients[j - first][block]

    def sum_gradients(self) -> float:
        """Sum this shard's part of the weights over the rows of all shards into the first row of
        `gradients`; the square of that part's norm.

        With several ranks, what is left of their rows is in `received`.
        """
        squares = 0.0
        for block in self._plan.blocks(self._index):
            rows = self._rows(block)
            for i, j in self._plan.last_additions:
                rows[i] += rows[j]
            total = self._gradients[0][block]
            if self._plan.ranks > 1:
                total[:] = rows[0]
            squares += float(np.dot(total, total))
        return squares

    def _rows(self, block: slice) -> dict[int, Array]:
        """The gradients of a block of the weights, by their shard."""
        plan = self._plan
        if plan.ranks == 1:
            return {index: row[block] for index, row in enumerate(self._gradients)}
        start = plan.span(plan.rank).start
        block = slice(block.start - start, block.stop - start)
        return {row: x[block] for row, x in zip(plan.sent_rows, self._received, strict=True)}

    def update(self, count: int, learning_rate: float, scale: float, limit: float) -> None:
        """The optimizer's step number `count` ≥ 1 on this shard's part of the weights, along
        scale · gradient, each number of it clipped to ± `limit` if that is not 0."""
        gradient, optimizer = self._gradients[0], self._optimizer
        for block in self._plan.blocks_to_update(self._index):
            gradient[block] *= scale
            if limit:
                np.clip(gradient[block], -limit, limit, out=gradient[block])
            optimizer.update(count, self._weights, gradient, learning_rate, block, self._scratch)

    def store_state(self) -> None:
        """Write the state that the streams carry into the common array."""
        self._state[:] = self._workspace.state

    def load_state(self) -> None:
        """Go on from the state in the common array."""
        self._workspace.state = self._state
