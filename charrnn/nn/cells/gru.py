"""Gated recurrent unit (Cho et al. 2014), with the reset gate behind the recurrent product, as
cuDNN and PyTorch compute it:

    r = σ(U_r·x + W_r·h_{t−1} + b_r)                    reset gate
    z = σ(U_z·x + W_z·h_{t−1} + b_z)                    update gate
    n = tanh(U_n·x + b_n + r ⊙ (W_n·h_{t−1} + b′))      candidate
    h_t = (1 − z) ⊙ n + z ⊙ h_{t−1}

b′ is a bias of its own, because r scales it. The candidate's pre-activation has two parts with two
gradients, so that a step has four blocks: (n from below, r, z, n from before). The rows of U are in
the order (n, r, z), the first three of them, and those of W in the order (r, z, n), the last three.

Every gradient of a step is a multiple of dh. With m = (1 − z)(1 − n²) and q = W_n·h_{t−1} + b′:

    n from below   m                       r   m ⊙ q ⊙ r(1 − r)
    n from before  m ⊙ r                   z   (h_{t−1} − n) ⊙ z(1 − z)          h_{t−1}   z

A step leaves n, r, z and q where its pre-activations were, and keeps h_{t−1} − n.
"""

from typing import ClassVar

import numpy as np

from charrnn.machine.aligned import aligned_zeros
from charrnn.nn.cells.cell import Cell, Room
from charrnn.types import Array


class GRU(Cell):
    """Memory: H·B numbers, or T·H·B for training: h_{t−1} − n."""

    gates: ClassVar[int] = 3
    blocks: ClassVar[int] = 4
    states: ClassVar[tuple[str, ...]] = ("r", "z", "n")
    bias: ClassVar[tuple[float, ...]] = (0.0, 0.0, 0.0)
    vectors: ClassVar[int] = 1
    passes_h: ClassVar[bool] = True

    def __init__(self, room: Room) -> None:
        super().__init__(room)
        T, H, B, dtype = room.steps, room.hidden_size, room.batch, room.dtype
        self._half, self._one = np.array(0.5, dtype), np.array(1.0, dtype)
        way = aligned_zeros((T if room.training else 1, H, B), dtype)
        self._way = [way[t if room.training else 0] for t in range(T)]

    def begin(self, vectors: Array) -> None:
        self._bias = vectors[0, :, np.newaxis]

    def state(self, name: str, a: Array) -> Array:
        state: Array = a[("n", "r", "z").index(name)]
        return state

    def forward(self, t: int, a: Array, before: Array, h: Array) -> None:
        gates, (n, r, z, q), half, way = a[1:3], a, self._half, self._way[t]
        gates *= half  # σ(x) = ½ + ½·tanh(x/2)
        np.tanh(gates, out=gates)
        gates *= half
        gates += half
        q += self._bias
        np.multiply(r, q, out=h)
        n += h
        np.tanh(n, out=n)
        # h = n + z ⊙ (h_{t−1} − n)
        np.subtract(before, n, out=way)
        np.multiply(way, z, out=h)
        h += n

    def backward(self, t: int, dh: Array, a: Array, da: Array) -> None:
        gates, (n, r, z, q), (m, da_r, da_z, da_q), one = a[1:3], a, da, self._one
        np.subtract(one, gates, out=da[1:3])
        np.multiply(n, n, out=m)
        np.subtract(one, m, out=m)
        m *= da_z  # 1 − z so far
        np.multiply(m, r, out=da_q)
        da_r *= q
        da_r *= da_q
        da_z *= z
        da_z *= self._way[t]
        da *= dh
        dh *= z

    def end_backward(self, da: Array, dvectors: Array) -> None:
        np.sum(da[3], axis=(1, 2), out=dvectors[0])
