"""One recurrent layer over a window of time: what every cell shares.

Arrays are features first, batch last, (features, T, B): the products then run at the full speed of
BLAS, and everything that does not depend on the step before is one product over all T·B columns.

    P = U·[X; 1]                    all steps at once; the bias is the last column of U
    h_t = cell(P_t, W·h_{t−1})      the only product inside the loop

The products of the loop may have some columns more than there are streams, where that is faster.
They read these from the step behind in memory, and nobody looks at what comes of them.

Row strides count: the rows of W lie directly behind each other, and the rows of wide arrays are not
a power of two apart (a step's columns would then share a few cache sets). At H = 256 and B = 32 the
two products of the loop then ran 1.2 and 1.3 times as fast.
"""

import numpy as np
from numpy.typing import DTypeLike

from charrnn.blas import has_small_products
from charrnn.cells import Cell, Room
from charrnn.memory import Zeros
from charrnn.parameters import Array

LANES = 16
"""Numbers of float32 in the widest registers."""
SMALL = 2**19
"""Multiplications in a product that is well below the limit (about 10⁶) up to which OpenBLAS
multiplies without packing the matrices first."""


def computed_streams(streams: int) -> int:
    """How many columns the products of the loop over time have for so many streams.

    The remainder of a division by `LANES` costs a product so much that up to 7 idle columns are
    cheaper (at H = 128: 26 µs for 32 columns, 29 µs for 25).
    """
    rounded = -(-streams // LANES) * LANES
    return rounded if rounded - streams < min(streams, LANES // 2) else streams


def rows_at_a_time(rows: int, inner: int, columns: int) -> int:
    """In how many rows at a time to compute (rows, inner)·(inner, columns).

    With 32 columns, small products without packing are faster than one with it (at H = 256: 77 µs
    for 16 times 64 rows, 92 µs for 1024); with more or fewer of them they are not.
    """
    most = SMALL // (inner * columns)
    if columns != 2 * LANES or most < LANES or not has_small_products():
        return rows
    divisors = [n for n in range(LANES, min(rows, most) + 1) if rows % n == 0]
    return max(divisors, default=rows)


class Columns:
    """An array (F, T, B) as `steps`, and the same memory (F, T·B) as `flat`.

    It lies in `padded` (F, (T + 1)·B), whose last B columns mean nothing.
    """

    def __init__(self, padded: Array, steps: int) -> None:
        batch = padded.shape[1] // (steps + 1)
        self.padded = padded
        self.flat = padded[:, : steps * batch]
        self.steps = padded.reshape(len(padded), steps + 1, batch)[:, :steps]

    @classmethod
    def zeros(
        cls, features: int, steps: int, batch: int, dtype: DTypeLike, zeros: Zeros
    ) -> "Columns":
        """A new array, made by `zeros`."""
        return cls(zeros((features, (steps + 1) * batch), dtype), steps)

    def rows(self, rows: slice) -> "Columns":
        """Some of the features, in the same memory."""
        return Columns(self.padded[rows], self.steps.shape[1])


class Layer:
    """One layer for windows of T steps in B streams: the loop over time, and its tape.

    The tape (K·H, T, B) holds U·[X; 1] first, then the cell's derivatives, and dA in the end: each
    step is overwritten while it is at hand, so that little memory moves. `projected` are its rows
    of U·[X; 1], and of the gradient of that in the end.

    Memory beside the cell's: ((K + 1)·H + 1)·(T + 1)·B + G·H·B′ numbers, with B′ columns in the
    products of the loop, and H·(B + B′) + G·H² for training.
    """

    def __init__(
        self,
        cell: type[Cell],
        hidden_size: int,
        steps: int,
        batch: int,
        dtype: DTypeLike,
        *,
        training: bool,
        zeros: Zeros = np.zeros,
    ) -> None:
        T, H, B, G = steps, hidden_size, batch, cell.gates
        K = cell.blocks if training else G
        self.cell = cell(Room(H, T, B, dtype, training, zeros))
        self.tape = Columns.zeros(K * H, T, B, dtype, zeros)
        self.projected = self.tape.rows(slice(0, G * H))
        self._tape_blocks = self.tape.steps.reshape(K, H, T, B)
        # h (H, T + 1, B), where [:, 0] stands before the first step, and a last row of ones
        h_and_one = zeros((H + 1, T + 1, B), dtype)
        h_and_one[H] = 1
        self._h = h_and_one[:H]
        self._before = h_and_one.reshape(H + 1, -1)[:H, : T * B]
        self.output = h_and_one.reshape(H + 1, -1)[:, B:]
        """[h_1 … h_T; 1] as (H + 1, T·B): the ones meet the bias column of what comes next."""
        self._all_h = h_and_one.reshape(H + 1, -1)[:H]
        # what W·h is computed in, and its columns that count
        self._width = width = computed_streams(B)
        self._rows = rows_at_a_time(G * H, H, width)
        self._wide_a = zeros((G * H // self._rows, self._rows, width), dtype)
        self._recurrent = self._wide_a.reshape(G, H, width)[:, :, :B]
        if training:
            self._dh = zeros((H, B), dtype)
            self._wide_dh = zeros((H, width), dtype)
            self._dA_recurrent = self.tape.rows(slice((K - G) * H, K * H))
            self._W_T = zeros((H, G * H), dtype)

    @property
    def state(self) -> Array:
        """h after the last step (H, B): a view, to be read or written."""
        return self._h[:, -1]

    def forward(self, W: Array, vectors: Array) -> None:
        """Run T steps on from the state that the last call left behind, with W (G·H, H) and the
        cell's further weights (X, H).

        `projected` must hold U·[X; 1].
        """
        h, tape, cell, width = self._h, self._tape_blocks, self.cell, self._width
        _, T, B = self.tape.steps.shape
        # on a detour: the two ends of h interleave in memory, and NumPy would make a copy first
        carried = self._recurrent[0]
        carried[:] = h[:, -1]
        h[:, 0] = carried
        cell.begin(vectors)
        blocks = W.reshape(-1, self._rows, W.shape[1])
        for t in range(T):
            np.matmul(blocks, self._all_h[:, t * B : t * B + width], out=self._wide_a)
            cell.forward(t, self._recurrent, tape[:, :, t], h[:, t], h[:, t + 1])

    def backward(
        self, W: Array, dY: Array, dW: Array, dvectors: Array, dH: Array | None = None
    ) -> None:
        """From dY (H, T, B), the gradient of h_1 … h_T as others see them, to `dW` (G·H, H) and
        `dvectors` (X, H), and dA in the tape; and to `dH` (H, T, B), if it is given: the whole
        gradient of h_1 … h_T, by way of later steps as well."""
        _, T, B = dY.shape
        dh, W_T, width, wide_dh = self._dh, self._W_T, self._width, self._wide_dh
        dA, tape, cell = self._dA_recurrent.padded, self._tape_blocks, self.cell
        W_T[:] = W.T  # in this order the product is a quarter faster, and the copy is cheap
        cell.begin_backward()
        dh[:] = dY[:, T - 1]
        for t in reversed(range(T)):
            if dH is not None:
                dH[:, t] = dh
            cell.backward(t, dh, tape[:, :, t])
            if t > 0:
                np.matmul(W_T, dA[:, t * B : t * B + width], out=wide_dh)
                if cell.passes_h:
                    dh += dY[:, t - 1]
                    dh += wide_dh[:, :B]
                else:
                    np.add(wide_dh[:, :B], dY[:, t - 1], out=dh)
        np.matmul(self._dA_recurrent.flat, self._before.T, out=dW)
        cell.end_backward(tape, dvectors)
