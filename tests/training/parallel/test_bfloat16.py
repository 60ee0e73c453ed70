"""Rounding to bfloat16, beside a search for the nearest number."""

import numpy as np
import pytest

from charrnn.training.parallel.bfloat16 import BLOCK
from charrnn.types import Array
from helpers import rounded_to_bfloat16


def every_bfloat16() -> Array:
    """All finite ones from 0 on, in their order."""
    return (np.arange(0x7F80, dtype=np.uint32) << 16).view(np.float32)


def test_all_bfloat16_numbers_stay_as_they_are() -> None:
    every = every_bfloat16()
    for numbers in (every, -every):
        np.testing.assert_array_equal(
            rounded_to_bfloat16(numbers).view(np.uint32), numbers.view(np.uint32)
        )


def test_each_number_becomes_the_nearest_one() -> None:
    rng = np.random.default_rng(71)
    numbers = (rng.normal(size=3 * BLOCK + 1) * 10.0 ** rng.uniform(-30, 30, 3 * BLOCK + 1)).astype(
        np.float32
    )
    every, found = (
        every_bfloat16().astype(np.float64),
        rounded_to_bfloat16(numbers).astype(np.float64),
    )
    exact = np.abs(numbers.astype(np.float64))
    above = np.searchsorted(every, exact)
    nearest = np.minimum(np.abs(every[above] - exact), np.abs(every[above - 1] - exact))
    np.testing.assert_array_equal(np.abs(np.abs(found) - exact), nearest)
    assert np.abs(found / numbers - 1).max() <= 1 / 256


@pytest.mark.parametrize(("number", "expected"), [(1 + 1 / 256, 1.0), (1 + 3 / 256, 1 + 4 / 256)])
def test_a_tie_goes_to_the_even_one(number: float, expected: float) -> None:
    assert rounded_to_bfloat16(np.array([number, -number], np.float32)).tolist() == [
        expected,
        -expected,
    ]


def test_what_is_no_number_stays_none() -> None:
    special = np.array([np.inf, -np.inf, np.nan, -0.0], np.float32)
    np.testing.assert_array_equal(rounded_to_bfloat16(special), special)
    assert np.signbit(rounded_to_bfloat16(special)[3])
