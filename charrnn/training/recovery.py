"""What a training goes back to when it has diverged: its good state.

That is the state of the last of 20 marks of the run, those of its validations, at which the
training loss was sound; or the beginning. It consists of the weights alone: the training goes on
from them at their step, with half the learning rate, and with moments and carried states of zero.
So a recovery depends on the steps alone, not on the clock or on when a checkpoint was saved, and a
checkpoint holds all that it needs.
"""

from charrnn.errors import DivergedError
from charrnn.training.parallel.sharded import ShardedNetwork
from charrnn.training.plan import TrainingPlan
from charrnn.training.run_state import RunState
from charrnn.types import Array

MOST_RECOVERIES = 5
"""Recoveries after which a training gives up."""


def gave_up(plan: TrainingPlan, reason: str, step: int) -> DivergedError:
    """The error of a training that diverged once more after `step`, for the `reason`."""
    output, options = plan.output, plan.options
    limit = f"`clip` (now {options.clip:g})" if options.clip else "set a `clip` (now none)"
    kept = "" if output is None else f"; {output} holds the last good state"
    return DivergedError(
        f"{reason} after step {step}, although the rate was halved {MOST_RECOVERIES} times"
        f"{kept}; lower `learning_rate` (now {options.learning_rate:g}) or {limit}"
    )


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

    def restore(self, shards: ShardedNetwork) -> None:
        """Go back to it."""
        self._state.go_back()
        shards.restart(self.weights)
