"""One recurrent layer over a window of time: what every cell shares.

Arrays are features first, batch last: the products then run at the full speed of BLAS, and
everything that does not depend on the step before is one product over all T·B columns.

    P = U·[X; 1]                    all steps at once; the bias is the last column of U
    h_t = cell(P_t + W·h_{t−1})     the only product inside the loop

What the loop touches lies step by step in memory, (T, features, B′), so that a step runs over
memory without gaps. What goes into a product over all steps, or comes from one, lies feature by
feature, (features, T, B). B′ ≥ B: where products are faster with some columns more than there are
streams, nobody looks at what comes of these.
"""

import numpy as np
from numpy.typing import DTypeLike

from charrnn.cells import Cell, Room
from charrnn.memory import Zeros
from charrnn.parameters import Array
from charrnn.products import Product, TransposedProduct, computed_streams


class Columns:
    """An array (F, T, B) as `steps`, and the same memory (F, T·B) as `flat`.

    It lies in `padded` (F, (T + 1)·B), whose last B columns mean nothing: rows that are a power of
    two apart would share a few cache sets, and products would be slower.
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

    Memory beside the cell's: H·(T + 1)·(B + B′) and K·H·B′ numbers, and for training (T − 1)·K·H·B′
    more, and what its products need.
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
        T, H, B, K, G = steps, hidden_size, batch, cell.blocks, cell.gates
        width = computed_streams(B)
        self._batch = B
        self.cell = cell(Room(H, T, width, dtype, training, zeros))
        self._tape = zeros((T if training else 1, K, H, width), dtype)
        # h_0 … h_T step by step, and the same feature by feature above a row of ones
        self._h = zeros((T + 1, H, width), dtype)
        h_and_one = zeros((H + 1, T + 1, B), dtype)
        h_and_one[H] = 1
        self._all_h = h_and_one[:H].transpose(1, 0, 2)
        self._before = h_and_one.reshape(H + 1, -1)[:H, : T * B]
        self.output = h_and_one.reshape(H + 1, -1)[:, B:]
        """[h_1 … h_T; 1] as (H + 1, T·B): the ones meet the bias column of what comes next."""
        self._W = Product(G * H, H, self.cell.from_before, zeros)
        # a copy and an addition without gaps take a third of the time of an addition with gaps
        self._P = zeros((G, H, width), dtype)
        if training:
            self._dh, self._dY = zeros((2, H, width), dtype)
            self._W_T = TransposedProduct(G * H, H, width, dtype, zeros)

    @property
    def state(self) -> Array:
        """h and the cell's own after the last step, (1 + S, H, B); a copy."""
        state: Array = np.concatenate((self._h[-1:], self.cell.memory))[..., : self._batch]
        return state

    @state.setter
    def state(self, state: Array) -> None:
        self._h[-1, :, : self._batch] = state[0]
        self.cell.memory[..., : self._batch] = state[1:]

    def forward(self, W: Array, projected: Columns, vectors: Array) -> None:
        """Run T steps on from the state that the last call left behind, with U·[X; 1] in
        `projected` (G·H, T, B), W (G·H, H) and the cell's further weights (X, H)."""
        h, cell, P, product = list(self._h), self.cell, self._P, self._W
        T, B, H = len(h) - 1, self._batch, W.shape[1]
        tape = list(self._tape) if len(self._tape) == T else [self._tape[0]] * T
        h[0][:] = h[T]
        cell.begin(vectors)
        product.take(W)
        P_of_streams = P[..., :B]
        P_by_step = projected.steps.reshape(-1, H, T, B).transpose(2, 0, 1, 3)
        for t in range(T):
            product.times(h[t])
            P_of_streams[:] = P_by_step[t]
            cell.from_below_only.fill(0)
            cell.from_below += P
            cell.forward(t, tape[t], h[t], h[t + 1])
        self._all_h[:] = self._h[..., :B]

    def backward(
        self,
        W: Array,
        dY: Array,
        dA: Columns,
        dW: Array,
        dvectors: Array,
        dH: Array | None = None,
    ) -> None:
        """From dY (H, T, B), the gradient of h_1 … h_T as others see them, to `dW` (G·H, H),
        `dvectors` (X, H) and `dA` (K·H, T, B), the gradient of the pre-activations; and to `dH`
        (H, T, B), if it is given: the whole gradient of h_1 … h_T, by way of later steps as well.
        """
        (rows, H), (_, T, B) = W.shape, dY.shape
        dh, tape, cell, W_T = self._dh, list(self._tape), self.cell, self._W_T
        dY_of_step, dY_of_streams, dh_of_streams = self._dY, self._dY[:, :B], dh[:, :B]
        by_step = dA.steps.reshape(-1, H, T, B).transpose(2, 0, 1, 3)
        W_T.take(W)
        cell.begin_backward()
        dh_of_streams[:] = dY[:, T - 1]
        for t in reversed(range(T)):
            if dH is not None:
                dH[:, t] = dh_of_streams
            cell.backward(t, dh, tape[t])
            by_step[t] = tape[t][..., :B]
            if t > 0:
                through_W = W_T.times(tape[t].reshape(-1, dh.shape[1])[-rows:])
                dY_of_streams[:] = dY[:, t - 1]
                if cell.passes_h:
                    dh += through_W
                    dh += dY_of_step
                else:
                    np.add(through_W, dY_of_step, out=dh)
        np.matmul(dA.flat[-rows:], self._before.T, out=dW)
        cell.end_backward(self._tape, dvectors)
