"""Validations in the course of a training, and the best weights so far."""

import time
from dataclasses import dataclass

from charrnn.nn.network import Network
from charrnn.training.evaluation import (
    EVALUATION_STREAMS,
    EVALUATION_WARM_UP,
    Evaluation,
    SumLosses,
)
from charrnn.training.run_state import RunState
from charrnn.types import Array, IdArray

MOST_VALIDATIONS, FEWEST_VALIDATIONS = 20, 4
"""In a run, evenly spread over its course."""
MOST_SYMBOLS, FEWEST_SYMBOLS = 32768, 4096
"""Symbols of the held-out text that a validation measures, unless there are fewer; the end of the
run measures all."""
VALIDATION_SHARE = 0.03
"""The share of a run that validations may take."""
SYMBOLS_FOR_FREE = 60_000
"""Symbols that the validations of a run may read in any case: that takes less than a second."""
FORWARD_COST = 0.6
"""What it costs to read a symbol, beside what it costs two workers to learn from it: a third of the
operations, but in threads (measured 0.58 to 0.67 at 2 × 128 and 2 × 256, 64 streams)."""


@dataclass(frozen=True)
class ValidationSchedule:
    """How often a run is validated, and on how many symbols each time."""

    count: int
    symbols: int

    @property
    def streams(self) -> int:
        """So many that warming them up costs no more than measuring."""
        return max(1, min(EVALUATION_STREAMS, self.symbols // EVALUATION_WARM_UP))


def validation_schedule(trained: int | None, held_out: int) -> ValidationSchedule:
    """For a run that learns from so many symbols in all its epochs, with `held_out` ones to
    validate on: within `VALIDATION_SHARE` of its cost, the same each time. None for a run that is
    measured in minutes, whose validations are bounded by the clock.
    """
    most = max(1, min(MOST_SYMBOLS, held_out))
    if trained is None:
        return ValidationSchedule(MOST_VALIDATIONS, most)
    affordable = max(VALIDATION_SHARE * trained / FORWARD_COST, SYMBOLS_FOR_FREE)
    affordable /= 2  # half is warm-up
    symbols = int(min(most, max(FEWEST_SYMBOLS, affordable / MOST_VALIDATIONS)))
    count = min(MOST_VALIDATIONS, max(FEWEST_VALIDATIONS, int(affordable / symbols)))
    return ValidationSchedule(count, symbols)


class Validation:
    """Validates on the symbols `held_out` (N,), which follow `before`; N may be 0, for none.

    `best_weights` (P,) are those of the lowest loss, or the newest where there is none yet. Memory:
    P numbers beside those of an evaluation. The losses stand in `state`.
    """

    def __init__(
        self,
        before: IdArray,
        held_out: IdArray,
        weights: Array,
        state: RunState,
        *,
        trained: int | None,
        threads: int,
    ) -> None:
        """`trained` are the symbols of all epochs of the run, None where minutes measure it."""
        self.best_weights = weights.copy()
        self.symbols = len(held_out)
        self._state = state
        self._part = None
        self._done = 0
        schedule = validation_schedule(trained, len(held_out))
        self.count = schedule.count
        """Validations in a run."""
        if len(held_out) > 0:
            self._part = Evaluation(
                before,
                held_out,
                limit=schedule.symbols,
                streams=schedule.streams,
                threads=threads,
            )

    def is_due(self, progress: float, seconds: float, *, timed: bool) -> bool:
        """Whether to validate now: at a `progress` (0 … 1) of the run, `seconds` after its start.

        A run measured in steps validates at the same steps every time, whatever it costs; a `timed`
        one leaves a validation out where those before took too long.
        """
        if progress * self.count < self._done + 1:
            return False
        in_time = self._state.validation_seconds <= VALIDATION_SHARE * seconds
        return progress >= 1 or not timed or in_time

    def measure(self, network: Network, sum_losses: SumLosses) -> float | None:
        """The loss (nats) on a part of the held-out text; None where nothing is held out."""
        if self._part is None:
            return None
        start = time.monotonic()
        loss = self._part.loss(network, sum_losses)
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
        self._done = int(progress * self.count)
