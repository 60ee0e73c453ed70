"""What a training learns."""

import math

import pytest

from charrnn.model import Model
from charrnn.training.evaluation import Evaluation
from charrnn.training.events import Step
from helpers import TEXT, finish, reports, start, steps
from trainings import last

pytestmark = pytest.mark.usefixtures("quick")


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
