"""The input of the first layer: symbols as one-hot vectors.

A symbol v is the one-hot vector x with a 1 in row v, so that U·[x; 1] is column v of U plus the
bias column: the forward pass looks it up in a table and needs no product. The gradient dU sums the
rows of dA of each symbol.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike, NDArray

from charrnn.machine.aligned import aligned_zeros
from charrnn.types import Array

BLOCK_FEATURES = 64
"""Rows of U that are transposed at a time, so that the lines of the cache are used whole."""
ROWS_AT_ONCE = 256
"""Rows of dA that are summed at a time: they stay in the cache of the processor."""


class OneHotInput:
    """The input layer for N = T·B symbols out of V.

    Its table has all symbols, or only the distinct ones of a window where V > N. Memory:
    min(N, V)·(G·H + 64) numbers, and for training 256·K·H more.
    """

    def __init__(
        self, symbols: int, features: int, rows: int, dtype: DTypeLike, *, gradients: int = 0
    ) -> None:
        """`features` are the G·H of each symbol; `gradients`, for training, the K·H columns of
        dA."""
        most = min(symbols, rows)
        self._has_all = symbols <= rows
        self._table = aligned_zeros((most, features), dtype)
        self._rows = np.arange(rows)
        self._ids, self._places = np.zeros((2, rows), np.intp)
        self._keys, self._order = np.zeros((2, rows), np.intp)
        self._is_start = np.ones(rows, np.bool_)
        self._place_of = np.zeros(symbols + 1, np.intp)
        """The place of each symbol among the distinct ones, or n; for the bias n + 1."""
        self._block = aligned_zeros((BLOCK_FEATURES * (most + 2),), dtype)
        self._some_rows = aligned_zeros((ROWS_AT_ONCE, gradients), dtype)
        self._sum = aligned_zeros((features,), dtype)

    def forward(self, U: Array, ids: NDArray[np.integer], out: Array) -> None:
        """[X, 1]·Uᵀ in `out` (N, G·H), for U (G·H, V + 1) and the symbols `ids` (T, B)."""
        self._ids.reshape(ids.shape)[:] = ids
        if self._has_all:
            np.add(U[:, :-1].T, U[:, -1], out=self._table)
            np.take(self._table, self._ids, axis=0, out=out, mode="clip")
            return
        self._find_distinct()
        n = len(self._distinct)
        for features in self._blocks():
            rows = U[features]
            block = self._block[: len(rows) * n].reshape(len(rows), n)
            np.take(rows, self._distinct, axis=1, out=block, mode="clip")
            block += rows[:, -1:]
            self._table[:n, features] = block.T
        np.take(self._place_of, self._ids, out=self._places, mode="clip")
        np.take(self._table, self._places, axis=0, out=out, mode="clip")

    def _find_distinct(self) -> None:
        """Sort the rows by symbol: `_order` are the rows, and those of the n `_distinct` symbols
        begin at `_starts`, the last of which is the end."""
        # the keys symbol·N + row are sorted in place, then split again
        keys, rows = self._keys, self._ids.size
        np.multiply(self._ids, rows, out=keys)
        keys += self._rows
        keys.sort()
        np.remainder(keys, rows, out=self._order)
        np.floor_divide(keys, rows, out=keys)
        np.not_equal(keys[1:], keys[:-1], out=self._is_start[1:])
        starts = np.flatnonzero(self._is_start)
        n = len(starts)
        self._distinct, self._starts = keys[starts], np.append(starts, rows)
        self._place_of.fill(n)
        self._place_of[self._distinct] = np.arange(n)
        self._place_of[-1] = n + 1

    def backward(self, dA: Array, dU: Array) -> None:
        """dU (G·H, V + 1) from dA (N, K·H), of which the first G·H columns are those of U, for the
        symbols of the last forward pass."""
        if self._has_all:
            self._find_distinct()
        n = len(self._distinct)
        sums = self._table[:n]  # free since the forward pass
        for sum_of_symbol, (start, end) in zip(sums, pairwise(self._starts), strict=True):
            self._sum_rows(dA, self._order[start:end], sum_of_symbol)
        bias = np.add.reduce(sums, axis=0, out=self._sum)
        for block_of in self._blocks():
            out = dU[block_of]
            # beside the sums a column of zeros, for all other symbols, and one for the bias
            block = self._block[: len(out) * (n + 2)].reshape(len(out), n + 2)
            block[:, :n] = sums[:, block_of].T
            block[:, n], block[:, n + 1] = 0, bias[block_of]
            np.take(block, self._place_of, axis=1, out=out, mode="clip")

    def _sum_rows(self, dA: Array, rows: NDArray[np.intp], out: Array) -> None:
        """The sum of some rows of dA in `out` (G·H,)."""
        features = len(out)
        if len(rows) == 1:
            out[:] = dA[rows[0], :features]
            return
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            found = self._some_rows[: len(some)]
            np.take(dA, some, axis=0, out=found, mode="clip")
            if start == 0:
                np.add.reduce(found[:, :features], axis=0, out=out)
            else:
                out += np.add.reduce(found[:, :features], axis=0, out=self._sum)

    def _blocks(self) -> list[slice]:
        starts = range(0, self._table.shape[1], BLOCK_FEATURES)
        return [slice(start, start + BLOCK_FEATURES) for start in starts]
