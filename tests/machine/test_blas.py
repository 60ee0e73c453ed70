"""Threads of the library that does NumPy's products."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_info

from charrnn.machine.blas import Library, has_small_products, libraries, one_thread
from cli_helpers import SMALL, succeed, write


def threads() -> list[int]:
    """Of each linear algebra library in this process."""
    assert np.__version__, "the library is there once NumPy is"
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_products_run_on_one_thread_in_the_context_and_as_before_after_it() -> None:
    before = threads()
    if not before:
        pytest.skip("NumPy's library is not one that threadpoolctl knows")
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


def test_libraries_of_linear_algebra(monkeypatch: pytest.MonkeyPatch) -> None:
    openmp = {"user_api": "openmp", "internal_api": "openmp", "num_threads": 2}
    mkl = {"user_api": "blas", "internal_api": "mkl", "num_threads": 2}
    more = {"version": "0.3.31", "architecture": "Haswell", "num_threads": 1}
    found = [openmp, mkl, mkl | {"internal_api": "openblas"} | more]
    monkeypatch.setattr("threadpoolctl.threadpool_info", lambda: found)
    assert libraries() == [
        Library("mkl", "", "", 2), Library("openblas", "0.3.31", "Haswell", 1)
    ]  # fmt: skip


@pytest.fixture
def _an_unknown_library(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As on macOS, whose Accelerate threadpoolctl does not know."""
    monkeypatch.setattr(ThreadpoolController, "_load_libraries", lambda self: None)
    has_small_products.cache_clear()
    yield
    has_small_products.cache_clear()


@pytest.mark.usefixtures("_an_unknown_library")
def test_every_command_works_with_an_unknown_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert threads() == []
    assert not has_small_products()
    monkeypatch.chdir(tmp_path)
    write("a.txt")
    succeed("train", "a.txt", *SMALL, "--epochs", "0.5", "-q")
    assert len(succeed("sample", "-n", "20", "--seed", "1").text.rstrip("\n")) >= 19
    assert "bits per character" in succeed("score", "a.txt").text
    assert "L0:1" in succeed("visualize-neurons", "--unit", "L0:1").text
    assert "is unknown: everything works" in succeed("info", "--system").errors
