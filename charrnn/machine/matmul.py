"""The products inside a loop over time: one matrix M (R, N) with one x (N, B) after another.

On processors with AVX-512, OpenBLAS multiplies small matrices without packing them first. With 32
contiguous columns this is its fastest path. A product too large for it can be cut into tiles that
are small enough: some rows of M at a time, 32 columns of x at a time, and parts along N whose
products are summed. For an LSTM with H units and B columns, W·h and Wᵀ·da on one core (GFLOP/s):

    H     B      whole          in tiles
    128   32     175, 170       226, 213
    256   32     186, 174       218, 197
    512   32     169, 158       203, 182
    512   64     193, 187       227, 215
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from charrnn.machine.aligned import aligned_zeros
from charrnn.machine.blas import has_small_products
from charrnn.types import Array

LANES = 16
"""float32 numbers in a vector register of 512 bits."""
TILE_COLUMNS = 2 * LANES
MIN_TILE_ROWS = 32
MAX_MULTIPLICATIONS = 600_000
"""Multiplications in a tile, well below the limit (about 10⁶) up to which OpenBLAS multiplies
without packing."""


def round_up_to_lanes(count: int) -> int:
    """`count` rounded up to a multiple of `LANES`."""
    return -(-count // LANES) * LANES


def padded_columns(streams: int) -> int:
    """The number of columns of a loop over time: the streams, and padding where it saves time.

    A remainder of a division by `LANES` is slow: up to 7 padding columns cost less (at H = 128,
    19 µs for 32 columns and 25 µs for 25).
    """
    rounded = round_up_to_lanes(streams)
    return rounded if rounded - streams < LANES // 2 else streams


@dataclass(frozen=True)
class Tiling:
    """How (R, N)·(N, B) is cut: into `parts` along N, and tiles of `rows` × `columns`.

    Its methods return views of the operands with the tiles in the last two axes, so that one call
    of `np.matmul` multiplies all tiles.
    """

    parts: int
    rows: int
    columns: int

    def matrix(self, M: Array) -> Array:
        """View of M, given as (parts, R, N / parts)."""
        parts, R, inner = M.shape
        return M.reshape(parts, R // self.rows, 1, self.rows, inner)

    def factor(self, x: Array) -> Array:
        """View of x (N, B)."""
        N, B = x.shape
        x = x.reshape(self.parts, 1, N // self.parts, B // self.columns, self.columns)
        return x.transpose(0, 1, 3, 2, 4)

    def product(self, y: Array) -> Array:
        """View of the products y (parts, R, B)."""
        parts, R, B = y.shape
        y = y.reshape(parts, R // self.rows, self.rows, B // self.columns, self.columns)
        return y.transpose(0, 1, 3, 2, 4)


def find_tiling(R: int, N: int, B: int, *, max_parts: int = 1) -> Tiling | None:
    """A tiling of (R, N)·(N, B) that is faster than the whole product, or None."""
    if N == 0 or B % TILE_COLUMNS != 0 or not has_small_products():
        return None
    for parts in range(1, max_parts + 1):
        max_rows = MAX_MULTIPLICATIONS * parts // (N * TILE_COLUMNS)
        divisors = (n for n in range(MIN_TILE_ROWS, min(R, max_rows) + 1) if R % n == 0)
        rows = max(divisors, default=0)
        if rows and N % parts == 0:
            return Tiling(parts, rows, TILE_COLUMNS)
    return None


class RightFactor:
    """The x (N, B) of a product, in tiles. Memory: N·B numbers, if B is cut."""

    def __init__(self, tiling: Tiling | None, N: int, B: int, dtype: DTypeLike) -> None:
        self._tiling, self._copy = tiling, None
        if tiling is not None and tiling.columns < B:
            shape = (tiling.parts, 1, B // tiling.columns, N // tiling.parts, tiling.columns)
            self._copy = aligned_zeros(shape, dtype)

    def in_tiles(self, x: Array) -> Array:
        """x in contiguous tiles, because each of them is read many times."""
        if self._tiling is None:
            return x
        tiles = self._tiling.factor(x)
        if self._copy is None:
            return tiles
        self._copy[:] = tiles
        return self._copy


class Product:
    """M·x, where M (R, N) is not copied."""

    def __init__(self, R: int, N: int, B: int, dtype: DTypeLike) -> None:
        self._tiling = find_tiling(R, N, B)
        self._factor = RightFactor(self._tiling, N, B, dtype)
        self._shape = R, B

    def output_view(self, out: Array) -> Array:
        """A view of `out` (…, B), with R rows in all, for `multiply` to write into."""
        whole = out.reshape(self._shape)
        return whole if self._tiling is None else self._tiling.product(whole[np.newaxis])

    def set_matrix(self, M: Array) -> None:
        """Multiply by M (R, N) from now on."""
        self._M = M if self._tiling is None else self._tiling.matrix(M[np.newaxis])

    def multiply(self, x: Array, output_view: Array) -> None:
        """Write M·x, for a contiguous x (N, B), into a view made by `output_view`."""
        np.matmul(self._M, self._factor.in_tiles(x), out=output_view)


class TransposedProduct:
    """Wᵀ·x for W (N, R). Memory: R·N numbers, R·B, and P·R·B more for sums of P > 1 parts."""

    def __init__(self, N: int, R: int, B: int, dtype: DTypeLike) -> None:
        tiling = find_tiling(R, N, B, max_parts=8)
        parts = 1 if tiling is None else tiling.parts
        self._factor = RightFactor(tiling, N, B, dtype)
        self._W_T = aligned_zeros((parts, R, N // parts), dtype)
        self._parts = aligned_zeros((parts, R, B), dtype)
        self._sum = aligned_zeros((R, B), dtype) if parts > 1 else self._parts[0]
        self._M, self._out = self._W_T[0], self._parts[0]
        if tiling is not None:
            self._M, self._out = tiling.matrix(self._W_T), tiling.product(self._parts)

    def set_matrix(self, W: Array) -> None:
        """Multiply by Wᵀ from now on, by a copy with contiguous rows."""
        parts, R, inner = self._W_T.shape
        self._W_T[:] = W.reshape(parts, inner, R).transpose(0, 2, 1)

    def multiply(self, x: Array) -> Array:
        """Wᵀ·x (R, B) for a contiguous x (N, B); overwritten by the next call."""
        np.matmul(self._M, self._factor.in_tiles(x), out=self._out)
        if len(self._parts) > 1:
            np.add.reduce(self._parts, axis=0, out=self._sum)
        return self._sum
