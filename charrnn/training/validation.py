"""Validations in the course of a training, and the best weights so far."""

import time

from charrnn.nn.network import Network
from charrnn.training.evaluation import Evaluation
from charrnn.training.run_state import RunState
from charrnn.types import Array, IdArray

VALIDATIONS = 20
"""In a run, evenly spread over its course."""
SYMBOLS = 32768
"""Symbols of the held-out text that a validation measures; the end of the run measures all."""
SHARE = 0.03
"""Of a run that is measured in minutes, the share of the time that validations may take."""


class Validation:
    """Validates on the symbols `held_out` (N,), which follow `before`; N may be 0, for none.

    `best_weights` (P,) are those of the lowest loss, or the newest where there is none yet. Memory:
    P numbers beside those of an evaluation. The losses stand in `state`.
    """

    def __init__(
        self, before: IdArray, held_out: IdArray, weights: Array, state: RunState, *, threads: int
    ) -> None:
        self.best_weights = weights.copy()
        self.symbols = len(held_out)
        self._state = state
        self._part = None
        self._done = 0
        if len(held_out) > 0:
            self._part = Evaluation(before, held_out, limit=SYMBOLS, threads=threads)

    def is_due(self, progress: float, seconds: float, *, timed: bool) -> bool:
        """Whether to validate now: at a `progress` (0 … 1) of the run, `seconds` after its start.

        A run measured in steps validates at the same steps every time, whatever it costs; a `timed`
        one leaves a validation out where those before took too long.
        """
        if progress * VALIDATIONS < self._done + 1:
            return False
        in_time = self._state.validation_seconds <= SHARE * seconds
        return progress >= 1 or not timed or in_time

    def measure(self, network: Network) -> float | None:
        """The loss (nats) on a part of the held-out text; None where nothing is held out."""
        if self._part is None:
            return None
        start = time.monotonic()
        loss = self._part.loss(network)
        self._state.validation_seconds += time.monotonic() - start
        return loss

    def note(self, loss: float, weights: Array) -> None:
        """Keep the weights (P,) if their loss (nats) is the lowest so far."""
        if self._state.note_validation(loss):
            self.best_weights[:] = weights

    def keep_newest(self, weights: Array) -> None:
        """Where no loss chooses yet, the newest weights (P,) are the best."""
        if self._state.best_loss is None:
            self.best_weights[:] = weights

    def passed(self, progress: float) -> None:
        """Count the validations up to this progress as done."""
        self._done = int(progress * VALIDATIONS)
