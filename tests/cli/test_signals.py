"""Signals to a training: which end it, and which do not count."""

import os
import signal
from types import SimpleNamespace

import pytest

from charrnn.cli.signals import stop_on_signals
from charrnn.training import trainer as module
from charrnn.training.events import Finished, Step
from helpers import STEPS, start


@pytest.mark.skipif(not hasattr(signal, "SIGCONT"), reason="no such signal on this system")
@pytest.mark.parametrize("wakes", [True, False])
def test_the_time_of_a_pause_does_not_count(monkeypatch: pytest.MonkeyPatch, wakes: bool) -> None:
    now = 0.0
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))
    training = start()
    with stop_on_signals(training) as came:
        for event in training.run():
            if type(event) is Step:
                now += 1
                if event.step == 5:
                    now += 1000  # as long as the process is suspended
                    if wakes:
                        os.kill(os.getpid(), signal.SIGCONT)
    assert came == []
    # the step before the pause is not counted with it
    assert training.state.seconds == (STEPS - 1 if wakes else STEPS + 1000)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_the_training_after_the_step_at_hand(name: str) -> None:
    number = getattr(signal, name)
    before = signal.getsignal(number)
    training = start()
    with stop_on_signals(training) as came:
        for event in training.run():
            if type(event) is Step and event.step == 5:
                os.kill(os.getpid(), number)
                assert signal.getsignal(number) is before, "the next one has its usual effect"
    assert came == [number]
    assert isinstance(event, Finished)
    assert (event.step, event.stopped) == (5, True)
    assert signal.getsignal(number) is before


def test_a_signal_that_the_caller_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with stop_on_signals(start()):
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
