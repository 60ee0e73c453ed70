"""How often a run is validated, and on how much of the held-out text."""

import pytest

from charrnn.training.validation import (
    FEWEST_VALIDATIONS,
    FORWARD_COST,
    MOST_SYMBOLS,
    MOST_VALIDATIONS,
    SYMBOLS_FOR_FREE,
    VALIDATION_SHARE,
    ValidationSchedule,
    validation_schedule,
)


def test_a_long_run_and_one_of_minutes_validate_often_and_on_much() -> None:
    assert validation_schedule(None, 10**6) == ValidationSchedule(MOST_VALIDATIONS, MOST_SYMBOLS)
    assert validation_schedule(50 * 10**6, 10**6) == ValidationSchedule(
        MOST_VALIDATIONS, MOST_SYMBOLS
    )
    assert validation_schedule(50 * 10**6, 10**6).streams == 64


def test_one_epoch_of_a_million_characters() -> None:
    schedule = validation_schedule(1_003_520, 111_539)
    assert schedule == ValidationSchedule(7, 4096)
    assert schedule.streams == 16


@pytest.mark.parametrize("trained", [300_000, 10**6, 3 * 10**6, 10**7, 10**8])
@pytest.mark.parametrize("held_out", [1, 2000, 50_000, 10**7])
def test_validations_stay_within_their_share(trained: int, held_out: int) -> None:
    schedule = validation_schedule(trained, held_out)
    assert FEWEST_VALIDATIONS <= schedule.count <= MOST_VALIDATIONS
    assert 1 <= schedule.symbols <= min(held_out, MOST_SYMBOLS)
    read = 2 * schedule.count * schedule.symbols  # the warm-up included
    assert read <= max(VALIDATION_SHARE * trained / FORWARD_COST, SYMBOLS_FOR_FREE)


def test_a_small_run_validates_as_often_as_a_long_one() -> None:
    assert validation_schedule(1000, 100) == ValidationSchedule(MOST_VALIDATIONS, 100)
    assert validation_schedule(1000, 0).count == MOST_VALIDATIONS
