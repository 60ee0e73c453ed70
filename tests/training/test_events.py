"""The speed that a training shows."""

import pytest

from charrnn.training import events
from charrnn.training.events import Speedometer


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(events, "time", clock)
    return clock


def speeds(clock: Clock, seconds: list[float], characters: int = 100) -> list[float]:
    """After steps that took so long."""
    speedometer = Speedometer(window=5)
    found = []
    for each in seconds:
        clock.now += each
        found.append(speedometer.add(characters))
    return found


def test_the_first_step_has_no_speed_yet(clock: Clock) -> None:
    assert speeds(clock, [1]) == [0]


def test_an_even_speed_is_shown_as_it_is(clock: Clock) -> None:
    assert speeds(clock, [1, *[0.5] * 100])[1:] == pytest.approx([200] * 100)


def test_a_change_of_speed_shows_after_the_window(clock: Clock) -> None:
    found = speeds(clock, [1] * 20 + [0.1] * 60)
    assert found[19] == pytest.approx(100)
    assert 100 < found[45] < 1000
    assert found[79] == pytest.approx(1000)
    assert sorted(found[20:]) == pytest.approx(found[20:])


def test_steps_longer_than_the_window_have_a_speed(clock: Clock) -> None:
    assert speeds(clock, [60] * 5)[1:] == pytest.approx([100 / 60] * 4)


def test_a_clock_that_stands_still_is_no_error(clock: Clock) -> None:
    assert speeds(clock, [0] * 5) == [0] * 5


def test_what_is_kept_does_not_grow(clock: Clock) -> None:
    speedometer = Speedometer(window=5)
    for _ in range(1000):
        clock.now += 1
        speedometer.add(1)
    assert len(speedometer._marks) <= 7
