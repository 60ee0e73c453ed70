"""The weights that are kept, and the losses that are told of them."""

import math
from pathlib import Path

import numpy as np
import pytest

from charrnn.checkpoints.format import read_checkpoint
from charrnn.nn.network import Network
from charrnn.training import validation
from charrnn.training.evaluation import Evaluation
from charrnn.training.events import Saved
from helpers import TEXT, finish, reports, start, stop_after
from trainings import MISLEADING, last, weights_at_validations

pytestmark = pytest.mark.usefixtures("quick")


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
