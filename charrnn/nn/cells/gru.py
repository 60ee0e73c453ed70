"""Gated recurrent unit (Cho et al. 2014), with the reset gate behind the recurrent product, as
cuDNN and PyTorch compute it:

    r = σ(U_r·x + W_r·h_{t−1} + b_r)                    reset gate
    z = σ(U_z·x + W_z·h_{t−1} + b_z)                    update gate
    n = tanh(U_n·x + b_n + r ⊙ (W_n·h_{t−1} + b′))      candidate
    h_t = (1 − z) ⊙ n + z ⊙ h_{t−1}

b′ is a bias of its own, because r scales it. The candidate's pre-activation has two parts, of which
r scales only q = W_n·h_{t−1} + b′. So a step has four blocks (n, r, z, q): the rows of U are in the
order (n, r, z), those of W in the order (r, z, q).

Every gradient of a step is a multiple of dh. With m = (1 − z)(1 − n²):

    da_n = dh ⊙ m            da_r = dh ⊙ m ⊙ q ⊙ r(1 − r)
    dq   = dh ⊙ m ⊙ r        da_z = dh ⊙ (h_{t−1} − n) ⊙ z(1 − z)        dh_{t−1} = dh ⊙ z + …

The tape holds n, r, z and q in place of the pre-activations, and h_{t−1} − n beside them.
"""

from typing import ClassVar

import numpy as np

from charrnn.machine.aligned import aligned_zeros
from charrnn.nn.cells.cell import Cell, CellShape
from charrnn.types import Array


class GRU(Cell):
    """The equations of a GRU layer, for T steps of B streams.

    Memory: B·H numbers, or T·B·H for training: h_{t−1} − n.
    """

    gates: ClassVar[tuple[str, ...]] = ("n", "r", "z")
    recurrent_gates: ClassVar[tuple[str, ...]] = ("r", "z", "q")
    states: ClassVar[tuple[str, ...]] = ("r", "z", "n")
    bias: ClassVar[tuple[float, ...]] = (0.0, 0.0, 0.0)
    vectors: ClassVar[int] = 1
    passes_h: ClassVar[bool] = True

    def __init__(self, shape: CellShape) -> None:
        super().__init__(shape)
        T, H, B, training = shape.steps, shape.hidden_size, shape.batch, shape.training
        differences = aligned_zeros((T if training else 1, B, H), shape.dtype)
        self._difference = [differences[t if training else 0] for t in range(T)]

    def begin(self, vectors: Array) -> None:
        self._bias = vectors[0]  # b′ (H,)

    def forward(self, t: int, a: Array, h_before: Array, h: Array) -> None:
        (n, r, z, q), difference = a, self._difference[t]
        # fmt: off
        self._activate(a[1:3], sigmoids=2)        # 1   r, z = σ(a_r), σ(a_z)   (2, B, H)
        q += self._bias                           # 2a  q = W_n·h_{t−1} + b′       (B, H)
        n += np.multiply(r, q, out=h)             # 2b  a_n = U_n·x + b_n + r ⊙ q  (B, H)
        np.tanh(n, out=n)                         # 2c  n = tanh(a_n)              (B, H)
        np.subtract(h_before, n, out=difference)  # 3a  h_{t−1} − n                (B, H)
        np.multiply(difference, z, out=h)         # 3b  z ⊙ (h_{t−1} − n)          (B, H)
        h += n                                    # 3c  h_t = 3b + n               (B, H)
        # fmt: on

    def backward(self, t: int, dh: Array, a: Array, da: Array) -> None:
        sigmoids, (n, r, z, q), (m, da_r, da_z, dq), one = a[1:3], a, da, self._one
        # fmt: off
        np.subtract(one, sigmoids, out=da[1:3])   # of 1   1 − r, 1 − z         (2, B, H)
        np.multiply(n, n, out=m)
        np.subtract(one, m, out=m)                # of 2c  1 − n²
        m *= da_z                                 # of 3c, 3b  ∂h_t/∂a_n = m = (1 − n²) ⊙ (1 − z)
        np.multiply(m, r, out=dq)                 # of 2b  ∂h_t/∂q = m ⊙ r
        da_r *= q
        da_r *= dq                                # of 2b  ∂h_t/∂a_r = (1 − r) ⊙ q ⊙ m ⊙ r
        da_z *= z
        da_z *= self._difference[t]               # of 3b  ∂h_t/∂a_z = (1 − z) ⊙ z ⊙ (h_{t−1} − n)
        da *= dh                                  #        da = dh ⊙ ∂h_t/∂a    (4, B, H)
        dh *= z                                   # of 3a  dh_{t−1} = dh ⊙ z       (B, H)
        # fmt: on

    def end_backward(self, da: Array, dvectors: Array) -> None:
        np.sum(da[3], axis=(0, 1), out=dvectors[0])  # of 2a
