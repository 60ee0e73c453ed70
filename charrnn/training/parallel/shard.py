"""One share of a training: some columns of the batch, with a workspace and a gradient of their own.

A shard works on arrays that the shards of a training have in common. It does not know whether the
others live in other threads or in other processes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from charrnn.nn.network import Network, NetworkConfig
from charrnn.nn.parameters import Parameters
from charrnn.optim.optimizers import Optimizer
from charrnn.types import IdArray

BLOCK = 32768
"""Weights that are updated at a time: the few vectors of this length stay in the cache."""


@dataclass(frozen=True)
class Plan:
    """How windows of T steps in B streams are shared out among `shards` ≤ B shards."""

    config: NetworkConfig
    dtype: str
    steps: int
    batch: int
    shards: int
    block: int
    optimizer: type[Optimizer]
    weight_decay: float
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed: int = 0
    """Of the masks that dropout draws."""

    def arrays(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Name, shape and type of the arrays that the shards have in common."""
        P, config = self.config.size, self.config
        state = (config.layers, config.state_arrays, config.hidden_size, self.batch)
        window = (self.steps, self.batch)
        return {
            "weights": ((P,), self.dtype),
            "moments": ((len(self.optimizer.state_names), P), self.dtype),
            "gradients": ((self.shards, P), self.dtype),
            "state": (state, self.dtype),
            "ids": (window, "intp"),
            "targets": (window, "intp"),
        }

    def columns(self, index: int) -> slice:
        """The streams of a shard."""
        return slice(self.batch * index // self.shards, self.batch * (index + 1) // self.shards)

    def blocks(self, part: int, parts: int) -> list[slice]:
        """One of `parts` parts of the weights, in blocks."""
        size = self.config.size
        starts = range(0, size, self.block)
        part_of = slice(len(starts) * part // parts, len(starts) * (part + 1) // parts)
        return [slice(a, min(a + self.block, size)) for a in starts[part_of]]


class Shard:
    """The shard `index` of a plan, on the arrays that `Plan.arrays` names."""

    def __init__(self, plan: Plan, index: int, arrays: Mapping[str, Any]) -> None:
        self._plan, self._index = plan, index
        self._columns = plan.columns(index)
        network = Network.from_weights(plan.config, arrays["weights"])
        self._weights = arrays["weights"]
        self._gradients = arrays["gradients"]
        self._gradient = Parameters(plan.config.shapes(), flat=self._gradients[index])
        self._state = arrays["state"][..., self._columns]
        self._ids: IdArray = arrays["ids"][:, self._columns]
        self._targets: IdArray = arrays["targets"][:, self._columns]
        streams = self._columns.stop - self._columns.start
        self._workspace = network.workspace(
            plan.steps,
            streams,
            training=True,
            dropout=plan.dropout,
            recurrent_dropout=plan.recurrent_dropout,
        )
        self._scale = 1.0 / (plan.steps * plan.batch)
        self._optimizer = plan.optimizer(
            self._weights, arrays["moments"], weight_decay=plan.weight_decay
        )
        self._scratch = np.empty(plan.block, self._weights.dtype)

    def compute_gradient(self, step: int) -> float:
        """The sum of the losses (nats) of the window in `ids` and `targets`; its part of the mean's
        gradient is in this shard's row of `gradients` afterwards.

        What dropout leaves out depends on the seed, the step and the shard alone, so that a
        training that goes on needs to remember nothing of it.
        """
        if self._plan.dropout or self._plan.recurrent_dropout:
            seeds = [self._plan.seed, step, self._index]
            self._workspace.draw_dropout_masks(np.random.Generator(np.random.SFC64(seeds)))
        losses = self._workspace.losses(self._ids, self._targets)
        total = float(losses.sum(dtype=np.float64))
        self._workspace.backward(self._gradient, self._scale)
        return total

    def sum_gradients(self, parts: int) -> float:
        """Sum this shard's part of the weights over all rows of `gradients` into the first; the
        square of that part's norm."""
        first, *others = self._gradients
        squares = 0.0
        for block in self._plan.blocks(self._index, parts):
            for other in others:
                first[block] += other[block]
            squares += float(np.dot(first[block], first[block]))
        return squares

    def update(
        self, parts: int, step: int, learning_rate: float, scale: float, limit: float
    ) -> None:
        """The optimizer's step on this shard's part of the weights, along scale · gradient, each
        number of it clipped to ± `limit` if that is not 0."""
        gradient, optimizer = self._gradients[0], self._optimizer
        optimizer.steps = step
        for block in self._plan.blocks(self._index, parts):
            gradient[block] *= scale
            if limit:
                np.clip(gradient[block], -limit, limit, out=gradient[block])
            optimizer.update(self._weights, gradient, learning_rate, block, self._scratch)

    def give_state(self) -> None:
        """Write the state that the streams carry into `state`."""
        self._state[:] = self._workspace.state

    def take_state(self) -> None:
        """Go on from what `state` says."""
        self._workspace.state = self._state

    def call(self, method: str, *arguments: Any) -> Any:
        """The method of that name: how a message from elsewhere reaches it."""
        return getattr(self, method)(*arguments)
