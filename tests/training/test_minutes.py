"""A training that is measured in minutes."""

from pathlib import Path

import numpy as np
import pytest

from charrnn.nn.network import Network
from charrnn.optim.schedules import cosine
from charrnn.options import DEFAULT_EPOCHS, DEFAULT_MINUTES, DEFAULT_STEPS
from charrnn.training.evaluation import Evaluation
from charrnn.training.events import Saved, Step
from helpers import WINDOWS, finish, reports, resume, start, steps
from trainings import Clock, last

pytestmark = pytest.mark.usefixtures("quick")


def test_minutes_end_a_run(clock: Clock) -> None:
    trainer = start(epochs=None, minutes=1)
    assert trainer.budget.total_steps is None
    events = finish(trainer, lambda _: clock.tick(1.5))
    assert len(steps(events)) == 40
    assert last(events).seconds == 60
    assert trainer.progress == 1
    assert not last(events).stopped


def test_the_schedule_follows_the_time(clock: Clock) -> None:
    seconds = np.random.default_rng(71).uniform(0.1, 3, 200)
    trainer = start(epochs=None, minutes=1)
    events = steps(finish(trainer, lambda event: clock.tick(seconds[event.step])))
    past = np.cumsum([0, *seconds[1 : len(events)]])
    assert past[-1] < 60 <= past[-1] + seconds[len(events)]
    expected = [0.01 * cosine(t / 60, 0) for t in past]
    assert [event.learning_rate for event in events] == pytest.approx(expected, rel=1e-9)
    assert [event.seconds for event in events] == pytest.approx(past, abs=1e-9)


def test_the_nearer_of_two_limits_counts(clock: Clock) -> None:
    by_time = start(epochs=2, minutes=0.1)
    assert len(steps(finish(by_time, lambda _: clock.tick(1)))) == 6
    by_steps = start(epochs=2, minutes=10)
    events = steps(finish(by_steps, lambda _: clock.tick(1)))
    assert len(events) == 2 * WINDOWS
    assert events[7].progress == 8 / (2 * WINDOWS)


def test_time_counts_on_in_a_resumed_run(clock: Clock, output: Path) -> None:
    trainer = start(output=output, epochs=None, minutes=1)

    def stop_at_20(event: Step) -> None:
        clock.tick(1)
        if event.step == 20:
            trainer.request_stop()

    finish(trainer, stop_at_20)
    clock.tick(100_000)  # a night
    again = resume(output)
    assert again.state.seconds == 20
    assert again.learning_rate == 0.01 * cosine(20 / 60, 0)
    events = finish(again, lambda _: clock.tick(1))
    assert [event.step for event in steps(events)] == list(range(21, 61))
    assert last(events).seconds == 60


def test_a_run_of_minutes_spends_little_of_them_on_looks(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss = Evaluation.loss

    def slow(self: Evaluation, network: Network, *_: object) -> float:
        clock.tick(0.5)
        return loss(self, network)

    monkeypatch.setattr(Evaluation, "loss", slow)
    events = finish(start(epochs=None, minutes=1), lambda _: clock.tick(1))
    validations = [report for report in reports(events) if report.validated]
    assert 1 < len(validations) < 10, "instead of 20"
    for validated, report in enumerate(validations[:-1]):
        assert 0.5 * validated <= 0.03 * report.seconds
    assert validations[-1].progress == 1, "the last validation is not left out"


def test_a_run_of_minutes_looks_as_often_as_any_when_looks_are_quick(clock: Clock) -> None:
    events = finish(start(epochs=None, minutes=1), lambda _: clock.tick(1))
    validations = [report.seconds for report in reports(events) if report.validated]
    assert validations == [3 * n for n in range(1, 21)]


def test_it_reports_every_ten_seconds_and_saves_every_thirty(clock: Clock, output: Path) -> None:
    trainer = start(output=output, epochs=None, minutes=2, validation_fraction=0)
    events = finish(trainer, lambda _: clock.tick(1))
    assert [report.step for report in reports(events)] == list(range(10, 121, 10))
    assert not any(report.validated for report in reports(events))
    saved = [event.step for event in events if isinstance(event, Saved)]
    assert saved == [0, 30, 60, 90, 120, 120]
    marks = [n for n in range(1, 121) if 100 * n // 120 > 100 * (n - 1) // 120]
    recorded = [record["step"] for record in trainer.state.history]
    assert recorded == sorted({*marks, *(2**n for n in range(7))})


def test_the_budget_when_none_is_given() -> None:
    trainer = start(epochs=None)
    epochs = DEFAULT_STEPS / WINDOWS
    assert epochs > DEFAULT_EPOCHS
    assert (trainer.options.epochs, trainer.options.minutes) == (epochs, DEFAULT_MINUTES)
    assert trainer.budget.total_steps == DEFAULT_STEPS
    trainer = start(epochs=None, batch_size=1, seq_length=2)
    assert (trainer.options.epochs, trainer.options.minutes) == (DEFAULT_EPOCHS, DEFAULT_MINUTES)
    assert str(trainer.budget) == "10 minutes or 50 epochs"
