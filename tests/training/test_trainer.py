"""The course of a training: its steps, validations, reports, and stops."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from charrnn.checkpoints.format import read_checkpoint
from charrnn.errors import CheckpointError
from charrnn.optim.schedules import cosine
from charrnn.options import TrainingOptions
from charrnn.training.events import Finished, Saved
from charrnn.training.parallel.sharded import ShardedNetwork
from helpers import (
    STEPS,
    TEXT,
    WINDOWS,
    assert_same_training,
    corpus,
    finish,
    reports,
    resume,
    start,
    steps,
    stop_after,
)
from trainings import last, run_to_file

pytestmark = pytest.mark.usefixtures("quick")


def test_a_run_takes_the_steps_of_its_epochs() -> None:
    for epochs, expected in ((1, WINDOWS), (2.3, STEPS), (0.01, 1), (0.5, WINDOWS // 2)):
        trainer = start(epochs=epochs)
        assert trainer.budget.total_steps == expected
        events = steps(finish(trainer))
        assert [event.step for event in events] == list(range(1, expected + 1))
        assert [event.epoch for event in events] == [n / WINDOWS for n in range(1, expected + 1)]
        assert events[-1].progress == trainer.progress == 1


def test_the_learning_rate_follows_the_schedule() -> None:
    events = steps(finish(start(learning_rate=0.02)))
    expected = [0.02 * cosine(n / STEPS, 0) for n in range(STEPS)]
    assert [event.learning_rate for event in events] == pytest.approx(expected, rel=1e-12)


def test_it_looks_at_the_held_out_text_at_even_distances() -> None:
    trainer = start(epochs=5)
    validations = [report.step for report in reports(finish(trainer)) if report.validated]
    total = trainer.budget.total_steps
    assert total == 80
    assert validations == list(range(4, 81, 4))


def test_a_run_shorter_than_the_number_of_looks_looks_after_every_step() -> None:
    events = finish(start(epochs=0.5))
    assert [report.step for report in reports(events)] == list(range(1, 9))


def test_each_look_is_reported_recorded_and_saved(output: Path) -> None:
    events = finish(start(output=output))
    saved = [event.step for event in events if isinstance(event, Saved)]
    validations = [report for report in reports(events) if report.validated]
    assert saved == [0, *(report.step for report in validations), STEPS]
    history = read_checkpoint(output).training["history"]
    validated = [record for record in history if record["validation_loss"] is not None]
    assert len(validated) == len(validations) == 20
    for record, report in zip(validated, validations, strict=True):
        expected = asdict(report)
        assert expected.pop("validated")
        assert record == json.loads(json.dumps(expected))


def test_the_loss_that_is_shown_is_a_moving_average(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = []
    compute = ShardedNetwork.compute_gradient_of_window

    def watched(self: ShardedNetwork, *window: int) -> float:
        losses.append(compute(self, *window))
        return losses[-1]

    monkeypatch.setattr(ShardedNetwork, "compute_gradient_of_window", watched)
    shown = [event.loss for event in steps(finish(start()))]
    smoothed = losses[0]
    assert shown[0] == smoothed
    for loss, expected in zip(losses[1:], shown[1:], strict=True):
        smoothed += 0.02 * (loss - smoothed)
        assert expected == pytest.approx(smoothed, rel=1e-12)


@pytest.mark.parametrize("clip", [0.1, 0.3, 1000.0, 0])
def test_a_long_gradient_is_clipped(monkeypatch: pytest.MonkeyPatch, clip: float) -> None:
    scales = []
    update = ShardedNetwork.update

    def watched(self: ShardedNetwork, count: int, rate: float, scale: float, limit: float) -> None:
        scales.append(scale)
        assert limit == 0
        update(self, count, rate, scale, limit)

    monkeypatch.setattr(ShardedNetwork, "update", watched)
    norms = [event.gradient_norm for event in steps(finish(start(clip=clip, epochs=1)))]
    expected = [min(1.0, clip / norm) if clip else 1.0 for norm in norms]
    assert scales == pytest.approx(expected, rel=1e-12)
    if clip == 0.3:
        assert min(scales) < 1 == max(scales), "the example proves nothing"
    if clip in (0, 1000):
        assert set(scales) == {1.0}


def test_a_clipped_gradient_is_what_the_optimizer_sees(output: Path) -> None:
    events = stop_after(start(output=output, clip=0.01, beta1=0.9), 1)
    assert steps(events)[0].gradient_norm > 0.01
    first_moment = read_checkpoint(output).arrays["moments"][0]
    assert np.linalg.norm(first_moment) == pytest.approx(0.1 * 0.01, rel=1e-4)


def test_each_number_of_the_gradient_is_clipped(output: Path) -> None:
    """After its norm, and before the optimizer sees it."""
    largest = []
    for clip_value in (0, 1e-4):
        stop_after(start(output=output, clip_value=clip_value, beta1=0.9), 1)
        first_moment = read_checkpoint(output).arrays["moments"][0]
        largest.append(float(np.abs(first_moment).max()))
    assert largest[0] > 0.1 * 1e-3, "the example proves nothing"
    assert largest[1] == pytest.approx(0.1 * 1e-4, rel=1e-4)


def test_weight_decay_makes_weights_smaller() -> None:
    norms = []
    for weight_decay in (0.0, 0.5):
        trainer = start(optimizer="adamw", weight_decay=weight_decay)
        finish(trainer)
        norms.append(np.linalg.norm(trainer.network.parameters["W0"]))
    assert norms[1] < 0.95 * norms[0]


def test_a_stop_saves_the_step_at_hand(output: Path) -> None:
    trainer = start(output=output)
    *_, saved, finished = stop_after(trainer, 9)
    assert saved == Saved(output, 9)
    assert isinstance(finished, Finished)
    assert (finished.step, finished.stopped, finished.path) == (9, True, output)
    checkpoint = read_checkpoint(output)
    assert checkpoint.training["step"] == 9
    np.testing.assert_array_equal(checkpoint.arrays["last"], trainer.network.parameters.flat)


def test_a_stop_before_the_first_step(output: Path) -> None:
    trainer = start(output=output)
    trainer.request_stop()
    events = finish(trainer)
    assert steps(events) == []
    assert last(events).stopped
    finish(resume(output))
    assert_same_training(output, run_to_file(output.with_name("whole.npz")))


def test_a_stop_in_the_last_step_is_the_end(output: Path) -> None:
    trainer = start(output=output)
    assert not last(stop_after(trainer, STEPS)).stopped
    assert_same_training(output, run_to_file(output.with_name("whole.npz")))


def test_without_output_nothing_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    events = finish(start())
    assert not any(isinstance(event, Saved) for event in events)
    assert last(events).path is None
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_cannot_be_written_is_known_before_the_first_step(tmp_path: Path) -> None:
    run = start(output=tmp_path / "models" / "a.npz").run()
    with pytest.raises(CheckpointError, match="cannot write the checkpoint"):
        next(run)


def test_threads_are_no_more_than_streams() -> None:
    assert start(threads=100).options.threads == 4


def test_options_of_the_run_are_saved(output: Path) -> None:
    trainer = start(output=output, epochs=None, minutes=0.5, clip=0.3, seed=9)
    trainer.request_stop()
    finish(trainer)
    record = read_checkpoint(output).training
    assert TrainingOptions.from_json(record["options"]) == trainer.options
    assert record["corpus"] == {
        "name": "text",
        "sha256": corpus().sha256,
        "symbols": len(TEXT),
        "encoding": "utf-8",
        "sources": [],
    }
