"""The learning rate over a run."""

import numpy as np
import pytest

from charrnn.optim.schedules import FINAL_SHARE, SCHEDULES, WARM_UP_SHARE, cosine, step


def rate(progress: float) -> float:
    """The cosine, which has no eye for epochs."""
    assert cosine(progress, 0) == cosine(progress, 77.7)
    return cosine(progress, 0)


def test_the_rate_climbs_to_its_peak() -> None:
    assert rate(0) == pytest.approx(FINAL_SHARE)
    assert rate(WARM_UP_SHARE / 2) == pytest.approx((1 + FINAL_SHARE) / 2)
    assert rate(WARM_UP_SHARE) == pytest.approx(1)


def test_the_rate_ends_where_it_began() -> None:
    middle = (1 + WARM_UP_SHARE) / 2  # of the way down
    assert rate(middle) == pytest.approx((1 + FINAL_SHARE) / 2)
    assert rate(1) == pytest.approx(FINAL_SHARE)


def test_the_rate_only_rises_and_then_only_falls() -> None:
    progress = np.linspace(0, 1, 2001)
    rates = np.array([rate(p) for p in progress.tolist()])
    changes = np.diff(rates)
    before = progress[1:] <= WARM_UP_SHARE
    assert before.any()
    assert (changes[before] > 0).all()
    assert (changes[~before] < 0).all()
    assert rates.max() == pytest.approx(1)


def test_the_rate_makes_no_jump() -> None:
    rates = np.array([rate(p) for p in np.linspace(0, 1, 2001).tolist()])
    assert np.abs(np.diff(rates)).max() < 0.011  # 1/100 of the climb, which is the steepest


@pytest.mark.parametrize(("outside", "end"), [(-0.5, 0), (-1e9, 0), (1.0001, 1), (1e9, 1)])
def test_before_the_start_and_after_the_end_it_is_that_of_the_end(outside: float, end: int) -> None:
    assert rate(outside) == rate(end)


def test_the_steps_of_char_rnn() -> None:
    """After each epoch from the tenth on, 3 % less."""
    assert [step(0.5, epoch) for epoch in (0, 1, 9, 9.99)] == [1] * 4
    assert step(0.5, 10) == step(0.5, 10.99) == pytest.approx(0.97)
    assert step(0.5, 11) == pytest.approx(0.97**2)
    assert step(0.9, 49.5) == pytest.approx(0.97**40)


@pytest.mark.parametrize("name", ["constant", "plateau"])
def test_what_does_not_fall_by_itself(name: str) -> None:
    assert {SCHEDULES[name](p, e) for p in (0, 0.5, 1) for e in (0, 3.2, 100)} == {1}
