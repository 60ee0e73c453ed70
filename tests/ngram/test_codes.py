"""K-grams as numbers."""

import numpy as np
import pytest

from charrnn.ngram.codes import codes, codes_at, find, largest_order

TEXT = np.array([3, 0, 9, 4, 4, 1], np.uint8)


def test_the_symbols_are_digits() -> None:
    assert codes(TEXT, 10, 3).tolist() == [309, 94, 944, 441]
    assert codes(TEXT, 10, 6).tolist() == [309441]
    assert codes(TEXT, 10, 7).tolist() == []
    assert codes_at(np.array([3, 0]), TEXT, 10, 2).tolist() == [44, 30]


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.int64])
def test_small_codes_in_small_types(dtype: type) -> None:
    text = np.array([255, 254, 0, 255, 255], np.uint8)
    found = codes(text, 256, 2, dtype)
    assert found.dtype == dtype
    assert found.tolist() == [65534, 65024, 255, 65535]


@pytest.mark.parametrize(("size", "order"), [(2, 62), (65, 10), (256, 7), (5387, 5)])
def test_the_largest_codes(size: int, order: int) -> None:
    assert largest_order(size) == order
    assert codes(np.full(order, size - 1, np.uint16), size, order).tolist() == [size**order - 1]


def test_codes_that_are_not_there() -> None:
    assert find(np.array([0, 3, 4, 9]), np.array([3, 4, 7])).tolist() == [-1, 0, 1, -1]
