"""What a training is, before its first step."""

from pathlib import Path

import pytest

import charrnn
from charrnn.checkpoints.format import read_checkpoint
from charrnn.errors import OptionError
from charrnn.text.corpus import Corpus
from charrnn.training.plan import plan_resumed, plan_training
from charrnn.training.trainer import Trainer
from helpers import finish

LONG = Corpus.from_text("abcdefg\n" * 5000)
SMALL = {"hidden_size": 4, "layers": 1, "epochs": 1}


def test_shorter_windows_are_chosen_where_none_are_given() -> None:
    plan = plan_training(LONG, SMALL)
    assert plan.options.seq_length == plan.chosen["seq_length"] == 16
    assert plan.batches().steps == 16
    given = plan_training(LONG, SMALL | {"seq_length": 64})
    assert given.options.seq_length == 64
    assert "seq_length" not in given.chosen


def test_what_is_chosen_for_a_run_of_few_steps() -> None:
    text = Corpus.from_text("abcdefg\n" * 130_000)
    plan = plan_training(text, {"epochs": 1})
    assert plan.network.config.cell == plan.chosen["cell"] == "lstm-multiplicative"
    assert plan.options.beta1 == plan.chosen["beta1"] == 0.8
    named = plan_training(text, {"epochs": 1, "optimizer": "adam", "cell": "lstm"})
    assert (named.options.beta1, named.network.config.layers) == (0.9, 2)
    assert not {"beta1", "cell"} & set(named.chosen)
    assert plan_training(text, {"epochs": 1, "optimizer": "sgd"}).options.beta1 == 0.9


def test_fine_tuning_in_few_steps_has_a_smaller_beta1(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    finish(Trainer(plan_training(LONG, SMALL, output=path)))
    tuned = plan_training(LONG, {"epochs": 1}, init_from=read_checkpoint(path))
    assert tuned.options.beta1 == tuned.chosen["beta1"] == 0.8


def test_beta1_needs_an_optimizer_that_has_it() -> None:
    with pytest.raises(OptionError, match="`beta1` is of the optimizers adam, adamw, lion: leave"):
        plan_training(LONG, SMALL | {"optimizer": "sgd", "beta1": 0.8})
    assert plan_training(LONG, SMALL | {"optimizer": "lion", "beta1": 0.8}).options.beta1 == 0.8


def test_beta1_is_that_of_the_optimizer() -> None:
    weights = []
    for beta1 in (0.1, 0.9, 0.9):
        trainer = Trainer(plan_training(LONG, SMALL | {"beta1": beta1}))
        finish(trainer)
        weights.append(trainer.network.parameters.flat)
    assert (weights[1] == weights[2]).all()
    assert (weights[0] != weights[1]).any()


def test_the_steps_of_an_unlimited_run_are_enough_for_usual_windows() -> None:
    plan = plan_training(LONG, {"hidden_size": 4, "layers": 1})
    assert plan.options.seq_length == 64


def test_a_resumed_training_keeps_its_windows(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    finish(Trainer(plan_training(LONG, SMALL | {"seq_length": 32}, output=path)))
    resumed = plan_resumed(read_checkpoint(path), LONG, {"epochs": 2})
    assert resumed.options.seq_length == 32


def test_fine_tuning_chooses_by_the_cell_of_the_model(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    wide = SMALL | {"cell": "lstm-multiplicative", "hidden_size": 448, "epochs": 1e-9}
    finish(Trainer(plan_training(LONG, wide, output=path)))
    tuned = plan_training(LONG, {"epochs": 4}, init_from=read_checkpoint(path))
    assert tuned.options.recurrent_dropout == tuned.chosen["recurrent_dropout"] == 0.25
    assert tuned.options.seq_length == 16


def test_an_unknown_cell_is_told() -> None:
    with pytest.raises(OptionError, match="`cell` 'foo' is unknown; there are rnn, lstm"):
        charrnn.train("hello " * 100, cell="foo")
