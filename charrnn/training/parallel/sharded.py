"""One batch over several workers.

Each worker runs its own columns of the batch in its own workspace, with a single-threaded BLAS, and
writes its own gradient; the gradients are summed in a fixed order. So a run repeats to the bit for
a given number of threads.
"""

import math

from charrnn.nn.network import Network
from charrnn.nn.parameters import Parameters
from charrnn.optim.optimizers import Optimizer
from charrnn.training.parallel.shard import BLOCK, Plan
from charrnn.training.parallel.workers import hire
from charrnn.types import Array, IdArray

SHARED_BLOCKS = 8
"""From so many blocks of weights on, their update is shared out as well."""


class ShardedNetwork:
    """Training windows of T steps in B streams, shared out among threads.

    The weights of `network` and the moments of `optimizer` move to memory that the workers see.
    Use it as a context, which ends the workers. Memory: one workspace for all B streams, and a
    gradient (P,) for each thread.
    """

    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        steps: int,
        batch: int,
        threads: int,
        *,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int = 0,
        processes: bool = True,
    ) -> None:
        weights = network.parameters
        self.network = network
        self.threads = max(1, min(threads, batch))
        plan = Plan(
            config=network.config,
            dtype=weights.flat.dtype.name,
            steps=steps,
            batch=batch,
            shards=self.threads,
            block=BLOCK,
            optimizer=type(optimizer),
            weight_decay=optimizer.weight_decay,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
        )
        self._workers = hire(plan, processes=processes)
        arrays = self._workers.arrays
        arrays["weights"][:] = weights.flat
        arrays["moments"][:] = optimizer.state
        network.parameters = Parameters(weights.shapes, flat=arrays["weights"])
        optimizer.state = arrays["moments"]
        self.gradient = Parameters(weights.shapes, flat=arrays["gradients"][0])
        self._optimizer = optimizer
        self._ids, self._targets, self._state = arrays["ids"], arrays["targets"], arrays["state"]
        self._scale = 1.0 / (steps * batch)
        is_large = weights.size >= SHARED_BLOCKS * BLOCK
        self._parts = self.threads if is_large else 1
        self._call_parts = self._workers.call if is_large else self._workers.call_first

    def __enter__(self) -> "ShardedNetwork":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._workers.close()

    @property
    def state(self) -> Array:
        """A copy of the state that the streams carry, (L, 1 + S, H, B)."""
        self._workers.call("give_state")
        return self._state.copy()

    @state.setter
    def state(self, state: Array) -> None:
        self._state[:] = state
        self._workers.call("take_state")

    def reset(self) -> None:
        """Make the state of every stream zero."""
        self._state[:] = 0
        self._workers.call("take_state")

    def compute_gradient(self, ids: IdArray, targets: IdArray) -> float:
        """The mean loss (nats) over a window of `ids` and `targets`, both (T, B).

        `gradient_norm`, to be called next, makes its gradient. Dropout leaves out other things in
        every step of the optimizer.
        """
        if ids.shape != self._ids.shape or targets.shape != self._ids.shape:
            raise ValueError(f"windows of shape {self._ids.shape} expected, not {ids.shape}")
        self._ids[:], self._targets[:] = ids, targets
        losses = self._workers.call("compute_gradient", self._optimizer.steps)
        return math.fsum(losses) * self._scale

    def gradient_norm(self) -> float:
        """Sum the workers' gradients into `gradient`, once for each window; the Euclidean norm of
        the sum."""
        return math.sqrt(math.fsum(self._call_parts("sum_gradients", self._parts)))

    def update(self, learning_rate: float, scale: float, limit: float = 0.0) -> None:
        """One optimizer step along scale · `gradient`, which is used up; each number of that is
        clipped to ± `limit`, unless it is 0."""
        self._optimizer.begin_step()
        steps = self._optimizer.steps
        self._call_parts("update", self._parts, steps, learning_rate, scale, limit)
