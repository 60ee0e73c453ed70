"""The learning rate over a run: up, then down along a cosine."""

import numpy as np
import pytest

from charrnn.schedule import FINAL, WARM_UP, cosine

PEAK = 0.01


def test_the_rate_climbs_to_its_peak() -> None:
    assert cosine(PEAK, 0) == pytest.approx(FINAL * PEAK)
    assert cosine(PEAK, WARM_UP / 2) == pytest.approx((1 + FINAL) / 2 * PEAK)
    assert cosine(PEAK, WARM_UP) == pytest.approx(PEAK)


def test_the_rate_ends_where_it_began() -> None:
    middle = (1 + WARM_UP) / 2  # of the way down
    assert cosine(PEAK, middle) == pytest.approx((1 + FINAL) / 2 * PEAK)
    assert cosine(PEAK, 1) == pytest.approx(FINAL * PEAK)


def test_the_rate_only_rises_and_then_only_falls() -> None:
    progress = np.linspace(0, 1, 2001)
    rates = np.array([cosine(PEAK, p) for p in progress.tolist()])
    changes = np.diff(rates)
    before = progress[1:] <= WARM_UP
    assert before.any()
    assert (changes[before] > 0).all()
    assert (changes[~before] < 0).all()
    assert rates.max() == pytest.approx(PEAK)


def test_the_rate_makes_no_jump() -> None:
    rates = np.array([cosine(PEAK, p) for p in np.linspace(0, 1, 2001).tolist()])
    assert np.abs(np.diff(rates)).max() < 0.011 * PEAK  # 1/100 of the climb, which is the steepest


def test_the_rate_is_a_multiple_of_its_peak() -> None:
    for progress in (0, 0.01, 0.3, 0.9, 1):
        assert cosine(3.0, progress) == pytest.approx(3 * cosine(1.0, progress))


@pytest.mark.parametrize(("outside", "end"), [(-0.5, 0), (-1e9, 0), (1.0001, 1), (1e9, 1)])
def test_before_the_start_and_after_the_end_it_is_that_of_the_end(outside: float, end: int) -> None:
    assert cosine(PEAK, outside) == cosine(PEAK, end)
