"""Gated recurrent unit (Cho et al. 2014), with the reset gate behind the recurrent product, as
cuDNN and PyTorch compute it:

    r = σ(U_r·x + W_r·h_{t−1} + b_r)                    reset gate
    z = σ(U_z·x + W_z·h_{t−1} + b_z)                    update gate
    n = tanh(U_n·x + b_n + r ⊙ (W_n·h_{t−1} + b′))      candidate
    h_t = (1 − z) ⊙ n + z ⊙ h_{t−1}

b′ is a bias of its own, because r scales it. The candidate's pre-activation has two parts with two
gradients, so that a step has four blocks: (n from below, r, z, n from before). The rows of U are in
the order (n, r, z), the first three of them, and those of W in the order (r, z, n), the last three.

Every gradient of a step is a multiple of ∂loss/∂h_t, with factors that the forward pass knows. With
m = (1 − z)(1 − n²) and q = W_n·h_{t−1} + b′:

    n from below   m                       r   m ⊙ q ⊙ r(1 − r)
    n from before  m ⊙ r                   z   (h_{t−1} − n) ⊙ z(1 − z)          h_{t−1}   z
"""

from typing import ClassVar

import numpy as np

from charrnn.cells.cell import Cell, Room
from charrnn.parameters import Array


class GRU(Cell):
    """Memory: 10·H·B numbers, and T·H·B more for training: z, which is ∂h_t/∂h_{t−1}."""

    gates: ClassVar[int] = 3
    blocks: ClassVar[int] = 4
    states: ClassVar[tuple[str, ...]] = ("r", "z", "n")
    bias: ClassVar[tuple[float, ...]] = (0.0, 0.0, 0.0)
    vectors: ClassVar[int] = 1
    needs_sum_only: ClassVar[bool] = False
    passes_h: ClassVar[bool] = True

    def __init__(self, room: Room) -> None:
        super().__init__(room)
        T, H, B, dtype, zeros = room.steps, room.hidden_size, room.batch, room.dtype, room.zeros
        self._half, self._one = np.array(0.5, dtype), np.array(1.0, dtype)
        self._gates = self.a[1:3]  # r and z
        self._slopes = zeros((2, H, B), dtype)
        self._n, self._q, self._m, self._scratch = (zeros((H, B), dtype) for _ in range(4))
        self._training = room.training
        if room.training:
            self._dh_dh = zeros((T, H, B), dtype)

    def begin(self, vectors: Array) -> None:
        self._bias = vectors[0, :, np.newaxis]

    def state(self, name: str) -> Array:
        r, z = self._gates
        states: dict[str, Array] = {"r": r, "z": z, "n": self._n}
        return states[name]

    def forward(self, t: int, tape: Array, before: Array, h: Array) -> None:
        gates, n, q, scratch, half = self._gates, self._n, self._q, self._scratch, self._half
        n_from_below, r, z, n_from_before = self.a
        gates *= half  # σ(x) = ½ + ½·tanh(x/2)
        np.tanh(gates, out=gates)
        gates *= half
        gates += half
        np.add(n_from_before, self._bias, out=q)
        np.multiply(r, q, out=n)
        n += n_from_below
        np.tanh(n, out=n)
        # h = n + z ⊙ (h_{t−1} − n)
        np.subtract(before, n, out=scratch)
        if self._training:
            self._differentiate(t, tape)
        scratch *= z
        np.add(n, scratch, out=h)

    def _differentiate(self, t: int, tape: Array) -> None:
        """While h_{t−1} − n stands in the scratch."""
        gates, slopes, n, m, one = self._gates, self._slopes, self._n, self._m, self._one
        (r, z), (slope_r, slope_z) = gates, slopes
        np.subtract(one, gates, out=slopes)
        np.multiply(n, n, out=m)
        np.subtract(one, m, out=m)
        m *= slope_z  # 1 − z so far
        slopes *= gates
        slope_r *= self._q
        np.copyto(tape[0], m)
        np.multiply(m, slope_r, out=tape[1])
        np.multiply(self._scratch, slope_z, out=tape[2])
        np.multiply(m, r, out=tape[3])
        self._dh_dh[t] = z

    def backward(self, t: int, dh: Array, tape: Array) -> None:
        tape *= dh
        dh *= self._dh_dh[t]

    def end_backward(self, tape: Array, dvectors: Array) -> None:
        np.sum(tape[:, 3], axis=(0, 2), out=dvectors[0])
