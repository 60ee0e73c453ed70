"""One recurrent layer over a window of time: what all cells share.

Arrays have the time first, then the batch, then the features: a step is contiguous in memory, and
all steps together are the rows of one matrix. Everything that does not depend on the step before is
one product over all T·B rows:

    P = [X, 1]·Uᵀ                   all steps at once; the bias is the last column of U
    h_t = cell(P_t, h_{t−1}·Wᵀ)     the only product inside the loop

In a cell that scales h, the product is m_t·Wᵀ with m_t = s_t ⊙ h_{t−1}, where s_t is the first
block of P_t.

Within a step, each block of pre-activations (B, H) is contiguous, because the cell computes with
whole blocks.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from charrnn.machine.aligned import aligned_zeros
from charrnn.machine.matmul import Product
from charrnn.nn.cells import Cell, CellShape
from charrnn.types import Array


class Scratch:
    """Temporary arrays of the loop over time, for B streams. The layers of a network share them.

    Memory: G·H·B numbers, for training (K + 2)·H·B more, and that of the products.
    """

    def __init__(
        self, cell: type[Cell], hidden_size: int, batch: int, dtype: DTypeLike, *, training: bool
    ) -> None:
        H, B, R = hidden_size, batch, len(cell.recurrent_gates)
        # a contiguous copy of one step of P: adding it takes a third of the time
        self.P = aligned_zeros((len(cell.gates), B, H), dtype)
        self.W_product = Product(B, H, R, H, dtype)
        if training:
            self.dh, self.dh_of_W = aligned_zeros((2, B, H), dtype)
            self.da = aligned_zeros((len(cell.blocks), B, H), dtype)
            self.dW_product = Product(B, R * H, 1, H, dtype)


class Layer:
    """One layer for windows of T steps in B streams: the loop over time, and its tape.

    Memory beside the cell's: (H + 1)·(T + 1)·B numbers, and for the tape K·H·B, or T·K·H·B for
    training; with K + 1 in place of K in a cell that scales h.
    """

    def __init__(
        self,
        cell: type[Cell],
        hidden_size: int,
        steps: int,
        batch: int,
        dtype: DTypeLike,
        scratch: Scratch,
        *,
        training: bool,
    ) -> None:
        T, H, B = steps, hidden_size, batch
        G, K, R = len(cell.gates), len(cell.blocks), len(cell.recurrent_gates)
        self._scratch = scratch
        self.cell = cell(CellShape(H, T, B, dtype, training))
        # h_0 … h_T, each with a column of ones beside it
        h_and_one = aligned_zeros((T + 1, B, H + 1), dtype)
        h_and_one[..., H] = 1
        self._h = h_and_one[..., :H]
        self.output = h_and_one.reshape(-1, H + 1)[B:]
        """[h_1, 1] … [h_T, 1] (T·B, H + 1): the ones meet the bias column of the next product."""
        # the tape: for each step its pre-activations, which the cell turns into gates
        tape = list(aligned_zeros((T if training else 1, K, B, H), dtype))
        self._tape = tape if training else tape * T
        # what W multiplies: h_0 … h_{T−1}, or m_1 … m_T in a cell that scales h
        if cell.scales_h:
            m = aligned_zeros((T if training else 1, B, H), dtype)
            self._m = [m[t if training else 0] for t in range(T)]
            self._seen = m.reshape(-1, H)
        else:
            self._seen = h_and_one.reshape(-1, H + 1)[: T * B, :H]
        product = scratch.W_product
        inputs = self._m if cell.scales_h else self._h[:-1]
        self._W_inputs = [product.factor_view(x) for x in inputs]
        self._W_outputs = [product.output_view(a[K - R :]) for a in self._tape]
        self._U_outputs = [a[:G] for a in self._tape]
        self._without_W = [a[: K - R] for a in self._tape]
        self._kept: dict[str, Array] = {}

    def keep_states(self, names: Sequence[str]) -> None:
        """Keep these states of the cell for every step of a window; not for training.

        Memory: T·B·H numbers for each.
        """
        shape, dtype = self._h[1:].shape, self.output.dtype
        self._kept = {name: np.empty(shape, dtype) for name in names if name != "h"}

    def states(self, name: str) -> Array:
        """A state after each step of the last window, (T, B, H): "h", or one that is kept."""
        return self._h[1:] if name == "h" else self._kept[name]

    @property
    def state(self) -> Array:
        """A copy of h and the cell's state arrays after the last step, (1 + S, H, B)."""
        state = np.concatenate((self._h[-1:], self.cell.memory))
        return np.ascontiguousarray(state.swapaxes(1, 2))

    @state.setter
    def state(self, state: Array) -> None:
        by_stream = state.swapaxes(1, 2)
        self._h[-1] = by_stream[0]
        self.cell.memory[:] = by_stream[1:]

    def forward(self, W: Array, projected: Array, vectors: Array) -> None:
        """Run T steps from the carried state, with [X, 1]·Uᵀ in `projected` (T·B, G·H), W (R·H, H)
        and the cell's weight vectors (X, H)."""
        cell, P, product, h = self.cell, self._scratch.P, self._scratch.W_product, self._h
        P_by_step = blocks_by_step(projected, *h[1:].shape)
        product.set_matrix(W.T)
        cell.begin(vectors)
        h[0] = h[-1]
        for t, a in enumerate(self._tape):
            P[:] = P_by_step[t]
            if cell.scales_h:
                np.multiply(P[0], h[t], out=self._m[t])  # 1  m_t = s_t ⊙ h_{t−1}   (B, H)
            product.multiply(self._W_inputs[t], self._W_outputs[t])  # 2  a = W·h_{t−1}, or W·m_t
            self._without_W[t].fill(0)
            U_output = self._U_outputs[t]
            U_output += P  # 3  a += U·x_t + b   (G, B, H)
            cell.forward(t, a, h[t], h[t + 1])  # 4  h_t   (B, H)
            for name, kept in self._kept.items():
                kept[t] = cell.state(name, a)

    def backward(
        self,
        W: Array,
        dY: Array,
        dA: Array,
        dW: Array,
        dvectors: Array,
        dH: Array | None = None,
    ) -> None:
        """From dY (T·B, H), the gradient of h_1 … h_T as the layer's output, to `dW` (R·H, H),
        `dvectors` (X, H) and `dA` (T·B, K·H), the gradient of the pre-activations; and to `dH`
        (T, B, H), if it is given: the gradient of h_1 … h_T that includes the path through later
        steps.
        """
        shape = T, B, _ = self._h[1:].shape
        cell, scratch, product = self.cell, self._scratch, self._scratch.dW_product
        dh, dh_of_W, da = scratch.dh, scratch.dh_of_W, scratch.da
        dY_by_step, dA_by_step = dY.reshape(shape), blocks_by_step(dA, *shape)
        dA_of_W = dA[:, dA.shape[1] - len(W) :]
        da_of_W, through_W = dA_of_W.reshape(T, B, -1), product.output_view(dh_of_W[np.newaxis])
        product.set_matrix(W)
        cell.begin_backward()
        dh[:] = dY_by_step[T - 1]
        for t in reversed(range(T)):
            if dH is not None:
                dH[t] = dh
            cell.backward(t, dh, self._tape[t], da)  # of 4  da   (K, B, H)
            dA_by_step[t] = da  # of 3
            if t > 0 or cell.scales_h:
                product.multiply(product.factor_view(da_of_W[t]), through_W)  # of 2  Wᵀ·da   (B, H)
            if cell.scales_h:
                self._backward_scaled(t, dh_of_W, dA_by_step[t, 0])  # of 1
            if t > 0:
                if cell.passes_h:
                    dh += dh_of_W
                    dh += dY_by_step[t - 1]
                else:
                    np.add(dh_of_W, dY_by_step[t - 1], out=dh)
        np.matmul(dA_of_W.T, self._seen, out=dW)  # of 2
        cell.end_backward(dA_by_step.swapaxes(0, 1), dvectors)

    def _backward_scaled(self, t: int, dm: Array, ds: Array) -> None:
        """Turn dm_t into the gradient of h_{t−1}, in place, and write that of s_t into `ds`; all
        (B, H)."""
        np.multiply(dm, self._h[t], out=ds)
        dm *= self._tape[t][0]


def blocks_by_step(rows: Array, T: int, B: int, H: int) -> Array:
    """A view (T, blocks, B, H) of the rows (T·B, blocks·H) of all steps and streams."""
    return rows.reshape(T, B, -1, H).swapaxes(1, 2)
