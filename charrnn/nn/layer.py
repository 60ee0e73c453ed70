"""One recurrent layer over a window of time: what every cell shares.

Arrays are features first, batch last: the products then run at the full speed of BLAS, and
everything that does not depend on the step before is one product over all T·B columns.

    P = U·[X; 1]                    all steps at once; the bias is the last column of U
    h_t = cell(P_t, W·h_{t−1})      the only product inside the loop

What the loop touches lies step by step in memory, (T, features, B′), so that a step runs over
memory without gaps. What goes into a product over all steps, or comes from one, lies feature by
feature, (features, T, B). B′ ≥ B: where products are faster with some columns more than there are
streams, nobody looks at what comes of these.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from charrnn.machine.aligned import aligned_zeros
from charrnn.machine.matmul import Product, TransposedProduct, computed_streams
from charrnn.nn.cells import Cell, Room
from charrnn.types import Array


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
    def zeros(cls, features: int, steps: int, batch: int, dtype: DTypeLike) -> "Columns":
        """A new array of zeros."""
        return cls(aligned_zeros((features, (steps + 1) * batch), dtype), steps)

    def rows(self, rows: slice) -> "Columns":
        """Some of the features, in the same memory."""
        return Columns(self.padded[rows], self.steps.shape[1])


class Scratch:
    """What the loops of the layers of a network use, one layer after the other, for B streams.

    Memory: G·H·B′ numbers, for training (K + 2)·H·B′ more, and what the products need.
    """

    def __init__(
        self,
        cell: type[Cell],
        hidden_size: int,
        batch: int,
        dtype: DTypeLike,
        *,
        training: bool,
    ) -> None:
        H, G, self.width = hidden_size, cell.gates, computed_streams(batch)
        # copies of a step of a wide array: without gaps they are added in a third of the time
        self.P = aligned_zeros((G, H, self.width), dtype)
        self.W_product = Product(G * H, H, self.width, dtype)
        if training:
            self.dh, self.dY = aligned_zeros((2, H, self.width), dtype)
            self.da = aligned_zeros((cell.blocks, H, self.width), dtype)
            self.W_T_product = TransposedProduct(G * H, H, self.width, dtype)


class Layer:
    """One layer for windows of T steps in B streams: the loop over time, and its tape.

    Memory beside the cell's: (H + 1)·(T + 1)·B + 2·H·B′ numbers, and for the tape K·H·B′, or
    T·K·H·B′ for training.
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
        T, H, B, K, G = steps, hidden_size, batch, cell.blocks, cell.gates
        self._scratch, width = scratch, scratch.width
        self.cell = cell(Room(H, T, width, dtype, training))
        # h of the step before and of this one, which change places
        self._h = list(aligned_zeros((2, H, width), dtype))
        # h_0 … h_T above a row of ones
        h_and_one = aligned_zeros((H + 1, T + 1, B), dtype)
        h_and_one[H] = 1
        self._h_by_step = h_and_one[:H].transpose(1, 0, 2)
        self._before = h_and_one.reshape(H + 1, -1)[:H, : T * B]
        self.output = h_and_one.reshape(H + 1, -1)[:, B:]
        """[h_1 … h_T; 1] as (H + 1, T·B): the ones meet the bias column of what comes next."""
        # the tape: what becomes of the pre-activations of each step
        tape = list(aligned_zeros((T if training else 1, K, H, width), dtype))
        self._tape = tape if training else tape * T
        self._from_before = [scratch.W_product.place(a[K - G :]) for a in self._tape]
        self._from_below = [a[:G] for a in self._tape]
        self._from_below_only = [a[: K - G] for a in self._tape]
        self._kept: dict[str, Array] = {}

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
        """h and the cell's own after the last step, (1 + S, H, B); a copy."""
        state = np.concatenate((self._h[0][np.newaxis], self.cell.memory))
        of_streams: Array = state[..., : self._h_by_step.shape[-1]]
        return of_streams

    @state.setter
    def state(self, state: Array) -> None:
        B = state.shape[-1]
        # the idle columns as well: they may hold what is no number
        self._h[0].fill(0)
        self.cell.memory.fill(0)
        self._h[0][:, :B] = state[0]
        self.cell.memory[..., :B] = state[1:]

    def forward(self, W: Array, projected: Columns, vectors: Array) -> None:
        """Run T steps on from the state that the last call left behind, with U·[X; 1] in
        `projected` (G·H, T, B), W (G·H, H) and the cell's further weights (X, H)."""
        cell, P, product, (before, h) = self.cell, self._scratch.P, self._scratch.W_product, self._h
        _, T, B = projected.steps.shape
        P_of_streams, P_by_step = P[..., :B], by_step(projected, W.shape[1])
        h_by_step = self._h_by_step
        product.take(W)
        cell.begin(vectors)
        h_by_step[0] = before[:, :B]
        for t in range(T):
            product.times(before, self._from_before[t])
            P_of_streams[:] = P_by_step[t]
            self._from_below_only[t].fill(0)
            from_below = self._from_below[t]
            from_below += P
            cell.forward(t, self._tape[t], before, h)
            h_by_step[t + 1] = h[:, :B]
            for name, kept in self._kept.items():
                kept[t] = cell.state(name, self._tape[t])[:, :B]
            before, h = h, before
        self._h = [before, h]

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
        cell, scratch = self.cell, self._scratch
        dh, da, dY_of_step, product = scratch.dh, scratch.da, scratch.dY, scratch.W_T_product
        dh_of_streams, da_of_streams, dY_of_streams = dh[:, :B], da[..., :B], dY_of_step[:, :B]
        dA_by_step, da_of_W = by_step(dA, H), da.reshape(-1, dh.shape[1])[-rows:]
        product.take(W)
        cell.begin_backward()
        dh.fill(0)
        dh_of_streams[:] = dY[:, T - 1]
        for t in reversed(range(T)):
            if dH is not None:
                dH[:, t] = dh_of_streams
            cell.backward(t, dh, self._tape[t], da)
            dA_by_step[t] = da_of_streams
            if t > 0:
                through_W = product.times(da_of_W)
                dY_of_streams[:] = dY[:, t - 1]
                if cell.passes_h:
                    dh += through_W
                    dh += dY_of_step
                else:
                    np.add(through_W, dY_of_step, out=dh)
        np.matmul(dA.flat[-rows:], self._before.T, out=dW)
        cell.end_backward(dA.steps.reshape(-1, H, T, B), dvectors)


def by_step(columns: Columns, hidden_size: int) -> Array:
    """A view of blocks of H features, step by step (T, blocks, H, B)."""
    _, T, B = columns.steps.shape
    return columns.steps.reshape(-1, hidden_size, T, B).transpose(2, 0, 1, 3)
