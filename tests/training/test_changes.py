"""Going on with a training, with what may change, and what may not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from charrnn.checkpoints.atomic_write import write_checkpoint
from charrnn.checkpoints.format import Checkpoint, read_checkpoint
from charrnn.errors import CheckpointError, OptionError
from charrnn.optim.schedules import cosine
from charrnn.training.plan import plan_training
from charrnn.training.trainer import Trainer
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
)
from trainings import change_record, run_to_file

pytestmark = pytest.mark.usefixtures("quick")


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
        {"beta1": 0.7},
    ],
)
def test_what_a_training_can_change(output: Path, change: dict[str, Any]) -> None:
    trainer = start(output=output)
    stop_after(trainer, 5)
    again = resume(output, **change)
    assert again.options == replace(trainer.options, **change)
    assert not again.plan.budget_changed, "the budget is the same"


def test_a_record_from_before_beta1_has_the_usual_one(output: Path) -> None:
    trainer = start(output=output, beta1=0.9)
    stop_after(trainer, 5)
    options = trainer.options.to_json()
    del options["beta1"]
    change_record(output, options=options)
    assert resume(output).options == trainer.options


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
