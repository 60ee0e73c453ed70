"""The same run again, in one go or in parts, to the bit."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoints.atomic_write import write_checkpoint
from charrnn.checkpoints.format import read_checkpoint
from charrnn.training.events import Finished, Saved, Step
from helpers import (
    STEPS,
    WINDOWS,
    assert_same_training,
    finish,
    resume,
    start,
    stop_after,
    timeless,
)
from trainings import MISLEADING, run_to_file

pytestmark = pytest.mark.usefixtures("quick")


def test_the_same_seed_makes_the_same_weights(tmp_path: Path) -> None:
    one, again = (run_to_file(tmp_path / name, seed=3) for name in ("a.npz", "b.npz"))
    assert_same_training(one, again)


def test_another_seed_makes_other_weights(tmp_path: Path) -> None:
    one, other = (run_to_file(tmp_path / f"{seed}.npz", seed=seed) for seed in (3, 4))
    a, b = read_checkpoint(one), read_checkpoint(other)
    assert (a.arrays["last"] != b.arrays["last"]).mean() > 0.99


def heard_by_all(events: list[Any]) -> list[Any]:
    """Steps, reports and the end, without what depends on the machine."""
    kept = [event for event in events if isinstance(event, Step | Finished)]
    return [timeless(asdict(event)) | {"path": None} for event in kept]


def assert_goes_on_exactly(folder: Path, stops: list[int], **options: Any) -> None:
    """*Train N* equals *train k, save, load, train N − k*."""
    whole, parts = folder / "whole.npz", folder / "parts.npz"
    events = finish(start(output=whole, layers=2, **options))
    heard = stop_after(start(output=parts, layers=2, **options), stops[0])
    for stop in [*stops[1:], None]:
        trainer = resume(parts)
        heard += finish(trainer) if stop is None else stop_after(trainer, stop)
    assert_same_training(whole, parts)
    ends = [event for event in heard if isinstance(event, Finished)]
    assert [event.stopped for event in ends] == [True] * len(stops) + [False]
    heard = [event for event in heard if event not in ends[:-1]]
    assert heard_by_all(heard) == heard_by_all(events)


@pytest.mark.parametrize("stop", [1, 7, WINDOWS, STEPS - 1])
def test_a_resumed_training_is_the_same_to_the_bit(tmp_path: Path, stop: int) -> None:
    assert_goes_on_exactly(tmp_path, [stop])


def test_a_training_resumed_again_and_again_is_the_same_to_the_bit(tmp_path: Path) -> None:
    assert_goes_on_exactly(tmp_path, [2, 3, 13, 20, 33])


def test_a_resumed_training_on_two_threads_is_the_same_to_the_bit(tmp_path: Path) -> None:
    assert_goes_on_exactly(tmp_path, [21], threads=2)


def test_a_resumed_training_without_validation_is_the_same_to_the_bit(tmp_path: Path) -> None:
    assert_goes_on_exactly(tmp_path, [21], validation_fraction=0)


def test_a_resumed_training_keeps_the_best_weights_of_before(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole.npz", tmp_path / "parts.npz"
    finish(start(MISLEADING, whole, epochs=5, learning_rate=0.03))
    trainer = start(MISLEADING, parts, epochs=5, learning_rate=0.03)
    assert trainer.budget.total_steps is not None
    stop_after(trainer, trainer.budget.total_steps - 10)
    best = read_checkpoint(parts).weights
    finish(resume(parts, MISLEADING))
    np.testing.assert_array_equal(read_checkpoint(parts).weights, best)
    assert_same_training(whole, parts)


def test_a_training_that_was_killed_goes_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole.npz", tmp_path / "killed.npz"
    finish(start(output=whole))
    saved = 0
    for event in start(output=killed).run():
        if isinstance(event, Saved):
            saved = event.step
        if isinstance(event, Step) and event.step == 20:
            break
    assert 0 < saved < 20
    assert read_checkpoint(killed).training["step"] == saved
    finish(resume(killed))
    assert_same_training(whole, killed)


@pytest.mark.parametrize(("stop", "matters"), [(WINDOWS, False), (WINDOWS + 3, True)])
def test_the_state_is_carried_through_the_text_and_forgotten_at_its_end(
    output: Path, stop: int, matters: bool
) -> None:
    stop_after(start(output=output), stop)
    checkpoint = read_checkpoint(output)
    ends = []
    for shift in (0, 0.5):
        arrays = checkpoint.arrays | {"state": checkpoint.arrays["state"] + np.float32(shift)}
        write_checkpoint(output, replace(checkpoint, arrays=arrays))
        finish(resume(output))
        ends.append(read_checkpoint(output).arrays["last"])
    assert (ends[0] != ends[1]).any() == matters
