"""Threads of the library that does NumPy's products."""

import contextlib

import numpy as np
from threadpoolctl import threadpool_info

from charrnn.machine.blas import one_thread


def threads() -> list[int]:
    """Of each linear algebra library in this process."""
    assert np.__version__, "the library is there once NumPy is"
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_products_run_on_one_thread_in_the_context_and_as_before_after_it() -> None:
    before = threads()
    assert before, "NumPy's library is not one that threadpoolctl knows"
    with one_thread():
        assert set(threads()) == {1}
        with one_thread():
            assert set(threads()) == {1}
        assert set(threads()) == {1}
    assert threads() == before


def test_an_error_gives_the_threads_back() -> None:
    before = threads()
    with contextlib.suppress(ZeroDivisionError), one_thread():
        raise ZeroDivisionError
    assert threads() == before
