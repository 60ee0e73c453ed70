"""What a training can be told, with its defaults and limits."""

import os
import sys
from dataclasses import asdict, dataclass
from typing import Any, Self

from charrnn.errors import OptionError

CELL_NAMES = ("rnn", "lstm", "lstm-peephole", "lstm-coupled", "gru")
"""The names of `charrnn.cells.CELLS`, here for the help text, which must not wait for NumPy."""
DEFAULT_CELL = "lstm"
DEFAULT_HIDDEN_SIZE = 256
DEFAULT_LAYERS = 2
DEFAULT_MINUTES = 10.0
DEFAULT_EPOCHS = 50.0
"""With no budget given, a training ends after `DEFAULT_MINUTES`, or earlier: after this many epochs
and at least `DEFAULT_STEPS` steps."""
DEFAULT_STEPS = 2000
LONGEST = 1e9
"""The largest number of epochs or minutes."""


@dataclass(frozen=True)
class TrainingOptions:
    """How to train. Raises OptionError for values that make no sense.

    The run ends when the first of `epochs` and `minutes` is used up; the learning rate falls over
    the whole run. `clip` limits the norm of the gradient, 0 leaves it alone.
    """

    batch_size: int = 64
    seq_length: int = 64
    epochs: float | None = None
    minutes: float | None = None
    learning_rate: float = 0.01
    clip: float = 1.0
    validation_fraction: float = 0.1
    seed: int = 1
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("batch_size", "seq_length", "threads"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise OptionError(
                    f"{spoken(name)} must be a whole number of at least 1, not {value!r}"
                )
        for name in ("epochs", "minutes", "learning_rate"):
            value = getattr(self, name)
            if value is None and name != "learning_rate":
                continue
            if not (_is_number(value) and value > 0):
                raise OptionError(f"{spoken(name)} must be a number above 0, not {value!r}")
            if name != "learning_rate" and value > LONGEST:
                raise OptionError(f"{spoken(name)} can be {LONGEST:g} at most, not {value:g}")
        if not (_is_number(self.clip) and self.clip >= 0):
            raise OptionError(f"{spoken('clip')} must be a number of at least 0, not {self.clip!r}")
        if not (_is_number(self.validation_fraction) and 0 <= self.validation_fraction < 1):
            raise OptionError(
                f"{spoken('validation_fraction')} must be at least 0 and less than 1, "
                f"not {self.validation_fraction!r}"
            )
        if type(self.seed) is not int or self.seed < 0:
            raise OptionError(
                f"{spoken('seed')} must be a whole number of at least 0, not {self.seed!r}"
            )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The options that `to_json` has described; raises TypeError for anything else."""
        return cls(**data)


def _is_number(value: object) -> bool:
    """Whether it is a finite number, of a kind that JSON can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max


def usable_threads() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spoken(name: str) -> str:
    """An option as the user writes it: `--batch-size` for batch_size."""
    return "--" + name.replace("_", "-")
