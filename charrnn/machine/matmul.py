"""The products inside a loop over time: x·M for one x (B, N) after another, and the same M (N, R).

On processors with AVX-512, OpenBLAS multiplies small matrices without packing them first. Here a
product that is too large for that is cut into tiles that are small enough: some columns of M at a
time, and parts along N whose products are summed. On other processors it stays whole.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from charrnn.machine.aligned import aligned_zeros
from charrnn.machine.blas import has_small_products
from charrnn.types import Array

LANES = 16
"""float32 numbers in a vector register of 512 bits."""
MIN_TILE_COLUMNS, MAX_TILE_COLUMNS = 2 * LANES, 4 * LANES
WHOLE_ROWS = 256
"""Rows of M up to which it is not cut into parts, unless the tiles would be too large."""
PART_ROWS, MIN_PART_ROWS = 128, 64
"""Rows of a part, at most and at least."""
MAX_MULTIPLICATIONS = 600_000
"""Multiplications in a tile, well below the limit (about 10⁶) up to which OpenBLAS multiplies
without packing."""


@dataclass(frozen=True)
class Tiling:
    """How (B, N)·(N, R) is cut: into `parts` along N, and tiles of so many `columns` along R."""

    parts: int
    columns: int


def find_tiling(B: int, N: int, R: int) -> Tiling | None:
    """A tiling of (B, N)·(N, R) that is faster than the whole product, or None."""
    if min(B, N, R) == 0 or not has_small_products():
        return None
    widths = [n for n in range(MIN_TILE_COLUMNS, MAX_TILE_COLUMNS + 1) if R % n == 0]
    if not widths:
        return None
    columns = max(widths, key=lambda width: (width % LANES == 0, width))
    most = min(N if N <= WHOLE_ROWS else PART_ROWS, MAX_MULTIPLICATIONS // (B * columns))
    divisors = (n for n in range(min(N, MIN_PART_ROWS), most + 1) if N % n == 0)
    rows = max(divisors, default=0)
    return Tiling(N // rows, columns) if rows else None


class Product:
    """x·M for x (B, N) and M (N, blocks·C), as blocks (B, C) of the result.

    Memory: as much as M where it is cut into tiles, and P·B·blocks·C numbers for sums of P > 1
    parts.
    """

    def __init__(self, B: int, N: int, blocks: int, C: int, dtype: DTypeLike) -> None:
        self._shape = N, blocks, C
        self._tiling = find_tiling(B, N, C) if blocks else None
        self._parts: Array | None = None
        if self._tiling is not None:
            P, width = self._tiling.parts, self._tiling.columns
            self._tiles = aligned_zeros((P, blocks, C // width, N // P, width), dtype)
            if P > 1:
                self._parts = aligned_zeros((P, blocks, B, C), dtype)
                self._parts_in_tiles = self._in_tiles(self._parts)

    def _in_tiles(self, out: Array) -> Array:
        """A view (…, blocks, tiles, B, columns of a tile) of `out` (…, blocks, B, C)."""
        if self._tiling is None:
            return out
        *others, C = out.shape
        width = self._tiling.columns
        return out.reshape(*others, C // width, width).swapaxes(-3, -2)

    def factor_view(self, x: Array) -> Array:
        """A view of x (B, N), with contiguous rows, for `multiply`."""
        if self._parts is None:
            return x
        B, N = x.shape
        parts = len(self._parts)
        return x.reshape(B, parts, 1, 1, N // parts).transpose(1, 2, 3, 0, 4)

    def output_view(self, out: Array) -> Array:
        """A view of `out` (blocks, B, C) for `multiply` to write into."""
        return out if self._parts is not None else self._in_tiles(out)

    def set_matrix(self, M: Array) -> None:
        """Multiply by M (N, blocks·C) from now on; by a copy, where it is cut into tiles."""
        if self._tiling is None:
            self._M = M.reshape(self._shape).swapaxes(0, 1)
            return
        P, blocks, tiles, rows, width = self._tiles.shape
        in_tiles = M.reshape(P, rows, blocks, tiles, width)
        self._tiles[:] = in_tiles.transpose(0, 2, 3, 1, 4)
        self._M = self._tiles if P > 1 else self._tiles[0]

    def multiply(self, factor_view: Array, output_view: Array) -> None:
        """Write x·M; both arguments are made by the methods of these names."""
        if self._parts is None:
            np.matmul(factor_view, self._M, out=output_view)
        else:
            np.matmul(factor_view, self._M, out=self._parts_in_tiles)
            np.add.reduce(self._parts, axis=0, out=output_view)
