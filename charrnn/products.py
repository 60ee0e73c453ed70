"""The products inside a loop over time: small matrices, in the shapes that are fastest.

OpenBLAS multiplies small matrices without packing them first where the processor has AVX-512. With
32 columns in steps that lie in memory without gaps, this is the fastest way there is, and a product
that is too large for it can be cut into some that are not. With H units and B′ columns, of an
LSTM's products W·h and Wᵀ·da (GFLOP/s on one core):

    H     B′      whole          in parts
    128   32      175, 170       226, 213
    256   32      186, 174       218, 197
    512   32      169, 158       203, 182
    512   64      179, 176       180, 148
"""

import numpy as np
from numpy.typing import DTypeLike

from charrnn.blas import has_small_products
from charrnn.memory import Zeros
from charrnn.parameters import Array

LANES = 16
"""Numbers of float32 in the widest registers."""
SMALL = 600_000
"""Multiplications in a product that is well below the limit (about 10⁶) up to which OpenBLAS
multiplies without packing the matrices first."""
FEWEST = 2 * LANES
"""Rows in a part of a product, at least, where there are parts."""


def computed_streams(streams: int) -> int:
    """How many columns the steps of a loop over time have for so many streams.

    The remainder of a division by `LANES` costs a product so much that up to 7 idle columns are
    cheaper (at H = 128: 19 µs for 32 columns, 25 µs for 25).
    """
    rounded = -(-streams // LANES) * LANES
    return rounded if rounded - streams < min(streams, LANES // 2) else streams


def rows_at_a_time(rows: int, inner: int, columns: int) -> int:
    """In how many rows at a time to compute (rows, inner)·(inner, columns)."""
    most = SMALL // (inner * columns)
    if columns != 2 * LANES or most < FEWEST or not has_small_products():
        return rows
    return max((n for n in range(FEWEST, min(rows, most) + 1) if rows % n == 0), default=rows)


def parts_of_sum(rows: int, inner: int, columns: int) -> int:
    """In how many parts, whose results are added up, to compute (rows, inner)·(inner, columns)."""
    for parts in (1, 2, 3, 4, 6, 8):
        if inner % parts == 0 and rows_at_a_time(rows, inner // parts, columns) < rows:
            return parts
    return 1


class Transposed:
    """Wᵀ·x for one W (I, R) and one x (I, B) after the other.

    Memory: R·I numbers and (P + 1)·R·B for sums of P parts.
    """

    def __init__(self, inner: int, rows: int, columns: int, dtype: DTypeLike, zeros: Zeros) -> None:
        parts = parts_of_sum(rows, inner, columns)
        few = rows_at_a_time(rows, inner // parts, columns)
        self._W_T = zeros((parts, rows, inner // parts), dtype)
        self._blocks = self._W_T.reshape(parts, rows // few, few, inner // parts)
        self._parts = zeros((parts, rows, columns), dtype)
        self._part_blocks = self._parts.reshape(parts, rows // few, few, columns)
        self._sum = zeros((rows, columns), dtype) if parts > 1 else self._parts[0]

    def take(self, W: Array) -> None:
        """W from now on. In this order the products are a quarter faster, and a copy is cheap."""
        parts, rows, inner = self._W_T.shape
        self._W_T[:] = W.reshape(parts, inner, rows).transpose(0, 2, 1)

    def times(self, x: Array) -> Array:
        """Wᵀ·x (R, B) for x (I, B); the next call overwrites it."""
        parts, _, inner = self._W_T.shape
        np.matmul(self._blocks, x.reshape(parts, 1, inner, -1), out=self._part_blocks)
        if len(self._parts) > 1:
            np.add.reduce(self._parts, axis=0, out=self._sum)
        return self._sum
