"""The training: what it learns, what it saves, and that it goes on as if it had never stopped."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoints.atomic_write import write_checkpoint
from charrnn.checkpoints.format import Checkpoint, read_checkpoint
from charrnn.errors import CheckpointError, OptionError
from charrnn.model import Model
from charrnn.nn.network import Network
from charrnn.optim.schedules import cosine
from charrnn.options import DEFAULT_EPOCHS, DEFAULT_MINUTES, DEFAULT_STEPS, TrainingOptions
from charrnn.training import evaluation, validation
from charrnn.training import trainer as training
from charrnn.training.evaluation import Evaluation
from charrnn.training.events import Finished, Report, Saved, Step
from charrnn.training.parallel.sharded import ShardedNetwork
from charrnn.training.plan import plan_training
from charrnn.training.trainer import Trainer
from charrnn.types import Array
from helpers import (
    NO_REGULARISATION,
    SMALL,
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
    timeless,
)

# learned by heart it makes the end of the text less likely, not more
MISLEADING = "hello world " * 40 + "dlrow olleh " * 5


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes most of the time of such small trainings is proven elsewhere."""
    monkeypatch.setattr(evaluation, "EVALUATION_WARM_UP", 16)
    monkeypatch.setattr("os.fsync", lambda _: None)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "a.npz"


class Clock:
    """In the place of the clock of the training: it stands still but for what a test adds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (training, validation):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def last(events: list[Any]) -> Finished:
    finished = events[-1]
    assert isinstance(finished, Finished)
    return finished


# --- learning


def test_the_first_loss_is_about_ln_v() -> None:
    trainer = start(epochs=1, hidden_size=32)
    first = next(event for event in trainer.run() if isinstance(event, Step))
    assert first.step == 1
    assert first.loss == pytest.approx(math.log(trainer.plan.corpus.vocabulary.size), abs=0.4)


def test_hello() -> None:
    """Four symbols, h, e, l, o: from h, e, l, l it learns to tell the two l apart."""
    trainer = start("hello", hidden_size=16, epochs=150, validation_fraction=0)
    assert trainer.plan.corpus.vocabulary.size == 4
    events = finish(trainer)
    assert (trainer.batches.batch, trainer.batches.steps) == (1, 4)
    assert steps(events)[-1].loss < 0.5
    model = Model(trainer.network, trainer.plan.corpus.vocabulary)
    assert model.sample(4, temperature=0, prime="h") == "ello"


def test_a_short_text_is_learned_by_heart() -> None:
    text = "What is well begun is half done.\n"
    trainer = start(text, hidden_size=32, seq_length=64, epochs=200, validation_fraction=0)
    finish(trainer)
    ids = trainer.plan.corpus.ids
    assert Evaluation(ids[:0], ids).loss(trainer.network) < 0.05
    model = Model(trainer.network, trainer.plan.corpus.vocabulary)
    assert model.sample(len(text) - 1, temperature=0, prime=text[0]) == text[1:]


def test_the_loss_falls_on_held_out_text() -> None:
    events = finish(start(hidden_size=16, epochs=10))
    losses = [report.validation_loss for report in reports(events)]
    assert losses[0] is not None
    assert losses[-1] is not None
    assert losses[-1] < losses[0] - 0.5


@pytest.mark.parametrize("text", ["ab", "abc", "abcd", b"\x00\xff"])
@pytest.mark.parametrize("fraction", [0, 0.5])
def test_a_text_of_a_few_symbols(text: str | bytes, fraction: float) -> None:
    trainer = start(text, batch_size=64, seq_length=64, validation_fraction=fraction, threads=8)
    assert trainer.batches.batch == trainer.options.threads == 1
    assert trainer.batches.windows >= 1
    assert not last(finish(trainer)).stopped


def test_a_short_text_shrinks_the_batch_and_then_the_window() -> None:
    shapes = []
    for length in (10, 65, 200, 5000):
        trainer = start((TEXT * 9)[:length], batch_size=8, seq_length=64, validation_fraction=0)
        shapes.append((trainer.batches.batch, trainer.batches.steps))
    assert shapes == [(1, 9), (1, 64), (3, 64), (8, 64)]


# --- the same run again


def run_to_file(path: Path, **options: Any) -> Path:
    finish(start(output=path, **options))
    return path


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


# --- going on with changes


def test_another_text_is_refused(output: Path) -> None:
    stop_after(start(output=output), 5)
    with pytest.raises(CheckpointError) as refused:
        resume(output, TEXT[:-1] + "!")
    assert "another text (text, 600 characters) than text" in str(refused.value)
    assert "very same text" in str(refused.value)


@pytest.mark.parametrize(("first", "then"), [("é" * 200 + TEXT, b""), (b"", "é" * 200 + TEXT)])
def test_the_same_text_read_in_another_way_is_refused(
    output: Path, first: str | bytes, then: str | bytes
) -> None:
    """Bytes are no characters, even where the file is the same."""
    text, raw = "é" * 200 + TEXT, ("é" * 200 + TEXT).encode()
    stop_after(start(first or raw, output), 5)
    before = output.read_bytes()
    with pytest.raises(CheckpointError, match=r"different .*`as_bytes` or `encoding`"):
        resume(output, then or raw)
    assert output.read_bytes() == before
    finish(resume(output, text if first else raw))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 5),
        ("seq_length", 9),
        ("validation_fraction", 0.2),
        ("seed", 2),
        ("optimizer", "sgd"),
    ],
)
def test_what_a_training_cannot_change_is_refused(output: Path, name: str, value: Any) -> None:
    stop_after(start(output=output), 5)
    with pytest.raises(OptionError, match=f"`{name}` {value} does not fit the training"):
        resume(output, **{name: value})


def test_what_is_given_again_unchanged_is_accepted(output: Path) -> None:
    trainer = start(output=output)
    stop_after(trainer, 5)
    again = resume(output, **trainer.options.to_json())
    assert again.options == trainer.options
    assert not again.plan.budget_changed


@pytest.mark.parametrize(
    "change",
    [
        {"threads": 2},
        {"learning_rate": 0.1},
        {"clip": 0.5},
        {"clip_value": 0.1},
        {"weight_decay": 0.1},
    ],
)
def test_what_a_training_can_change(output: Path, change: dict[str, Any]) -> None:
    trainer = start(output=output)
    stop_after(trainer, 5)
    again = resume(output, **change)
    assert again.options == replace(trainer.options, **change)
    assert not again.plan.budget_changed, "the budget is the same"


def test_a_change_that_makes_no_sense_is_refused(output: Path) -> None:
    stop_after(start(output=output), 5)
    with pytest.raises(OptionError, match="`learning_rate` must be"):
        resume(output, learning_rate=-1)


def test_a_finished_training_is_not_resumed(output: Path) -> None:
    run_to_file(output)
    with pytest.raises(OptionError) as refused:
        resume(output)
    assert "used up its budget (2.3 epochs)" in str(refused.value)
    assert "`minutes` or `epochs`" in str(refused.value)
    with pytest.raises(OptionError, match=r"\(1 epoch\)"):
        resume(output, epochs=1)


def test_a_finished_training_goes_on_with_more_epochs(output: Path) -> None:
    run_to_file(output)
    trainer = resume(output, epochs=4)
    assert trainer.plan.budget_changed
    assert trainer.state.step == STEPS
    assert trainer.progress == STEPS / (4 * WINDOWS)
    assert trainer.learning_rate == 0.01 * cosine(STEPS / (4 * WINDOWS), 0)
    events = finish(trainer)
    assert [step.step for step in steps(events)] == list(range(STEPS + 1, 4 * WINDOWS + 1))
    validations = [report.step for report in reports(events)]
    assert validations[0] <= STEPS + 4, "validations go on from the place in the longer run"
    assert read_checkpoint(output).training["step"] == 4 * WINDOWS


def test_a_new_budget_takes_the_place_of_the_old_one(output: Path) -> None:
    stop_after(start(output=output, epochs=5, minutes=3), 5)
    assert str(resume(output).budget) == "3 minutes or 5 epochs"
    assert str(resume(output, epochs=7).budget) == "7 epochs"
    assert str(resume(output, minutes=7).budget) == "7 minutes"
    assert str(resume(output, minutes=7, epochs=2).budget) == "7 minutes or 2 epochs"


def test_a_model_without_its_training_is_not_resumed(output: Path) -> None:
    run_to_file(output)
    saved = read_checkpoint(output)
    write_checkpoint(
        output, Checkpoint(saved.config, saved.vocabulary, saved.weights, saved.training, {})
    )
    with pytest.raises(CheckpointError, match="a model only"):
        resume(output, epochs=9)


def change_record(path: Path, **changes: Any) -> None:
    """Write other entries into what a checkpoint says about its training; ... leaves one out."""
    checkpoint = read_checkpoint(path)
    record = checkpoint.training | changes
    record = {name: value for name, value in record.items() if value is not ...}
    write_checkpoint(path, replace(checkpoint, training=record))


def refused_as_damaged(path: Path) -> str:
    """The message: one line."""
    with pytest.raises(CheckpointError) as refused:
        resume(path)
    message = str(refused.value)
    assert "is damaged" in message
    assert message.isprintable()
    return message


def test_a_record_that_is_there_in_part_is_refused(output: Path) -> None:
    stop_after(start(output=output), 5)
    saved, whole = output.read_bytes(), read_checkpoint(output).training

    def refusal(**changes: Any) -> str:
        output.write_bytes(saved)
        change_record(output, **changes)
        return refused_as_damaged(output)

    for name in whole:
        assert name in refusal(**{name: "x"})
    optional = {"finished", "best_step", "good_step", "moments_since", "ranks"}  # in newer ones
    for name in set(whole) - optional - {"watch_recent", "watch_lowest", "snapshots"}:
        assert f"there is no {name}" in refusal(**{name: ...})
    assert "corpus has no sha256" in refusal(corpus={"name": "a.txt"})
    output.write_bytes(saved)
    finish(resume(output))


@pytest.mark.parametrize(("option", "value"), [("zoneout", 0.5), ("clip", -1), ("batch_size", "4")])
def test_saved_options_that_make_no_sense_are_refused(
    output: Path, option: str, value: Any
) -> None:
    trainer = start(output=output)
    stop_after(trainer, 5)
    change_record(output, options=trainer.options.to_json() | {option: value})
    assert "its options make no sense" in refused_as_damaged(output)


def test_moments_of_another_optimizer_are_refused(output: Path) -> None:
    trainer = start(output=output)
    stop_after(trainer, 5)
    change_record(output, options=trainer.options.to_json() | {"optimizer": "sgd"})
    assert "its moments are not those of sgd" in refused_as_damaged(output)


@pytest.mark.parametrize("streams", [0, 1, 5])
def test_a_state_of_another_number_of_streams_is_refused(output: Path, streams: int) -> None:
    stop_after(start(output=output), 5)
    checkpoint = read_checkpoint(output)
    state = np.zeros((*checkpoint.arrays["state"].shape[:3], streams), np.float32)
    arrays = checkpoint.arrays | {"state": state}
    write_checkpoint(output, replace(checkpoint, arrays=arrays))
    assert "its state is not that of 4 streams" in refused_as_damaged(output)


# --- stopping


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


# --- the best weights


def weights_at_validations(trainer: Trainer) -> list[tuple[float, Array]]:
    validations = []
    for event in trainer.run():
        if (found := reports([event])) and found[0].validated:
            assert found[0].validation_loss is not None
            validations.append((found[0].validation_loss, trainer.network.parameters.flat.copy()))
    return validations


def test_the_best_weights_are_those_of_the_lowest_validation_loss(output: Path) -> None:
    trainer = start(MISLEADING, output, epochs=5, learning_rate=0.03)
    validations = weights_at_validations(trainer)
    losses = [loss for loss, _ in validations]
    best = losses.index(min(losses))
    assert 0 < best < len(losses) - 1, "the example proves nothing"
    np.testing.assert_array_equal(trainer.validation.best_weights, validations[best][1])
    checkpoint = read_checkpoint(output)
    np.testing.assert_array_equal(checkpoint.weights, validations[best][1])
    np.testing.assert_array_equal(checkpoint.arrays["last"], validations[-1][1])
    assert checkpoint.training["best_loss"] == losses[best]
    # and that is their loss indeed
    train, held_out, _ = trainer.plan.corpus.split(0.1)
    whole = Evaluation(train, held_out, streams=1)
    assert whole.loss(checkpoint.network()) == pytest.approx(losses[best])


def test_a_checkpoint_on_the_way_holds_the_best_weights_so_far(output: Path) -> None:
    trainer = start(MISLEADING, output, epochs=5, learning_rate=0.03)
    best, best_loss = np.zeros(0, np.float32), math.inf
    for event in trainer.run():
        for report in reports([event]):
            loss = report.validation_loss
            if report.validated and loss is not None and loss < best_loss:
                best, best_loss = trainer.network.parameters.flat.copy(), loss
        if isinstance(event, Saved) and math.isfinite(best_loss):
            np.testing.assert_array_equal(read_checkpoint(output).weights, best)


def test_the_last_loss_is_that_of_the_best_weights_on_all_held_out_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(validation, "MOST_SYMBOLS", 10)
    text = TEXT * 3
    trainer = start(text, epochs=1)
    events = finish(trainer)
    train, held_out, _ = trainer.plan.corpus.split(0.1)
    config = trainer.network.config
    best = Network.from_weights(config, trainer.validation.best_weights)
    expected = Evaluation(train, held_out).loss(best)
    assert last(events).validation_loss == pytest.approx(expected, rel=1e-6)
    assert expected != pytest.approx(trainer.state.best_loss, rel=1e-4), (
        "which was measured on a part"
    )
    assert trainer.validation.symbols == len(held_out) == 180


def test_nothing_is_held_out_for_a_fraction_of_0(output: Path) -> None:
    trainer = start(output=output, validation_fraction=0)
    events = finish(trainer)
    assert trainer.validation.symbols == 0
    assert len(trainer.batches.ids) == len(TEXT)
    assert last(events).validation_loss is None
    assert not any(report.validated for report in reports(events))
    checkpoint = read_checkpoint(output)
    np.testing.assert_array_equal(checkpoint.weights, checkpoint.arrays["last"])
    np.testing.assert_array_equal(trainer.validation.best_weights, trainer.network.parameters.flat)


def test_before_the_first_look_the_newest_weights_are_the_best(output: Path) -> None:
    trainer = start(output=output, epochs=100)
    stop_after(trainer, 3)
    checkpoint = read_checkpoint(output)
    np.testing.assert_array_equal(checkpoint.weights, trainer.network.parameters.flat)
    assert checkpoint.training["best_loss"] is None


# --- the course of a run


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
    events = stop_after(start(output=output, clip=0.01), 1)
    assert steps(events)[0].gradient_norm > 0.01
    first_moment = read_checkpoint(output).arrays["moments"][0]
    assert np.linalg.norm(first_moment) == pytest.approx(0.1 * 0.01, rel=1e-4)


def test_each_number_of_the_gradient_is_clipped(output: Path) -> None:
    """After its norm, and before the optimizer sees it."""
    largest = []
    for clip_value in (0, 1e-4):
        stop_after(start(output=output, clip_value=clip_value), 1)
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


# --- minutes


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


# --- the end before the end


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


# --- the test part


def test_the_test_part_has_no_say(output: Path) -> None:
    """Another text in it, the same training."""
    count = len(TEXT)
    other = TEXT[: -count // 5] + TEXT[-count // 5 :][::-1]
    one, two = (
        start(text, output.with_name(name), validation_fraction=0.1, test_fraction=0.2)
        for text, name in ((TEXT, "one.npz"), (other, "two.npz"))
    )
    ends = [last(finish(trainer)) for trainer in (one, two)]
    np.testing.assert_array_equal(one.validation.best_weights, two.validation.best_weights)
    assert ends[0].validation_loss == ends[1].validation_loss
    assert ends[0].test_loss != ends[1].test_loss
    assert len(one.plan.split()[2]) == 120
    assert len(one.batches.ids) == 420
    train, held_out, test = one.plan.corpus.split(0.1, 0.2)
    network = read_checkpoint(output.with_name("one.npz")).network()
    expected = Evaluation(np.concatenate([train, held_out]), test).loss(network)
    assert ends[0].test_loss == pytest.approx(expected, rel=1e-6)
    saved = read_checkpoint(output.with_name("one.npz")).training
    assert saved["test_loss"] == ends[0].test_loss


def test_without_a_test_part_there_is_no_test_loss() -> None:
    assert last(finish(start())).test_loss is None


# --- a model that goes on with another text


def test_a_trained_model_learns_another_text(output: Path) -> None:
    finish(start(output=output, epochs=10))
    old = read_checkpoint(output)
    new = corpus("Ünïcode line 77 of the text, ß.\n" * 20)
    trainer = Trainer(plan_training(new, NO_REGULARISATION | SMALL, init_from=old))
    assert trainer.plan.corpus.vocabulary.size == old.vocabulary.size + 5
    first = steps(finish(trainer))[0]
    sizes = {"hidden_size": 8, "layers": 1}
    fresh = Trainer(plan_training(new, NO_REGULARISATION | SMALL | sizes))
    assert first.loss < steps(finish(fresh))[0].loss - 0.3
    assert first.learning_rate == 0.01 * cosine(0, 0), "the schedule begins anew"


def test_a_training_from_a_model_is_resumed_to_the_bit(output: Path) -> None:
    finish(start(output=output))
    old, text = read_checkpoint(output), "line of Ünïcode, ß.\n" * 20  # not all of its symbols
    whole, parts = output.with_name("whole.npz"), output.with_name("parts.npz")
    for path in (whole, parts):
        plan = plan_training(corpus(text), NO_REGULARISATION | SMALL, init_from=old, output=path)
        trainer = Trainer(plan)
        if path == whole:
            finish(trainer)
        else:
            stop_after(trainer, 7)
            finish(resume(path, text))
    assert_same_training(whole, parts)


# --- what is made of the options


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
