"""The input of the first layer: symbols as one-hot vectors.

A symbol v is the one-hot vector x with a 1 in row v, so that U·[x; 1] is column v of U plus the
bias column: the forward pass gathers columns and needs no product. The gradient dU sums the columns
of dA of each symbol. For a small vocabulary, a product with the one-hot matrix is faster; for a
large one, the columns are sorted by symbol and summed in runs.
"""

import numpy as np
from numpy.typing import DTypeLike, NDArray

from charrnn.machine.aligned import aligned_zeros
from charrnn.machine.matmul import round_up_to_lanes
from charrnn.nn.layer import Columns
from charrnn.types import Array

ONE_HOT_LIMIT = 256
"""The largest vocabulary for which the one-hot product is used (measured for dA of 1024 × 2048: as
fast as the sorted sums between 161 and 300 symbols)."""


class OneHotInput:
    """The input layer for windows of N = T·B symbols out of V.

    Memory: rows·V numbers, and for training rows·N more, or up to `ONE_HOT_LIMIT` symbols
    (rows + N)·V′, where V′ is V + 1 rounded up to a multiple of 16.
    """

    def __init__(
        self,
        symbols: int,
        rows: int,
        steps: int,
        batch: int,
        dtype: DTypeLike,
        *,
        training: bool,
    ) -> None:
        columns = steps * batch
        self._table = aligned_zeros((rows, symbols), dtype)
        self._padded_ids = np.zeros(columns + batch, np.intp)
        self._ids = self._padded_ids[:columns]
        self._ids_by_step = self._ids.reshape(steps, batch)
        self._columns = np.arange(columns)
        one_hot = training and symbols <= ONE_HOT_LIMIT
        self._one_hot = None
        if one_hot:
            # below the rows of the symbols a row of ones, for the bias, and rows of zeros: a whole
            # number of vector registers makes the product a seventh faster
            padded = round_up_to_lanes(symbols + 1)
            self._one_hot = aligned_zeros((padded, columns), dtype)
            self._one_hot[symbols] = 1
            self._dU = aligned_zeros((rows, padded), dtype)
        elif training:
            self._keys = np.empty(columns, np.intp)
            self._order = np.empty(columns, np.intp)
            self._is_start = np.ones(columns, np.bool_)
            self._sorted = aligned_zeros((rows, columns), dtype)

    def forward(self, U: Array, ids: NDArray[np.integer], out: Columns) -> None:
        """U·[X; 1] (rows, T, B) for U (rows, V + 1) and the symbols `ids` (T, B)."""
        self._ids_by_step[:] = ids
        np.add(U[:, :-1], U[:, -1:], out=self._table)
        # the padding too: `take` writes into contiguous memory only
        np.take(self._table, self._padded_ids, axis=1, out=out.padded, mode="clip")

    def backward(self, dA: Columns, dU: Array) -> None:
        """dU (rows, V + 1) from dA (rows, T, B), for the symbols of the last forward pass."""
        if self._one_hot is not None:
            symbols = dU.shape[1] - 1
            self._one_hot[:symbols] = 0
            self._one_hot[self._ids, self._columns] = 1
            np.matmul(dA.flat, self._one_hot.T, out=self._dU)
            dU[:] = self._dU[:, : symbols + 1]
        else:
            # sort the keys symbol·N + column in place, then split them again
            keys, columns = self._keys, self._ids.size
            np.multiply(self._ids, columns, out=keys)
            keys += self._columns
            keys.sort()
            np.remainder(keys, columns, out=self._order)
            np.floor_divide(keys, columns, out=keys)
            np.not_equal(keys[1:], keys[:-1], out=self._is_start[1:])
            starts = np.flatnonzero(self._is_start)
            # from the padded array: `take` would copy one that is not contiguous
            np.take(dA.padded, self._order, axis=1, out=self._sorted, mode="clip")
            sums = self._table[:, : starts.size]  # free since the forward pass
            np.add.reduceat(self._sorted, starts, axis=1, out=sums)
            dU.fill(0)
            dU[:, keys[starts]] = sums
            np.sum(dU[:, :-1], axis=1, out=dU[:, -1])
