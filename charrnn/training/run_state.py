"""The numbers of a running training: what a checkpoint saves of it beside its arrays."""

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any

FILE_NAMES = {"smoothed_loss": "smoothed", "recoveries": "rescues", "stale": "stale_looks"}
"""Fields that checkpoints know by another name."""


@dataclass
class RunState:
    """How far a training is, and what it has seen. Losses are in nats, None before the first."""

    step: int = 0
    seconds: float = 0.0
    """Of training, earlier runs included."""
    smoothed_loss: float | None = None
    """Moving average of the training loss."""
    history: list[dict[str, Any]] = field(default_factory=list)
    finished: bool = False
    """Whether the run has come to its end, and its final losses are measured."""

    validation_loss: float | None = None
    """Of the newest validation; at the end, that of the best weights on all held-out text."""
    best_loss: float | None = None
    """The lowest of all validations."""
    best_step: int = 0
    """When it was measured."""
    stale: int = 0
    """Validations since the best one."""
    validation_seconds: float = 0.0
    test_loss: float | None = None
    """Of the best weights on the test part, measured at the end."""

    halvings: int = 0
    """How often the learning rate was halved: on a plateau, or after a divergence."""
    recoveries: int = 0
    """How often the training went back to its good state after a divergence."""
    good_step: int = 0
    """The step of the good state."""
    moments_since: int = 0
    """The step at which the optimizer's moments were zero."""
    watch_recent: float | None = None
    watch_lowest: float | None = None
    """What `charrnn.training.divergence.Watch` remembers."""

    snapshots: list[dict[str, Any]] = field(default_factory=list)
    """Step and SHA-256 of each snapshot that is kept (`charrnn.training.snapshots`)."""

    @property
    def optimizer_count(self) -> int:
        """Steps of the optimizer since its moments were zero."""
        return self.step - self.moments_since

    def to_record(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {FILE_NAMES.get(name, name): value for name, value in asdict(self).items()}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "RunState":
        """The state that `to_record` has described; what older checkpoints do not have is at its
        default, but the good state, which is then the current state."""
        names = {each.name: FILE_NAMES.get(each.name, each.name) for each in fields(cls)}
        known = {name: record[key] for name, key in names.items() if key in record}
        return cls(**{"good_step": record["step"], **known})

    def go_back(self) -> None:
        """Return to the good step, after a divergence: with half the learning rate and fresh
        moments, and without what was noted since."""
        self.step = self.moments_since = self.good_step
        self.recoveries += 1
        self.halvings += 1
        self.history = [entry for entry in self.history if entry["step"] <= self.step]
        self.snapshots = [each for each in self.snapshots if each["step"] <= self.step]
        at_hand = [entry["loss"] for entry in self.history if entry["step"] == self.step]
        self.smoothed_loss = at_hand[-1] if at_hand else None
        self.watch_recent = self.watch_lowest = None
        validations = [entry for entry in self.history if entry["validation_loss"] is not None]
        self.validation_loss = validations[-1]["validation_loss"] if validations else None
        if self.best_step > self.step:  # it was measured on the way to the divergence
            self.best_loss, self.best_step, self.stale = None, 0, 0
        stale = sum(entry["step"] > self.best_step for entry in validations)
        self.stale = min(self.stale, stale)

    def smooth(self, loss: float, keep: float) -> float:
        """Take the loss of a step into the moving average, whose decay is `keep`."""
        before = self.smoothed_loss
        self.smoothed_loss = loss if before is None else keep * before + (1 - keep) * loss
        return self.smoothed_loss

    def note_validation(self, loss: float) -> bool:
        """Take note of a validation of the current weights; whether it is the best so far."""
        self.validation_loss = loss
        self.stale += 1
        if loss >= (math.inf if self.best_loss is None else self.best_loss):
            return False
        self.best_loss, self.best_step, self.stale = loss, self.step, 0
        return True
