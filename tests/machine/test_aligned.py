"""Arrays that begin on a cache line: zeros of their own, of the shape and type asked for."""

import numpy as np
import pytest

from charrnn.machine.aligned import CACHE_LINE, aligned_zeros

SHAPES = [(), (3,), (5, 7), (2, 3, 4), (1,), (6, 6), (0,), (3, 0, 2), (1000, 1001)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_array_begins_on_a_cache_line(dtype: type) -> None:
    # kept, so that each has an address of its own; np.zeros would miss the line 3 times in 4
    arrays = [aligned_zeros((odd,), dtype) for odd in range(1, 200, 2)]
    assert all(array.ctypes.data % CACHE_LINE == 0 for array in arrays)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_are_zeros_of_the_shape_asked_for_and_do_not_overlap(dtype: type) -> None:
    arrays = [aligned_zeros(shape, dtype) for shape in SHAPES]
    for number, (array, shape) in enumerate(zip(arrays, SHAPES, strict=True), 1):
        assert array.shape == shape
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert not array.any()
        array.fill(number)
    for number, array in enumerate(arrays, 1):
        assert (array == number).all()


def test_memory_that_was_used_before_is_zero_again() -> None:
    for _ in range(20):
        array = aligned_zeros((100,), np.float32)
        assert not array.any()
        array.fill(7)
        del array
