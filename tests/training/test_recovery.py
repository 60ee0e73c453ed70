"""What a training goes back to when it has diverged, and that this can be repeated."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoints.format import read_checkpoint
from charrnn.errors import DivergedError
from charrnn.training import divergence, evaluation, recovery, trainer
from charrnn.training.events import Event, Finished, Recovered, Saved, Step
from charrnn.training.parallel.sharded import ShardedNetwork
from charrnn.training.plan import plan_resumed
from charrnn.training.trainer import Trainer
from charrnn.types import Array
from helpers import (
    STEPS,
    TEXT,
    assert_same_training,
    corpus,
    finish,
    resume,
    start,
    steps,
    stop_after,
)

DIVERGING: dict[str, Any] = {
    "optimizer": "sgd",
    "learning_rate": 100.0,
    "schedule": "constant",
    "clip": 0.0,
    "epochs": 5,
}
"""A run whose loss rises without bound, as finite numbers at first."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "EVALUATION_WARM_UP", 16)
    monkeypatch.setattr("os.fsync", lambda _: None)


@pytest.fixture
def quick_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watch that goes by the last step alone."""
    monkeypatch.setattr(divergence, "RECENT_SYMBOLS", 32)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "a.npz"


def poison(
    training: Trainer, step: int, *, once: bool = False, events: list[Event] | None = None
) -> list[Event]:
    """Run, and make a weight no number after that step, each time or only once; the events, which
    are also added to those given."""
    events = [] if events is None else events
    for event in training.run():
        events.append(event)
        is_spared = once and training.state.recoveries > 0
        if type(event) is Step and event.step == step and not is_spared:
            training.network.parameters["W0"][0, 0] = np.nan
    return events


def weights_by_step(training: Trainer) -> dict[int, Array]:
    """The weights after each step of a run."""
    found = {0: training.network.parameters.flat.copy()}
    for event in training.run():
        if type(event) is Step:
            found[event.step] = training.network.parameters.flat.copy()
    return found


def good_step_before(step: int, total: int) -> int:
    """That of the last of 20 validations in `total` steps before the one after `step`."""
    marks = [n for n in range(1, total + 1) if 20 * n // total > 20 * (n - 1) // total]
    return max((n for n in marks if n < step), default=0)


@pytest.mark.parametrize("left", [0, 1, 20, 21, 36])
@pytest.mark.parametrize("fraction", [0, 0.1])
def test_a_run_that_gives_up_leaves_its_good_state(
    output: Path, left: int, fraction: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (recovery, trainer):
        monkeypatch.setattr(module, "MOST_RECOVERIES", 0)
    weights = weights_by_step(start(validation_fraction=fraction))
    total = max(weights)
    step = total - left
    with pytest.raises(DivergedError, match=r"no longer .*; .* holds the last good state; lower"):
        poison(start(output=output, validation_fraction=fraction), step)
    checkpoint = read_checkpoint(output)  # which takes finite numbers only
    good = good_step_before(step, total)
    assert checkpoint.training["step"] == good
    np.testing.assert_array_equal(checkpoint.arrays["last"], weights[good])
    again = resume(output, learning_rate=0.01)
    assert again.state.halvings == 0, "a given rate is not halved"
    assert isinstance(finish(again)[-1], Finished)


def test_a_run_that_gives_up_without_output_promises_none() -> None:
    with pytest.raises(DivergedError) as diverged:
        poison(start(), 20)
    assert "holds" not in str(diverged.value)
    assert "although the rate was halved 5 times" in str(diverged.value)
    assert "`learning_rate` (now 0.01) or `clip` (now 1)" in str(diverged.value)


def test_a_recovered_run_goes_on_with_half_the_rate_and_fresh_moments(output: Path) -> None:
    events = poison(start(output=output), 15, once=True)
    (recovered,) = [event for event in events if isinstance(event, Recovered)]
    assert (recovered.lost, recovered.step, recovered.learning_rate) == (15, 13, 0.005)
    done = steps(events)
    assert [step.step for step in done] == [*range(1, 16), *range(14, STEPS + 1)]
    assert done[15].learning_rate == pytest.approx(done[13].learning_rate / 2)
    # the same, made by hand from the checkpoint of step 13
    by_hand = output.with_name("by_hand.npz")
    stop_after(start(output=by_hand), 13)
    checkpoint = read_checkpoint(by_hand)
    zeros = {name: np.zeros_like(checkpoint.arrays[name]) for name in ("moments", "state")}
    changes = {"halvings": 1, "rescues": 1, "moments_since": 13, "good_step": 13}
    watch = {"watch_recent": None, "watch_lowest": None}
    checkpoint = replace(
        checkpoint,
        arrays=checkpoint.arrays | zeros,
        training=checkpoint.training | changes | watch,
    )
    finish(Trainer(plan_resumed(checkpoint, corpus(), {}, output=by_hand)))
    assert_same_training(output, by_hand)


def test_a_run_gives_up_after_a_few_tries(output: Path) -> None:
    events: list[Event] = []
    with pytest.raises(DivergedError):
        poison(start(output=output), 9, events=events)
    rates = [event.learning_rate for event in events if isinstance(event, Recovered)]
    assert rates == [0.01 / 2**n for n in range(1, 6)]


def test_the_history_has_no_lost_steps() -> None:
    training = start()
    poison(training, 17, once=True)
    recorded = [entry["step"] for entry in training.state.history]
    assert recorded == sorted(set(recorded))


def outcome(run: Callable[[], object]) -> str:
    """How a run ended: an error of its own, or well."""
    try:
        run()
    except DivergedError as error:
        return str(error)
    return ""


@pytest.mark.usefixtures("quick_watch")
@pytest.mark.parametrize("fraction", [0, 0.1])
@pytest.mark.parametrize("stop", [1, 3, 5, 8, 13, 21])
def test_a_diverging_run_that_is_resumed_is_the_same_to_the_bit(
    tmp_path: Path, stop: int, fraction: float
) -> None:
    whole, parts = tmp_path / "whole.npz", tmp_path / "parts.npz"
    options = DIVERGING | {"validation_fraction": fraction}
    events: list[Event] = []
    ends = [outcome(lambda: events.extend(start(output=whole, **options).run()))]
    assert any(isinstance(event, Recovered) for event in events), "the example proves nothing"
    training, steps_done = start(output=parts, **options), 0

    def stopped() -> None:
        nonlocal steps_done
        for event in training.run():
            if type(event) is Step:
                steps_done += 1
                if steps_done == stop:
                    training.request_stop()

    stopped()
    ends.append(outcome(lambda: finish(resume(parts))))
    assert ends[0].replace("whole", "parts") == ends[1]
    assert_same_training(whole, parts)


@pytest.mark.usefixtures("quick_watch")
def test_what_is_saved_meanwhile_does_not_change_a_recovery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rarely, often = tmp_path / "rarely.npz", tmp_path / "often.npz"
    first = outcome(lambda: finish(start(output=rarely, **DIVERGING)))
    monkeypatch.setattr(trainer, "SAVE_SECONDS", 0)
    second = outcome(lambda: finish(start(output=often, **DIVERGING)))
    assert first.replace("rarely", "often") == second
    assert_same_training(rarely, often)


def test_weights_that_are_no_numbers_are_never_saved(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even before a loss can tell."""
    monkeypatch.setattr(trainer, "SAVE_SECONDS", 0)
    training = start(output=output)
    for event in training.run():
        if type(event) is Step and event.step == 5 and not training.state.recoveries:
            training.network.parameters["W0"][0, 0] = np.nan
        if isinstance(event, Saved):
            assert np.isfinite(read_checkpoint(output).arrays["last"]).all()


def test_a_weight_that_the_held_out_text_does_not_use_is_seen(output: Path) -> None:
    """It does not show in the validation loss, so it must not become one of the best weights."""
    text = "#" + TEXT  # a symbol that comes once, and is not read again for a while
    training = start(text, output)
    column = int(training.plan.corpus.vocabulary.encode("#")[0])
    for event in training.run():
        if type(event) is Step and event.step == 6 and not training.state.recoveries:
            training.network.parameters["U0"][0, column] = np.nan
    assert training.state.recoveries == 1
    assert np.isfinite(training.validation.best_weights).all()
    assert np.isfinite(training.network.parameters.flat).all()
    assert read_checkpoint(output).training["finished"]


def test_a_divergence_in_the_last_step(output: Path) -> None:
    training = start(output=output, validation_fraction=0)
    total = training.budget.total_steps or 0
    events = poison(training, total, once=True)
    assert [event.lost for event in events if isinstance(event, Recovered)] == [total]
    assert steps(events)[-1].step == total
    assert np.isfinite(read_checkpoint(output).weights).all()


def test_a_stop_right_after_the_step_that_broke_the_weights_saves_the_good_state(
    output: Path,
) -> None:
    training = start(output=output)
    for event in training.run():
        if type(event) is Step and event.step == 15 and not training.state.recoveries:
            training.network.parameters["W0"][0, 0] = np.nan
            training.request_stop()
    record = read_checkpoint(output).training
    assert (record["step"], record["rescues"]) == (13, 1)


def test_a_gradient_that_is_no_number_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    training = start()
    monkeypatch.setattr(ShardedNetwork, "gradient_norm", lambda _: math.inf)
    before = training.network.parameters.flat.copy()
    with pytest.raises(DivergedError, match="after step 0"):
        finish(training)
    np.testing.assert_array_equal(training.network.parameters.flat, before)
