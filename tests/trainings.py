"""Small trainings, and what came of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from charrnn.checkpoints.atomic_write import write_checkpoint
from charrnn.checkpoints.format import read_checkpoint
from charrnn.training.events import Finished
from charrnn.training.trainer import Trainer
from charrnn.types import Array
from helpers import finish, reports, start

MISLEADING = "hello world " * 40 + "dlrow olleh " * 5
"""Learned by heart, it makes the end of the text less likely, not more."""


class Clock:
    """In the place of the clock of the training: it stands still but for what a test adds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += seconds


def last(events: list[Any]) -> Finished:
    finished = events[-1]
    assert isinstance(finished, Finished)
    return finished


def run_to_file(path: Path, **options: Any) -> Path:
    finish(start(output=path, **options))
    return path


def weights_at_validations(trainer: Trainer) -> list[tuple[float, Array]]:
    validations = []
    for event in trainer.run():
        if (found := reports([event])) and found[0].validated:
            assert found[0].validation_loss is not None
            validations.append((found[0].validation_loss, trainer.network.parameters.flat.copy()))
    return validations


def change_record(path: Path, **changes: Any) -> None:
    """Write other entries into what a checkpoint says about its training; ... leaves one out."""
    checkpoint = read_checkpoint(path)
    record = checkpoint.training | changes
    record = {name: value for name, value in record.items() if value is not ...}
    write_checkpoint(path, replace(checkpoint, training=record))
