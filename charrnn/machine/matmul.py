"""The products inside a loop over time: one matrix M (R, N), and one x (N, B) after the other.

OpenBLAS multiplies small matrices without packing them first where the processor has AVX-512. With
32 columns and no gaps in memory, this is the fastest way there is, and a product that is too large
for it can be cut into pieces that are not: into some rows of M at a time, 32 columns of x at a
time, and parts along N whose products are added up. With H units and B columns, for an LSTM's W·h
and Wᵀ·da (GFLOP/s on one core):

    H     B      whole          in pieces
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
"""Numbers of float32 in the widest registers."""
WIDTH = 2 * LANES
"""Columns of a piece."""
FEWEST = 32
"""Rows of a piece, at least."""
SMALL = 600_000
"""Multiplications in a product that is well below the limit (about 10⁶) up to which OpenBLAS
multiplies without packing the matrices first."""


def whole_registers(numbers: int) -> int:
    """So many, rounded up."""
    return -(-numbers // LANES) * LANES


def computed_streams(streams: int) -> int:
    """How many columns the steps of a loop over time have for so many streams.

    What remains of a division by `LANES` costs a product so much that up to 7 idle columns are
    cheaper (at H = 128: 19 µs for 32 columns, 25 µs for 25).
    """
    rounded = whole_registers(streams)
    return rounded if rounded - streams < LANES // 2 else streams


@dataclass(frozen=True)
class Pieces:
    """How (R, N)·(N, B) is cut: into `parts` along N, `rows` and `columns` at a time.

    Its methods give views of arrays, whose matrix product has its pieces in the last two axes.
    """

    parts: int
    rows: int
    columns: int

    def matrix(self, M: Array) -> Array:
        """Of M as (parts, R, N / parts)."""
        parts, R, inner = M.shape
        return M.reshape(parts, R // self.rows, 1, self.rows, inner)

    def factor(self, x: Array) -> Array:
        """Of x (N, B)."""
        N, B = x.shape
        x = x.reshape(self.parts, 1, N // self.parts, B // self.columns, self.columns)
        return x.transpose(0, 1, 3, 2, 4)

    def product(self, y: Array) -> Array:
        """Of the products (parts, R, B)."""
        parts, R, B = y.shape
        y = y.reshape(parts, R // self.rows, self.rows, B // self.columns, self.columns)
        return y.transpose(0, 1, 3, 2, 4)


def cut(R: int, N: int, B: int, *, most_parts: int = 1) -> Pieces | None:
    """The pieces of (R, N)·(N, B) that are faster than the whole, if there are any."""
    if N == 0 or B % WIDTH != 0 or not has_small_products():
        return None
    for parts in range(1, most_parts + 1):
        most = SMALL * parts // (N * WIDTH)
        rows = max((n for n in range(FEWEST, min(R, most) + 1) if R % n == 0), default=0)
        if rows and N % parts == 0:
            return Pieces(parts, rows, WIDTH)
    return None


class Factor:
    """An x (N, B) as a product wants to have it. Memory: N·B numbers, where B is cut."""

    def __init__(self, pieces: Pieces | None, N: int, B: int, dtype: DTypeLike) -> None:
        self._pieces, self._room = pieces, None
        if pieces is not None and pieces.columns < B:
            shape = (pieces.parts, 1, B // pieces.columns, N // pieces.parts, pieces.columns)
            self._room = aligned_zeros(shape, dtype)

    def fit(self, x: Array) -> Array:
        """x in pieces without gaps, since each of them is read many times."""
        if self._pieces is None:
            return x
        pieces = self._pieces.factor(x)
        if self._room is None:
            return pieces
        self._room[:] = pieces
        return self._room


class Product:
    """M·x, where M (R, N) is not copied."""

    def __init__(self, R: int, N: int, B: int, dtype: DTypeLike) -> None:
        self._pieces = cut(R, N, B)
        self._factor = Factor(self._pieces, N, B, dtype)
        self._shape = R, B

    def place(self, out: Array) -> Array:
        """A view of `out` (…, B), of R rows in all, as `times` takes it."""
        whole = out.reshape(self._shape)
        return whole if self._pieces is None else self._pieces.product(whole[np.newaxis])

    def take(self, M: Array) -> None:
        """Multiply with M (R, N) from now on."""
        self._M = M if self._pieces is None else self._pieces.matrix(M[np.newaxis])

    def times(self, x: Array, place: Array) -> None:
        """Leave M·x, for an x (N, B) without gaps, where `place` is a view of."""
        np.matmul(self._M, self._factor.fit(x), out=place)


class TransposedProduct:
    """Wᵀ·x for W (N, R). Memory: R·N numbers, R·B, and P·R·B more for sums of P > 1 parts."""

    def __init__(self, N: int, R: int, B: int, dtype: DTypeLike) -> None:
        pieces = cut(R, N, B, most_parts=8)
        parts = 1 if pieces is None else pieces.parts
        self._factor = Factor(pieces, N, B, dtype)
        self._W_T = aligned_zeros((parts, R, N // parts), dtype)
        self._parts = aligned_zeros((parts, R, B), dtype)
        self._sum = aligned_zeros((R, B), dtype) if parts > 1 else self._parts[0]
        self._M, self._out = self._W_T[0], self._parts[0]
        if pieces is not None:
            self._M, self._out = pieces.matrix(self._W_T), pieces.product(self._parts)

    def take(self, W: Array) -> None:
        """Multiply with Wᵀ from now on: with a copy, whose rows lie as the products like it."""
        parts, R, inner = self._W_T.shape
        self._W_T[:] = W.reshape(parts, inner, R).transpose(0, 2, 1)

    def times(self, x: Array) -> Array:
        """Wᵀ·x (R, B) for an x (N, B) without gaps; the next call overwrites it."""
        np.matmul(self._M, self._factor.fit(x), out=self._out)
        if len(self._parts) > 1:
            np.add.reduce(self._parts, axis=0, out=self._sum)
        return self._sum
