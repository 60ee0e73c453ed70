"""Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

With a = U·x_t + W·h_{t−1} + b, its 4H rows in the gate order (o, i, f, g):

    o = σ(a_o)      output gate          c_t = f ⊙ c_{t−1} + i ⊙ g
    i = σ(a_i)      input gate           h_t = o ⊙ tanh(c_t)
    f = σ(a_f)      forget gate
    g = tanh(a_g)   candidate

In this order, the three sigmoids are one block (o, i, f), and the three gates whose gradient comes
through c_t are one block (i, f, g).

Backward, dc_t is the sum of dh ⊙ o(1 − tanh²c_t), from h_t, and dc_{t+1} ⊙ f_{t+1}, from c_{t+1}:

    da_o = dh ⊙ o(1 − o) ⊙ tanh(c_t)       da_f = dc ⊙ f(1 − f) ⊙ c_{t−1}
    da_i = dc ⊙ i(1 − i) ⊙ g               da_g = dc ⊙ (1 − g²) ⊙ i

The tape holds the gates and c. The backward pass recomputes h, i ⊙ g and f ⊙ c_{t−1}, and uses them
in the derivatives: o(1 − o) ⊙ tanh(c_t) = (1 − o) ⊙ h, and (1 − g²) ⊙ i = i − g ⊙ (i ⊙ g).
"""

from typing import ClassVar

import numpy as np

from charrnn.machine.aligned import aligned_zeros
from charrnn.nn.cells.cell import Cell, CellShape, Units
from charrnn.types import Array


class LSTM(Cell):
    """The equations of an LSTM layer, for T steps of B streams.

    Memory: 2·B·H numbers, and (T + 2)·B·H more for training.
    """

    gates: ClassVar[tuple[str, ...]] = ("o", "i", "f", "g")
    recurrent_gates: ClassVar[tuple[str, ...]] = gates
    memories: ClassVar[int] = 1
    memory_state: ClassVar[str] = "c"
    states: ClassVar[tuple[str, ...]] = ("c", "o", "i", "f", "g")
    bias: ClassVar[tuple[float, ...]] = (0.0, 0.0, 1.0, 0.0)
    """The forget gate starts open (Jozefowicz et al. 2015), so that gradients reach far back."""

    def __init__(self, shape: CellShape) -> None:
        super().__init__(shape)
        T, H, B, dtype = shape.steps, shape.hidden_size, shape.batch, shape.dtype
        # c_0 … c_T, or a single c that each step overwrites
        self._all_c = aligned_zeros((T + 1 if shape.training else 1, B, H), dtype)
        self._c = [self._all_c[t if shape.training else 0] for t in range(T + 1)]
        self.memory = self._all_c[-1:]
        self._scratch = aligned_zeros((B, H), dtype)
        if shape.training:
            self._product, self._dc = aligned_zeros((2, B, H), dtype)

    def state(self, name: str, a: Array) -> Array:
        return self._c[-1] if name == "c" else super().state(name, a)

    def hold(self, units: Units, streams: Units, values: Array, a: Array, h: Array) -> None:
        self._c[-1][streams, units] = np.arctanh(values)
        h[streams, units] = a[0, streams, units] * values

    def begin(self, vectors: Array) -> None:
        self._c[0][:] = self._c[-1]

    def forward(self, t: int, a: Array, h_before: Array, h: Array) -> None:
        o, i, f, g = a
        c_before, c = self._c[t], self._c[t + 1]
        # fmt: off
        self._activate(a, sigmoids=3)              # 1   o, i, f = σ(a); g = tanh(a_g)   (4, B, H)
        ig = np.multiply(i, g, out=self._scratch)  # 2a  i ⊙ g                              (B, H)
        np.multiply(f, c_before, out=c)            # 2b  f ⊙ c_{t−1}                        (B, H)
        c += ig                                    # 2c  c_t = 2b + 2a                      (B, H)
        tanh_c = np.tanh(c, out=self._scratch)     # 3a  tanh(c_t)                          (B, H)
        np.multiply(o, tanh_c, out=h)              # 3b  h_t = o ⊙ tanh(c_t)                (B, H)
        # fmt: on

    def begin_backward(self) -> None:
        self._dc.fill(0)

    def backward(self, t: int, dh: Array, a: Array, da: Array) -> None:
        sigmoids, (o, i, f, g), (da_o, da_i, da_f, da_g) = a[:3], a, da
        dc, c_before, product = self._dc, self._c[t], self._product
        # fmt: off
        np.subtract(self._one, sigmoids, out=da[:3])  # of 1   1 − o, 1 − i, 1 − f       (3, B, H)
        self._backward_through_h(t, dh, o, da_o)      # of 3b, 3a                           (B, H)
        ig = np.multiply(i, g, out=product)           # 2a     once more
        da_i *= ig                                    # of 2a  ∂c_t/∂a_i = (1 − i) ⊙ i ⊙ g
        np.multiply(g, ig, out=da_g)
        np.subtract(i, da_g, out=da_g)                # of 2a  ∂c_t/∂a_g = i − g ⊙ (i ⊙ g)
        fc = np.multiply(f, c_before, out=product)    # 2b     once more
        da_f *= fc                                    # of 2b  ∂c_t/∂a_f = (1 − f) ⊙ f ⊙ c_{t−1}
        da[1:] *= dc                                  # of 2c  da = dc_t ⊙ ∂c_t/∂a       (3, B, H)
        dc *= f                                       # of 2b  dc_{t−1} = dc_t ⊙ f          (B, H)
        # fmt: on

    def _backward_through_h(self, t: int, dh: Array, o: Array, da_o: Array) -> None:
        """From dh and, in `da_o`, 1 − o to da_o and dc_t."""
        # fmt: off
        tanh_c = np.tanh(self._c[t + 1], out=self._scratch)  # 3a     once more             (B, H)
        h = np.multiply(o, tanh_c, out=self._product)        # 3b     once more             (B, H)
        da_o *= h                                # of 3b  ∂h_t/∂a_o = (1 − o) ⊙ h_t
        da_o *= dh
        h *= tanh_c
        dh_dc = np.subtract(o, h, out=h)         # of 3a  ∂h_t/∂c_t = o − h_t ⊙ tanh(c_t)
        dh_dc *= dh
        self._dc += dh_dc                        # dc_t, with what step t + 1 left of 2b
        # fmt: on
