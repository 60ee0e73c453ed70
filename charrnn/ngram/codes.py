"""K-grams as numbers.

A k-gram is one number: its symbols are the digits of its code in base V. So the sorted codes have
those that share a context side by side, and bisection finds them. V^n must be below 2⁶³: for 65
symbols n is at most 10, for 5,387 at most 5.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from charrnn.types import IdArray

Codes = NDArray[np.integer[Any]]

CODE_LIMIT = 2**63
"""Codes are below this (int64)."""
LARGEST_ORDER = 62


def largest_order(vocabulary_size: int) -> int:
    """The largest n for which V^n is below 2⁶³, at most `LARGEST_ORDER`."""
    order = 1
    while vocabulary_size ** (order + 1) < CODE_LIMIT and order < LARGEST_ORDER:
        order += 1
    return order


def codes(ids: IdArray, vocabulary_size: int, k: int, dtype: DTypeLike = np.int64) -> Codes:
    """The codes (N − k + 1,) of all k-grams of `ids` (N,), in the order of the text. The numbers
    up to V^k − 1 must fit in the `dtype`."""
    length = max(len(ids) - k + 1, 0)
    digits = (ids[place : place + length] for place in range(k))
    return _numbers(digits, vocabulary_size, dtype)


def codes_at(places: NDArray[np.intp], ids: IdArray, vocabulary_size: int, k: int) -> Codes:
    """The codes (P,) of the k-grams of `ids` (N,) that begin at `places` (P,)."""
    digits = (ids[place:][places] for place in range(k))
    return _numbers(digits, vocabulary_size, np.int64)


def _numbers(digits: Iterator[IdArray], base: int, dtype: DTypeLike) -> Codes:
    """The numbers (M,) of these digits, each an array (M,), the most significant first."""
    number = next(digits).astype(dtype)
    for digit in digits:
        number *= base
        number += digit.astype(dtype, copy=False)
    return number


def find(wanted: Codes, known: Codes) -> NDArray[np.intp]:
    """The index of each wanted code in the sorted codes `known`, −1 for those not among them."""
    places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[places] == wanted, places, -1)
