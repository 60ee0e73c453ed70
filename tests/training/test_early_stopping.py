"""What stalling validations do."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.errors import OptionError
from charrnn.training.events import Report, Step
from helpers import WINDOWS, finish, reports, resume, start, steps
from trainings import MISLEADING, last, weights_at_validations

pytestmark = pytest.mark.usefixtures("quick")


def test_a_run_without_better_looks_ends_early(output: Path) -> None:
    options: dict[str, Any] = {"epochs": 5, "learning_rate": 0.03}
    whole = start(MISLEADING, **options)
    losses = [loss for loss, _ in weights_at_validations(whole)]
    best = losses.index(min(losses))
    assert best < 15, "the example proves nothing"
    trainer = start(MISLEADING, output, patience=4, **options)
    events = finish(trainer)
    assert [loss for loss, _ in zip(losses, range(best + 5), strict=False)] == [
        report.validation_loss for report in reports(events)
    ]
    assert last(events).early
    assert not last(events).stopped
    assert trainer.state.best_loss == losses[best]
    assert last(events).validation_loss is not None
    with pytest.raises(OptionError, match="stopped early, with `patience` 4"):
        resume(output, MISLEADING)
    again = resume(output, MISLEADING, patience=0)
    finish(again)
    np.testing.assert_array_equal(again.network.parameters.flat, whole.network.parameters.flat)


def test_a_run_to_its_end_is_not_early() -> None:
    assert not last(finish(start(patience=20))).early


def test_the_plateau_halves_the_rate_where_looks_stall() -> None:
    trainer = start(MISLEADING, epochs=5, learning_rate=0.03, schedule="plateau")
    events = finish(trainer)
    rate, stale, lowest, expected = 0.03, 0, math.inf, []
    for event in events:
        if type(event) is Step:
            expected.append(rate)
        elif isinstance(event, Report) and event.validated:
            loss = event.validation_loss or 0
            lowest, stale = min(lowest, loss), 0 if loss < lowest else stale + 1
            rate *= 0.5 if stale and stale % 2 == 0 else 1
    assert rate < 0.03, "the example proves nothing"
    assert [step.learning_rate for step in steps(events)] == pytest.approx(expected)


@pytest.mark.parametrize("wish", [{"patience": 3}, {"schedule": "plateau"}])
def test_what_goes_by_the_held_out_text_needs_some(wish: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=r"goes by the validation loss: give a `valid"):
        start(validation_fraction=0, **wish)


def test_the_steps_of_the_rate_follow_the_epochs() -> None:
    events = steps(finish(start(epochs=12, schedule="step", learning_rate=0.02)))
    rates = {int((event.step - 1) / WINDOWS): event.learning_rate for event in events}
    assert [rates[n] for n in range(12)] == pytest.approx([0.02] * 10 + [0.0194, 0.018818])
