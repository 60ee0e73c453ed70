"""Arrays in large pages: zeros of their own, wherever they lie."""

import mmap

import numpy as np
import pytest

from charrnn.machine.large_pages import MAPPING, LargePages

SHAPES = [(3,), (5, 7), (2, 3, 4), (1,), (MAPPING // 8,), (MAPPING // 2,), (6, 6)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_are_zeros_of_the_shape_asked_for_and_do_not_overlap(dtype: type) -> None:
    zeros = LargePages().zeros
    arrays = [zeros(shape, dtype) for shape in SHAPES]
    for number, (array, shape) in enumerate(zip(arrays, SHAPES, strict=True), 1):
        assert array.shape == shape
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert array.flags.aligned
        assert not array.any()
        array.fill(number)
    for number, array in enumerate(arrays, 1):
        assert (array == number).all()


def test_the_first_array_begins_with_a_large_page() -> None:
    assert LargePages().zeros((9,), np.float32).ctypes.data % 2**21 == 0


def test_memory_outlives_what_gave_it() -> None:
    pages = LargePages()
    array = pages.zeros((100,), np.float32)
    array[:] = 3
    del pages
    assert array.sum() == 300


def test_a_system_without_large_pages_gives_usual_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(mmap, "MADV_HUGEPAGE", raising=False)
    array = LargePages().zeros((4, 4), np.float64)
    assert array.shape == (4, 4)
    assert array.base is None
    assert not array.any()
