"""*Train N* equals *train k, save, load, train N − k*, for any options and any stops."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.errors import DivergedError
from charrnn.registries import OPTIMIZERS, SCHEDULES
from charrnn.training import divergence, evaluation
from charrnn.training.events import Recovered, Step
from charrnn.training.trainer import Trainer
from helpers import assert_same_training, resume, start

EXAMPLES = int(os.environ.get("CHARRNN_EXAMPLES", "40"))
CHOICES: dict[str, list[Any]] = {
    "optimizer": list(OPTIMIZERS),
    "schedule": list(SCHEDULES),
    "patience": [0, 3],
    "dropout": [0.0, 0.3],
    "recurrent_dropout": [0.0, 0.2],
    "weight_decay": [0.0, 0.1],
    "validation_fraction": [0.0, 0.2],
    "test_fraction": [0.0, 0.1],
    "clip": [0.0, 1.0],
    "threads": [1, 1, 2],
    "epochs": [0.8, 2.3, 4.0],
    "layers": [1, 2],
    "keep": [0, 3],
}
RATES = (0.3, 1.0, 300.0)
"""Times the default learning rate: with the last, many of the runs diverge."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "EVALUATION_WARM_UP", 16)
    monkeypatch.setattr(divergence, "RECENT_SYMBOLS", 64)
    monkeypatch.setattr("os.fsync", lambda _: None)


def options_of(rng: np.random.Generator) -> dict[str, Any]:
    options = {name: values[rng.integers(len(values))] for name, values in CHOICES.items()}
    usual = OPTIMIZERS[options["optimizer"]].defaults["learning_rate"]
    options["learning_rate"] = usual * RATES[rng.integers(len(RATES))]
    if options["validation_fraction"] == 0:  # which these go by
        options["patience"] = 0
        if options["schedule"] == "plateau":
            options["schedule"] = "constant"
    return options


def outcome(trainer: Trainer, stop: int | None = None) -> tuple[int, str]:
    """Run, to the end or for so many steps; the recoveries, and what ended the run."""
    recoveries = done = 0
    try:
        for event in trainer.run():
            recoveries += isinstance(event, Recovered)
            if type(event) is Step:
                done += 1
                if done == stop:
                    trainer.request_stop()
    except DivergedError as error:
        return recoveries, str(error).partition(";")[0]
    return recoveries, "finished" if trainer.state.finished else "stopped"


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_a_training_that_is_stopped_anywhere_is_the_same_to_the_bit(
    tmp_path: Path, seed: int
) -> None:
    rng = np.random.default_rng([161, seed])
    options = options_of(rng)
    whole, parts = tmp_path / "whole.npz", tmp_path / "parts.npz"
    recoveries, end = outcome(start(output=whole, **options))
    found = outcome(start(output=parts, **options), int(rng.integers(1, 12)))
    total = found[0]
    while found[1] == "stopped":
        found = outcome(resume(parts), int(rng.integers(1, 30)))
        total += found[0]
    assert (total, found[1]) == (recoveries, end)
    assert_same_training(whole, parts)


def test_the_examples_are_of_every_kind() -> None:
    """Of the options that are drawn, each comes up, and so does a divergence."""
    drawn = [options_of(np.random.default_rng([161, seed])) for seed in range(40)]
    for name, values in CHOICES.items():
        assert {options[name] for options in drawn} == set(values), name
