"""What a training can be told, with its defaults and limits."""

import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from charrnn.errors import OptionError
from charrnn.registries import BETA1, OPTIMIZERS, SCHEDULES

DEFAULT_CELL = "lstm"
DEFAULT_HIDDEN_SIZE = 256
DEFAULT_LAYERS = 2
DEFAULT_MINUTES = 10.0
DEFAULT_EPOCHS = 50.0
"""With no budget given, a training ends after `DEFAULT_MINUTES`, or earlier: after this many epochs
and at least `DEFAULT_STEPS` steps."""
DEFAULT_STEPS = 2000
DEFAULT_BATCH_SIZE = 64
DEFAULT_SEQ_LENGTH = 64
CELL_OF_FEW_STEPS = "lstm-multiplicative"
BETA1_OF_FEW_STEPS = 0.8
"""Where a run has few steps (`charrnn.training.sizing`), which has shorter windows as well."""
DEFAULT_OPTIMIZER = "adam"
DEFAULT_SCHEDULE = "cosine"
DEFAULT_DYNAMIC_RATE = 8e-4
"""Of `charrnn.analysis.dynamic_evaluation`."""
DYNAMIC_RATE_WITHOUT_TEXT = 5e-4
"""The same where the training text is not found."""
MOST_KEPT_STEPS = 24
"""Steps of `keep_at`, at most."""
LARGEST_BUDGET = 1e9
"""The largest number of epochs or minutes."""


@dataclass(frozen=True)
class TrainingOptions:
    """How to train. Raises OptionError for values that make no sense.

    The run ends when the first of `epochs` and `minutes` is used up, or after `patience`
    validations in a row without improvement (0: never). `learning_rate` is the peak of the
    `schedule`, `beta1` the decay of the optimizer's mean of gradients. `clip` limits the Euclidean
    norm of the gradient, `clip_value` then each component; 0 is no limit. `dropout` is the rate of
    layer outputs, `recurrent_dropout` that of recurrent weights, that are zeroed with one mask for
    each window. A snapshot of the weights is kept after every `keep` steps (0: none) and after the
    steps `keep_at` (`charrnn.training.snapshots`). Several ranks take `sync_every` steps of their
    own before their weights are averaged (`charrnn.training.parallel.exchange`); only then all
    ranks have the same weights to keep. With `compress`, they send gradients in 16 bits.
    """

    batch_size: int = DEFAULT_BATCH_SIZE
    seq_length: int = DEFAULT_SEQ_LENGTH
    epochs: float | None = None
    minutes: float | None = None
    optimizer: str = DEFAULT_OPTIMIZER
    learning_rate: float = 0.01
    beta1: float = BETA1
    schedule: str = DEFAULT_SCHEDULE
    weight_decay: float = 0.0
    clip: float = 1.0
    clip_value: float = 0.0
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    patience: int = 0
    keep: int = 0
    keep_at: tuple[int, ...] = ()
    validation_fraction: float = 0.1
    test_fraction: float = 0.0
    seed: int = 1
    threads: int = 1
    sync_every: int = 1
    compress: bool = False

    def __post_init__(self) -> None:
        for name in ("batch_size", "seq_length", "threads", "sync_every"):
            self._check(name, "a whole number of at least 1", lambda x: type(x) is int and x >= 1)
        for name in ("seed", "patience", "keep"):
            self._check(name, "a whole number of at least 0", lambda x: type(x) is int and x >= 0)
        self._check("learning_rate", "a number above 0", lambda x: _is_number(x) and x > 0)
        for name in ("epochs", "minutes"):
            if getattr(self, name) is not None:
                self._check(name, "a number above 0", lambda x: _is_number(x) and x > 0)
                self._check(name, f"at most {LARGEST_BUDGET:g}", lambda x: x <= LARGEST_BUDGET)
        for name in ("clip", "clip_value", "weight_decay"):
            self._check(name, "a number of at least 0", lambda x: _is_number(x) and x >= 0)
        shares = "beta1", "dropout", "recurrent_dropout", "validation_fraction", "test_fraction"
        for name in shares:
            self._check(name, "at least 0 and less than 1", lambda x: _is_number(x) and 0 <= x < 1)
        self._check("compress", "true or false", lambda x: type(x) is bool)
        if self.compress and self.sync_every > 1:
            raise OptionError(
                "`compress` is for gradients, which ranks do not send with `sync_every`: choose"
            )
        self._check_kept_steps()
        names = ", ".join(OPTIMIZERS)
        self._check("optimizer", f"one of {names}", lambda x: x in OPTIMIZERS)
        self._check_beta1()
        names = ", ".join(SCHEDULES)
        self._check("schedule", f"one of {names}", lambda x: x in SCHEDULES)

    @property
    def depends_on_ranks(self) -> bool:
        """Whether the same number of workers computes something else in another number of ranks."""
        return self.sync_every > 1 or self.compress

    def _check_beta1(self) -> None:
        having = [name for name in OPTIMIZERS if "beta1" in OPTIMIZERS[name].defaults]
        if self.beta1 != BETA1 and self.optimizer not in having:
            raise OptionError(
                f"`beta1` is of the optimizers {', '.join(having)}: leave it out for "
                f"{self.optimizer}"
            )

    def _check_kept_steps(self) -> None:
        self._check(
            "keep_at",
            f"at most {MOST_KEPT_STEPS} whole numbers of at least 0",
            lambda x: (
                isinstance(x, tuple | list)
                and len(x) <= MOST_KEPT_STEPS
                and all(type(step) is int and step >= 0 for step in x)
            ),
        )
        object.__setattr__(self, "keep_at", tuple(sorted(set(self.keep_at))))  # JSON has a list
        every = self.sync_every
        for name, steps in (("keep", [self.keep]), ("keep_at", self.keep_at)):
            if any(step % every for step in steps):
                raise OptionError(
                    f"`{name}` needs multiples of `sync_every`, {every}, not "
                    f"{', '.join(map(str, steps))}: only then have all ranks the same weights"
                )

    def _check(self, name: str, wanted: str, is_good: Callable[[Any], bool]) -> None:
        value = getattr(self, name)
        if not is_good(value):
            raise OptionError(f"`{name}` must be {wanted}, not {value!r}")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The options that `to_json` has described; raises TypeError for anything else."""
        return cls(**data)


NETWORK_OPTIONS = ("cell", "hidden_size", "layers")
TRAINING_OPTIONS = tuple(each.name for each in fields(TrainingOptions))


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
