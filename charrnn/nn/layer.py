"""One recurrent layer over a window of time: what all cells share.

Arrays have the features first and the batch last, the layout in which BLAS is fastest, and
everything that does not depend on the step before is one product over all T·B columns:

    P = U·[X; 1]                    all steps at once; the bias is the last column of U
    h_t = cell(P_t, W·h_{t−1})      the only product inside the loop

In a cell that scales h, the product is W·m_t with m_t = s_t ⊙ h_{t−1}, where s_t is the first block
of P_t.

Arrays of the loop are contiguous step by step, (T, features, B′). Arrays that enter or leave a
product over all steps are contiguous feature by feature, (features, T, B). B′ ≥ B: where products
are faster with more columns than there are streams, the loop has padding columns, whose results are
ignored.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from charrnn.machine.aligned import aligned_zeros
from charrnn.machine.matmul import Product, TransposedProduct, padded_columns
from charrnn.nn.cells import Cell, CellShape
from charrnn.types import Array


class Columns:
    """An array (F, T, B) as `steps`, and the same memory (F, T·B) as `flat`.

    Both are views of `padded` (F, (T + 1)·B), whose last B columns are padding: rows a power of two
    apart would share a few cache sets, and products would be slower.
    """

    def __init__(self, padded: Array, steps: int) -> None:
        batch = padded.shape[1] // (steps + 1)
        self.padded = padded
        self.flat = padded[:, : steps * batch]
        self.steps = padded.reshape(len(padded), steps + 1, batch)[:, :steps]

    @classmethod
    def zeros(cls, features: int, steps: int, batch: int, dtype: DTypeLike) -> "Columns":
        """A new array of zeros."""
        return cls(aligned_zeros((features, (steps + 1) * batch), dtype), steps)

    def rows(self, rows: slice) -> "Columns":
        """Some of the features, in the same memory."""
        return Columns(self.padded[rows], self.steps.shape[1])

    def by_step(self, hidden_size: int) -> Array:
        """A view of blocks of H features, step by step, (T, blocks, H, B)."""
        _, T, B = self.steps.shape
        return self.steps.reshape(-1, hidden_size, T, B).transpose(2, 0, 1, 3)


class Scratch:
    """Temporary arrays of the loop over time, for B streams. The layers of a network share them.

    Memory: (G + 1)·H·B′ numbers, for training (K + 2)·H·B′ more, and that of the products.
    """

    def __init__(
        self, cell: type[Cell], hidden_size: int, batch: int, dtype: DTypeLike, *, training: bool
    ) -> None:
        H, G, K, R = hidden_size, len(cell.gates), len(cell.blocks), len(cell.recurrent_gates)
        self.width = padded_columns(batch)
        # contiguous copies of one step of a wide array: adding them takes a third of the time
        self.P = aligned_zeros((G, H, self.width), dtype)
        self.m = aligned_zeros((H, self.width), dtype)
        self.W_product = Product(R * H, H, self.width, dtype)
        if training:
            self.dh, self.dY = aligned_zeros((2, H, self.width), dtype)
            self.da = aligned_zeros((K, H, self.width), dtype)
            self.da_of_W = self.da[K - R :].reshape(R * H, self.width)
            self.W_T_product = TransposedProduct(R * H, H, self.width, dtype)


class Layer:
    """One layer for windows of T steps in B streams: the loop over time, and its tape.

    Memory beside the cell's: (H + 1)·(T + 1)·B + 2·H·B′ numbers, for the tape K·H·B′, or T·K·H·B′
    for training, and H·T·B for training a cell that scales h.
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
        self._scratch, width = scratch, scratch.width
        self.cell = cell(CellShape(H, T, width, dtype, training))
        # h_{t−1} and h_t, which swap in every step
        self._h = list(aligned_zeros((2, H, width), dtype))
        # h_0 … h_T above a row of ones
        h_and_one = aligned_zeros((H + 1, T + 1, B), dtype)
        h_and_one[H] = 1
        self._h_by_step = h_and_one[:H].transpose(1, 0, 2)
        self._h_before = h_and_one.reshape(H + 1, -1)[:H, : T * B]
        self.output = h_and_one.reshape(H + 1, -1)[:, B:]
        """[h_1 … h_T; 1] as (H + 1, T·B): the ones meet the bias column of the next product."""
        # the tape: for each step its pre-activations, which the cell turns into gates
        tape = list(aligned_zeros((T if training else 1, K, H, width), dtype))
        self._tape = tape if training else tape * T
        self._W_outputs = [scratch.W_product.output_view(a[K - R :]) for a in self._tape]
        self._U_outputs = [a[:G] for a in self._tape]
        self._without_W = [a[: K - R] for a in self._tape]
        self._kept: dict[str, Array] = {}
        self._scales_h = cell.scales_h
        # m_1 … m_T
        self._m = aligned_zeros((H, T if training and cell.scales_h else 0, B), dtype)

    def keep_states(self, names: Sequence[str]) -> None:
        """Keep these states of the cell for every step of a window; not for training.

        Memory: T·H·B numbers for each.
        """
        T, H, B = len(self._tape), *self._h_by_step.shape[1:]
        dtype = self.output.dtype
        self._kept = {name: np.empty((T, H, B), dtype) for name in names if name != "h"}

    def states(self, name: str) -> Array:
        """A state after each step of the last window, (T, H, B): "h", or one that is kept."""
        return self._h_by_step[1:] if name == "h" else self._kept[name]

    @property
    def state(self) -> Array:
        """A copy of h and the cell's state arrays after the last step, (1 + S, H, B)."""
        state = np.concatenate((self._h[0][np.newaxis], self.cell.memory))
        without_padding: Array = state[..., : self._h_by_step.shape[-1]]
        return without_padding

    @state.setter
    def state(self, state: Array) -> None:
        B = state.shape[-1]
        # the padding columns too: they may hold infinities of weights that had diverged
        self._h[0].fill(0)
        self.cell.memory.fill(0)
        self._h[0][:, :B] = state[0]
        self.cell.memory[..., :B] = state[1:]

    def forward(self, W: Array, projected: Columns, vectors: Array) -> None:
        """Run T steps from the carried state, with U·[X; 1] in `projected` (G·H, T, B), W (R·H, H)
        and the cell's weight vectors (X, H)."""
        cell, P, product = self.cell, self._scratch.P, self._scratch.W_product
        h_before, h = self._h
        _, T, B = projected.steps.shape
        P_of_streams, P_by_step = P[..., :B], projected.by_step(W.shape[1])
        h_by_step = self._h_by_step
        product.set_matrix(W)
        cell.begin(vectors)
        h_by_step[0] = h_before[:, :B]
        for t in range(T):
            P_of_streams[:] = P_by_step[t]
            seen = self._scaled(t, P[0], h_before) if self._scales_h else h_before  # 1  (H, B′)
            product.multiply(seen, self._W_outputs[t])  # 2  a = W·h_{t−1}, or W·m_t   (R, H, B′)
            self._without_W[t].fill(0)
            U_output = self._U_outputs[t]
            U_output += P  # 3  a += U·x_t + b   (G, H, B′)
            cell.forward(t, self._tape[t], h_before, h)  # 4  h_t   (H, B′)
            h_by_step[t + 1] = h[:, :B]
            for name, kept in self._kept.items():
                kept[t] = cell.state(name, self._tape[t])[:, :B]
            h_before, h = h, h_before
        self._h = [h_before, h]

    def _scaled(self, t: int, s: Array, h_before: Array) -> Array:
        """m_t = s_t ⊙ h_{t−1} (H, B′), which the next step overwrites."""
        m = np.multiply(s, h_before, out=self._scratch.m)
        if self._m.size:
            self._m[:, t] = m[:, : self._m.shape[-1]]
        return m

    def _backward_scaled(self, t: int, dm: Array, ds: Array) -> None:
        """Turn dm_t into the gradient of h_{t−1}, in place, and write that of s_t into `ds`; all
        (H, B′)."""
        h_before = self._h_by_step[t]
        B = h_before.shape[1]
        np.multiply(dm[:, :B], h_before, out=ds[:, :B])
        dm *= self._tape[t][0]

    def backward(
        self,
        W: Array,
        dY: Array,
        dA: Columns,
        dW: Array,
        dvectors: Array,
        dH: Array | None = None,
    ) -> None:
        """From dY (H, T, B), the gradient of h_1 … h_T as the layer's output, to `dW` (R·H, H),
        `dvectors` (X, H) and `dA` (K·H, T, B), the gradient of the pre-activations; and to `dH`
        (H, T, B), if it is given: the gradient of h_1 … h_T that includes the path through later
        steps.
        """
        H, T, B = dY.shape
        cell, scratch = self.cell, self._scratch
        dh, da, dY_of_step, product = scratch.dh, scratch.da, scratch.dY, scratch.W_T_product
        dh_of_streams, da_of_streams, dY_of_streams = dh[:, :B], da[..., :B], dY_of_step[:, :B]
        dA_by_step = dA.by_step(H)
        product.set_matrix(W)
        cell.begin_backward()
        dh.fill(0)
        dh_of_streams[:] = dY[:, T - 1]
        for t in reversed(range(T)):
            if dH is not None:
                dH[:, t] = dh_of_streams
            cell.backward(t, dh, self._tape[t], da)  # of 4  da   (K, H, B′)
            if t > 0 or self._scales_h:
                through_W = product.multiply(scratch.da_of_W)  # of 2  Wᵀ·da   (H, B′)
            if self._scales_h:
                self._backward_scaled(t, through_W, da[0])  # of 1  dm_t ⊙ s_t, and ds_t   (H, B′)
            dA_by_step[t] = da_of_streams  # of 3
            if t > 0:
                dY_of_streams[:] = dY[:, t - 1]
                if cell.passes_h:
                    dh += through_W
                    dh += dY_of_step
                else:
                    np.add(through_W, dY_of_step, out=dh)
        seen = self._m.reshape(H, T * B) if self._scales_h else self._h_before
        np.matmul(dA.flat[len(dA.flat) - len(W) :], seen.T, out=dW)  # of 2
        cell.end_backward(dA.steps.reshape(-1, H, T, B), dvectors)
