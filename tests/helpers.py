"""Small trainings, to be run to their end or stopped on the way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from charrnn.checkpoints.format import Checkpoint, read_checkpoint
from charrnn.text.corpus import Corpus
from charrnn.training.events import Event, Report, Step
from charrnn.training.parallel.bfloat16 import from_bfloat16, round_to_bfloat16
from charrnn.training.plan import plan_resumed, plan_training
from charrnn.training.trainer import Trainer
from charrnn.types import Array

TEXT = "".join(f"line {i} of the text, {i * i}.\n" for i in range(24))  # 600 characters
WINDOWS = 16  # steps in an epoch of TEXT with SMALL: 540 characters to train on, 4 · 8 a step
SMALL: dict[str, Any] = {"batch_size": 4, "seq_length": 8, "epochs": 2.3}
NO_REGULARISATION = {"dropout": 0.0, "recurrent_dropout": 0.0, "weight_decay": 0.0, "threads": 1}
STEPS = 37  # in 2.3 epochs
TIMES = ("seconds", "validation_seconds", "characters_per_second")


def corpus(text: str | bytes = TEXT) -> Corpus:
    return Corpus.from_text(text)


def start(
    text: str | bytes = TEXT,
    output: Path | None = None,
    *,
    hidden_size: int = 8,
    layers: int = 1,
    **options: Any,
) -> Trainer:
    """A training that takes a fraction of a second."""
    given = NO_REGULARISATION | SMALL | options
    sizes = {"hidden_size": hidden_size, "layers": layers}
    return Trainer(plan_training(corpus(text), given | sizes, output=output))


def resume(path: Path, text: str | bytes = TEXT, **changes: Any) -> Trainer:
    """The training that was saved in `path`, to go on."""
    return Trainer(plan_resumed(read_checkpoint(path), corpus(text), changes, output=path))


def finish(trainer: Trainer, on_step: Callable[[Step], object] | None = None) -> list[Event]:
    """Run to the end; `on_step` is called after every step."""
    events: list[Event] = []
    for event in trainer.run():
        events.append(event)
        if on_step is not None and type(event) is Step:
            on_step(event)
    return events


def stop_after(trainer: Trainer, step: int) -> list[Event]:
    """Run until `step` is done, and end there as Ctrl-C does."""

    def stop(event: Step) -> None:
        if event.step == step:
            trainer.request_stop()

    return finish(trainer, stop)


def steps(events: list[Event]) -> list[Step]:
    return [event for event in events if type(event) is Step]


def reports(events: list[Event]) -> list[Report]:
    return [event for event in events if isinstance(event, Report)]


def assert_same_training(one: Path, other: Path) -> None:
    """Two checkpoints hold the same to the last bit, apart from the time that it took."""
    a, b = read_checkpoint(one), read_checkpoint(other)
    for name, array in vectors(a).items():
        assert array.tobytes() == vectors(b)[name].tobytes(), f"{name} differs"
    assert (a.config, a.vocabulary) == (b.config, b.vocabulary)
    assert timeless(a.training) == timeless(b.training)


def vectors(checkpoint: Checkpoint) -> dict[str, np.ndarray[Any, Any]]:
    return {"weights": checkpoint.weights, **checkpoint.arrays}


def timeless(value: Any) -> Any:
    """A record of a training without what depends on the speed of the machine."""
    if isinstance(value, list):
        return [timeless(item) for item in value]
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in TIMES}
    return value


def rounded_to_bfloat16(numbers: Array) -> Array:
    """Float32 numbers (N,), each rounded as ranks do that compress their gradients."""
    halves, found = np.empty(len(numbers), np.uint16), np.empty_like(numbers)
    round_to_bfloat16(numbers, halves)
    from_bfloat16(halves, found)
    return found
