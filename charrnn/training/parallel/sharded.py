"""One batch over several workers.

Each worker runs its own columns of the batch in its own workspace, with a single-threaded BLAS, and
writes its own gradient; the gradients are summed in a fixed order. So a run repeats to the bit for
a given number of threads.
"""

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from charrnn.nn.network import Network
from charrnn.nn.parameters import Parameters
from charrnn.options import TrainingOptions
from charrnn.text.batches import Batches
from charrnn.text.streams import Streams
from charrnn.training.parallel.processes import Processes, are_possible
from charrnn.training.parallel.shard import ShardingPlan
from charrnn.training.parallel.workers import LocalWorkers, Threads, Workers
from charrnn.types import Array, IdArray

StartWorkers = Callable[[ShardingPlan], Workers]


def start_workers(plan: ShardingPlan) -> LocalWorkers:
    """Workers for the shards of this rank: the fastest kind that the system allows."""
    if len(plan.shards_of(plan.rank)) > 1 and are_possible():
        # without enough of such memory, or of processes, threads will do
        with contextlib.suppress(OSError):
            return Processes(plan)
    return Threads(plan)


class ShardedNetwork:
    """Training windows of T steps in B streams, shared out among workers.

    The weights of `network` move to memory that the workers see, beside the optimizer's moments.
    Use it as a context, which ends the workers. Memory: one workspace for all B streams, a gradient
    (P,) for each worker, and the moments (M, P).
    """

    def __init__(
        self, network: Network, options: TrainingOptions, start: StartWorkers = start_workers
    ) -> None:
        """For windows of `seq_length` steps in `batch_size` streams."""
        weights = network.parameters
        plan = _plan(network, options)
        self.threads = plan.shards
        self._workers = start(plan)
        arrays = self._workers.arrays
        self._weights, self._moments = arrays["weights"], arrays["moments"]
        self._weights[:] = weights.flat
        self._workers.load_weights()
        network.parameters = Parameters(weights.shapes, flat=self._weights)
        self.gradient = Parameters(weights.shapes, flat=arrays["gradients"][0])
        self._ids, self._targets, self._state = arrays["ids"], arrays["targets"], arrays["state"]
        self._scale = 1.0 / (plan.steps * plan.batch)  # of all ranks: `ids` are those of this one

    @classmethod
    def for_training(
        cls, network: Network, options: TrainingOptions, batches: Batches, start: StartWorkers
    ) -> "ShardedNetwork":
        """A network that learns the windows of a text, which may be shorter and fewer than what the
        options ask for."""
        fitting = replace(options, batch_size=batches.batch, seq_length=batches.steps)
        shards = cls(network, fitting, start)
        try:
            shards._workers.load_text(batches)
        except BaseException:
            shards._workers.close()
            raise
        return shards

    def __enter__(self) -> "ShardedNetwork":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._workers.close()

    @property
    def state(self) -> Array:
        """A copy of the state that the streams carry, (L, 1 + S, H, B)."""
        self._workers.store_state()
        return self._state.copy()

    @state.setter
    def state(self, state: Array) -> None:
        self._state[:] = state
        self._workers.load_state()

    @property
    def moments(self) -> Array:
        """The optimizer's vectors (M, P), which the workers change in place."""
        self._workers.store_moments()
        return self._moments

    @moments.setter
    def moments(self, moments: Array) -> None:
        self._moments[:] = moments
        self._workers.load_moments()

    def restart(self, weights: Array) -> None:
        """Go on from other weights (P,), with moments and states of zero."""
        self._weights[:] = weights
        self._workers.load_weights()
        self._moments[:] = 0
        self._workers.load_moments()
        self.reset()

    def reset(self) -> None:
        """Make the state of every stream zero."""
        self._state[:] = 0
        self._workers.load_state()

    def compute_gradient(self, ids: IdArray, targets: IdArray, step: int) -> float:
        """The mean loss (nats) over a window of `ids` and `targets`, both (T, B).

        `gradient_norm`, to be called next, makes its gradient. The dropout masks depend on `step`.
        """
        if ids.shape != self._ids.shape or targets.shape != self._ids.shape:
            raise ValueError(f"windows of shape {self._ids.shape} expected, not {ids.shape}")
        self._ids[:], self._targets[:] = ids, targets
        return self._mean_loss(step)

    def compute_gradient_of_window(self, index: int, step: int) -> float:
        """The same for a window of the text."""
        self._workers.load_window(index)
        return self._mean_loss(step)

    def _mean_loss(self, step: int) -> float:
        return math.fsum(self._workers.compute_gradient(step)) * self._scale

    def gradient_norm(self) -> float:
        """Sum the workers' gradients into `gradient`, once for each window; the Euclidean norm of
        the sum."""
        return math.sqrt(math.fsum(self._workers.sum_gradients()))

    def update(self, count: int, learning_rate: float, scale: float, limit: float = 0.0) -> None:
        """The optimizer's step number `count` ≥ 1 along scale · `gradient`, which is used up; each
        number of that is clipped to ± `limit`, unless it is 0."""
        self._workers.update(count, learning_rate, scale, limit)

    @property
    def is_synchronized(self) -> bool:
        """Whether all ranks have the weights of `network`. Where they take local steps, its state
        and moments can be read only then."""
        return self._workers.is_synchronized

    def synchronize(self) -> None:
        """Average the weights and moments of all ranks after local steps."""
        self._workers.synchronize()

    def sum_losses(self, network: Network, text: IdArray, groups: Sequence[Streams]) -> list[float]:
        """The loss (nats) of a network on the parts of groups of streams of a text (N,), each group
        in all. The network need not have the weights of this one."""
        return self._workers.sum_losses(network, text, groups)


def _plan(network: Network, options: TrainingOptions) -> ShardingPlan:
    return ShardingPlan(
        config=network.config,
        dtype=network.parameters.flat.dtype.name,
        steps=options.seq_length,
        batch=options.batch_size,
        shards=min(options.threads, options.batch_size),
        optimizer=options.optimizer,
        weight_decay=options.weight_decay,
        beta1=options.beta1,
        dropout=options.dropout,
        recurrent_dropout=options.recurrent_dropout,
        seed=options.seed,
        local=options.sync_every > 1,
        clip=options.clip,
        compress=options.compress,
    )
