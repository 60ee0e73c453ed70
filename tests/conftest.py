"""What all tests share."""

import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import toy_cells as toys
from charrnn.machine.blas import one_thread
from charrnn.training import evaluation, trainer, validation
from trainings import Clock


@pytest.fixture(autouse=True, scope="session")
def _products_by_one_thread() -> Iterator[None]:
    """Small products are shared out among threads that wait for each other: on a machine that has
    other work to do, that takes many times as long."""
    with one_thread():
        yield


@pytest.fixture(autouse=True, scope="session")
def _signals_as_in_a_terminal() -> Iterator[None]:
    """The tests, and the processes that they start, may inherit ignored signals: those of `nohup`,
    or of a script's background job."""
    names = ("SIGINT", "SIGHUP", "SIGQUIT", "SIGTERM")
    ignored = [
        number
        for number in (getattr(signal, name) for name in names if hasattr(signal, name))
        if signal.getsignal(number) is signal.SIG_IGN
    ]
    for number in ignored:
        is_interrupt = number == signal.SIGINT
        signal.signal(number, signal.default_int_handler if is_interrupt else signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture
def toy_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cells of `tests/toy_cells.py` can be chosen like any other."""
    toys.register(monkeypatch)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings without what takes most of their time when they are small, and is proven
    elsewhere."""
    monkeypatch.setattr(evaluation, "EVALUATION_WARM_UP", 16)
    monkeypatch.setattr("os.fsync", lambda _: None)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The checkpoint of a training."""
    return tmp_path / "a.npz"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of all trainings."""
    clock = Clock()
    for module in (trainer, validation):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock
