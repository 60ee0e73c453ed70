"""What all tests share."""

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


@pytest.fixture
def toy_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cells of `tests/toy_cells.py` can be chosen like any other."""
    toys.register(monkeypatch)
