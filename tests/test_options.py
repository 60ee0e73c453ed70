"""What a training can be told: every wrong value is named, and what is right travels as JSON."""

import json
import math
import os
from typing import Any

import numpy as np
import pytest

from charrnn.errors import OptionError
from charrnn.options import LARGEST_BUDGET, TrainingOptions, usable_threads

WHOLE = ("batch_size", "seq_length", "threads")
BUDGETS = ("epochs", "minutes")
NO_NUMBERS: tuple[Any, ...] = (math.nan, math.inf, -math.inf, "1", True, [], 10**400, 1j)


def refuse(name: str, value: Any) -> str:
    """The message with which an option is refused: one line that names it."""
    options: dict[str, Any] = {name: value}
    with pytest.raises(OptionError) as refused:
        TrainingOptions(**options)
    message = str(refused.value)
    assert message.startswith(f"`{name}` ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("value", [0, -1, 2.0, "8", True, None, np.int64(8)])
def test_what_must_be_a_whole_number_of_at_least_1(name: str, value: Any) -> None:
    assert refuse(name, value).endswith(f"must be a whole number of at least 1, not {value!r}")


@pytest.mark.parametrize("name", [*BUDGETS, "learning_rate"])
@pytest.mark.parametrize("value", [0, -1, -0.5, *NO_NUMBERS])
def test_what_must_be_above_0(name: str, value: Any) -> None:
    assert refuse(name, value).endswith(f"must be a number above 0, not {value!r}")


def test_there_must_be_a_learning_rate() -> None:
    refuse("learning_rate", None)


@pytest.mark.parametrize("name", BUDGETS)
def test_a_budget_without_end(name: str) -> None:
    assert "must be at most 1e+09" in refuse(name, 2 * LARGEST_BUDGET)


@pytest.mark.parametrize("value", [-1, -1e-9, None, *NO_NUMBERS])
def test_a_clip_below_0(value: Any) -> None:
    assert refuse("clip", value).endswith(f"must be a number of at least 0, not {value!r}")


@pytest.mark.parametrize(
    "name", ["beta1", "dropout", "recurrent_dropout", "validation_fraction", "test_fraction"]
)
@pytest.mark.parametrize("value", [-0.1, 1, 1.0, 50, None, *NO_NUMBERS])
def test_a_share_outside_0_to_1(name: str, value: Any) -> None:
    message = refuse(name, value)
    assert message.endswith(f"must be at least 0 and less than 1, not {value!r}")


@pytest.mark.parametrize("value", [-1, 1.0, "1", True, None])
def test_a_seed_that_is_none(value: Any) -> None:
    assert refuse("seed", value).endswith(f"must be a whole number of at least 0, not {value!r}")


def test_the_smallest_and_largest_values_are_allowed() -> None:
    TrainingOptions(batch_size=1, seq_length=1, threads=1, seed=0, clip=0, validation_fraction=0)
    TrainingOptions(epochs=1e-9, minutes=1e-9, learning_rate=1e-30, validation_fraction=0.999)
    TrainingOptions(epochs=LARGEST_BUDGET, minutes=LARGEST_BUDGET, seed=2**64, learning_rate=1e300)
    TrainingOptions(epochs=3, minutes=10, learning_rate=1, clip=5)


def test_options_travel_as_json() -> None:
    options = TrainingOptions(
        batch_size=3,
        seq_length=5,
        epochs=0.1,
        minutes=1 / 3,
        learning_rate=0.1 + 0.2,
        clip=0,
        validation_fraction=0.07,
        seed=2**70,
        threads=2,
    )
    for each in (options, TrainingOptions()):
        assert TrainingOptions.from_json(json.loads(json.dumps(each.to_json()))) == each


def test_json_with_other_options_is_refused() -> None:
    with pytest.raises(TypeError, match="zoneout"):
        TrainingOptions.from_json(TrainingOptions().to_json() | {"zoneout": 0.5})


def test_usable_threads_are_the_processors_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= usable_threads() <= (os.cpu_count() or 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert usable_threads() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert usable_threads() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_threads() == 1
