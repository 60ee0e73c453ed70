"""One share of a training: some columns of the batch, with a workspace and a gradient of their own.

A shard works on arrays that the shards of a training have in common. It does not know whether the
others live in other threads or in other processes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from charrnn.nn.network import Network, NetworkConfig
from charrnn.nn.parameters import Parameters
from charrnn.optim.optimizers import OPTIMIZERS, Optimizer
from charrnn.types import IdArray

UPDATE_BLOCK = 32768
"""Weights that are updated at a time: the few vectors of this length stay in the cache."""
SHARED_BLOCKS = 8
"""From this many blocks of weights on, the shards share out their update."""


@dataclass(frozen=True)
class ShardingPlan:
    """How windows of T steps in B streams are shared out among `shards` ≤ B shards."""

    config: NetworkConfig
    dtype: str
    steps: int
    batch: int
    shards: int
    optimizer: str
    """A name in `charrnn.optim.optimizers.OPTIMIZERS`."""
    weight_decay: float = 0.0
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed: int = 0
    """Of the dropout masks."""

    @property
    def optimizer_type(self) -> type[Optimizer]:
        return OPTIMIZERS[self.optimizer]

    @cached_property
    def parts(self) -> int:
        """Parts in which gradients are summed and weights updated, a shard each: 1 for a small
        network, which the first shard updates alone."""
        return self.shards if self.config.size >= SHARED_BLOCKS * UPDATE_BLOCK else 1

    def arrays(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Name, shape and type of the arrays that the shards have in common."""
        P, config = self.config.size, self.config
        state = (config.layers, config.state_arrays, config.hidden_size, self.batch)
        window = (self.steps, self.batch)
        return {
            "weights": ((P,), self.dtype),
            "moments": ((len(self.optimizer_type.state_names), P), self.dtype),
            "gradients": ((self.shards, P), self.dtype),
            "state": (state, self.dtype),
            "ids": (window, "intp"),
            "targets": (window, "intp"),
        }

    def columns(self, index: int) -> slice:
        """The streams of a shard."""
        return slice(self.batch * index // self.shards, self.batch * (index + 1) // self.shards)

    def blocks(self, part: int) -> list[slice]:
        """One of the `parts` of the weights, in blocks."""
        size, parts = self.config.size, self.parts
        starts = range(0, size, UPDATE_BLOCK)
        part_of = slice(len(starts) * part // parts, len(starts) * (part + 1) // parts)
        return [slice(a, min(a + UPDATE_BLOCK, size)) for a in starts[part_of]]


class Shard:
    """The shard `index` of a plan, on the arrays that `ShardingPlan.arrays` names."""

    def __init__(self, plan: ShardingPlan, index: int, arrays: Mapping[str, Any]) -> None:
        self._plan, self._index = plan, index
        columns = plan.columns(index)
        network = Network.from_weights(plan.config, arrays["weights"])
        self._weights = arrays["weights"]
        self._gradients = arrays["gradients"]
        self._gradient = Parameters(plan.config.shapes(), flat=self._gradients[index])
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
            self._weights, arrays["moments"], weight_decay=plan.weight_decay
        )
        self._scratch = np.empty(UPDATE_BLOCK, self._weights.dtype)

    def compute_gradient(self, step: int) -> float:
        """The sum of the losses (nats) of the window in `ids` and `targets`; its part of the mean's
        gradient is in this shard's row of `gradients` afterwards.

        The dropout masks depend on the seed, the step and the shard alone, so that a resumed
        training draws the same ones.
        """
        if self._plan.dropout or self._plan.recurrent_dropout:
            seeds = [self._plan.seed, step, self._index]
            self._workspace.draw_dropout_masks(np.random.Generator(np.random.SFC64(seeds)))
        losses = self._workspace.losses(self._ids, self._targets)
        total = float(losses.sum(dtype=np.float64))
        self._workspace.backward(self._gradient, self._scale)
        return total

    def sum_gradients(self) -> float:
        """Sum this shard's part of the weights over all rows of `gradients` into the first row; the
        square of that part's norm."""
        first, *others = self._gradients
        squares = 0.0
        for block in self._plan.blocks(self._index):
            for other in others:
                first[block] += other[block]
            squares += float(np.dot(first[block], first[block]))
        return squares

    def update(self, count: int, learning_rate: float, scale: float, limit: float) -> None:
        """The optimizer's step number `count` ≥ 1 on this shard's part of the weights, along
        scale · gradient, each number of it clipped to ± `limit` if that is not 0."""
        gradient, optimizer = self._gradients[0], self._optimizer
        for block in self._plan.blocks(self._index):
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
