"""What signals do to a training: some end it after the current step, with all saved."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from charrnn.training.trainer import Trainer


@contextmanager
def stop_on_signals(trainer: Trainer) -> Iterator[list[int]]:
    """Let SIGINT, SIGTERM and SIGHUP end the training after the current step; yields those that
    came.

    A second signal has its usual effect at once. What the caller ignores, as nohup does, stays
    ignored.
    """
    came: list[int] = []
    numbers = [
        getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
    ]
    usual = {
        number: handler
        for number in numbers
        if (handler := signal.getsignal(number)) is not signal.SIG_IGN
    }

    def stop(number: int, _: FrameType | None) -> None:
        came.append(number)
        trainer.request_stop()
        restore()

    def restore() -> None:
        for number, handler in usual.items():
            signal.signal(number, handler)

    for number in usual:
        signal.signal(number, stop)
    with wake_up(trainer):
        try:
            yield came
        finally:
            restore()


@contextmanager
def wake_up(trainer: Trainer) -> Iterator[None]:
    """Do not count the time in which the training was suspended, as by Ctrl-Z."""
    if not hasattr(signal, "SIGCONT"):
        yield
        return
    usual = signal.signal(signal.SIGCONT, lambda *_: trainer.forget_pause())
    try:
        yield
    finally:
        signal.signal(signal.SIGCONT, usual)
