"""What all tests share."""

import signal
from collections.abc import Iterator

import pytest

import toy_cells as toys
from charrnn.machine.blas import one_thread


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
