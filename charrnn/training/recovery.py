"""What a training goes back to when it has diverged: its good state.

That is the state of the last of 20 marks of the run, those of its validations, at which the
training loss was sound; or the beginning. It consists of the weights alone: the training goes on
from them at their step, with half the learning rate, and with moments and carried states of zero.
So a recovery depends on the steps alone, not on the clock or on when a checkpoint was saved, and a
checkpoint holds all that it needs.
"""

from charrnn.nn.network import Network
from charrnn.training.parallel.sharded import ShardedNetwork
from charrnn.training.run_state import RunState
from charrnn.types import Array

MOST_RECOVERIES = 5
"""Recoveries after which a training gives up."""


class GoodState:
    """The good state of a training, whose step stands in `state`. Memory: P numbers."""

    def __init__(self, weights: Array, state: RunState) -> None:
        self.weights = weights.copy()
        """(P,)"""
        self._state = state

    def renew(self, weights: Array) -> None:
        """The current weights (P,) become the good state."""
        self.weights[:] = weights
        self._state.good_step = self._state.step

    def restore(self, network: Network, shards: ShardedNetwork) -> None:
        """Go back to it."""
        self._state.go_back()
        network.parameters.flat[:] = self.weights
        shards.moments[:] = 0
        shards.reset()
