"""How long a training runs: for some epochs, for some minutes, or until the first of both."""

import math
from dataclasses import dataclass

from charrnn.options import DEFAULT_EPOCHS, DEFAULT_MINUTES, DEFAULT_STEPS, TrainingOptions


@dataclass(frozen=True)
class Budget:
    """The budget of a training whose text has `windows` windows in an epoch."""

    epochs: float | None
    minutes: float | None
    windows: int

    @classmethod
    def of(cls, options: TrainingOptions, windows: int) -> "Budget":
        """What the options say, or the default where they name neither epochs nor minutes."""
        if options.epochs is None and options.minutes is None:
            return cls(max(DEFAULT_EPOCHS, DEFAULT_STEPS / windows), DEFAULT_MINUTES, windows)
        return cls(options.epochs, options.minutes, windows)

    def __str__(self) -> str:
        amounts = {"minute": self.minutes, "epoch": self.epochs}
        return " or ".join(
            f"{amount:g} {unit}{'' if amount == 1 else 's'}"
            for unit, amount in amounts.items()
            if amount is not None
        )

    @property
    def total_steps(self) -> int | None:
        """Steps in the whole run, if it is measured in epochs."""
        return None if self.epochs is None else math.ceil(self.epochs * self.windows)

    def symbols(self, in_a_step: int) -> int | None:
        """Symbols that the whole run learns from; None if minutes may end it."""
        total = self.total_steps
        return None if total is None or self.minutes is not None else total * in_a_step

    def progress(self, step: int, seconds: float) -> float:
        """The share of the budget that is used, 0 … 1; of two limits, the nearer one counts."""
        total, minutes = self.total_steps, self.minutes
        by_steps = 0.0 if total is None else step / total
        by_time = 0.0 if minutes is None else seconds / (60 * minutes)
        return min(max(by_steps, by_time), 1.0)
