"""LSTM with coupled input and forget gates (CIFG in Greff et al. 2017): i = 1 − f.

Its 3H rows in the gate order (o, f, g):

    o = σ(a_o)      output gate          c_t = f ⊙ c_{t−1} + (1 − f) ⊙ g = g + f ⊙ (c_{t−1} − g)
    f = σ(a_f)      forget gate          h_t = o ⊙ tanh(c_t)
    g = tanh(a_g)   candidate

The gradients that differ from those of the LSTM:

    da_f = dc ⊙ f(1 − f) ⊙ (c_{t−1} − g)        da_g = dc ⊙ (1 − g²) ⊙ (1 − f)
"""

from typing import ClassVar

import numpy as np

from charrnn.nn.cells.lstm import LSTM
from charrnn.types import Array


class CoupledLSTM(LSTM):
    """The equations of a coupled LSTM layer. Memory: as the LSTM."""

    gates: ClassVar[tuple[str, ...]] = ("o", "f", "g")
    recurrent_gates: ClassVar[tuple[str, ...]] = gates
    states: ClassVar[tuple[str, ...]] = ("c", "o", "f", "g")
    bias: ClassVar[tuple[float, ...]] = (0.0, 1.0, 0.0)

    def forward(self, t: int, a: Array, h_before: Array, h: Array) -> None:
        o, f, g = a
        c_before, c = self._c[t], self._c[t + 1]
        # fmt: off
        self._activate(a, sigmoids=2)           # 1   o, f = σ(a); g = tanh(a_g)   (3, B, H)
        np.subtract(c_before, g, out=c)         # 2a  c_{t−1} − g                     (B, H)
        c *= f                                  # 2b  f ⊙ (c_{t−1} − g)               (B, H)
        c += g                                  # 2c  c_t = 2b + g                    (B, H)
        tanh_c = np.tanh(c, out=self._scratch)  # 3a  tanh(c_t)                       (B, H)
        np.multiply(o, tanh_c, out=h)           # 3b  h_t = o ⊙ tanh(c_t)             (B, H)
        # fmt: on

    def backward(self, t: int, dh: Array, a: Array, da: Array) -> None:
        sigmoids, (o, f, g), (da_o, da_f, da_g) = a[:2], a, da
        dc, c_before = self._dc, self._c[t]
        # fmt: off
        np.subtract(self._one, sigmoids, out=da[:2])  # of 1   1 − o, 1 − f              (2, B, H)
        self._backward_through_h(t, dh, o, da_o)      # of 3b, 3a: as in the LSTM           (B, H)
        np.multiply(g, g, out=da_g)
        np.subtract(self._one, da_g, out=da_g)        # of 1   1 − g²
        da_g *= da_f                                  # of 2c, 2b  ∂c_t/∂a_g = (1 − g²) ⊙ (1 − f)
        fc = np.subtract(c_before, g, out=self._product)  # 2a     once more
        fc *= f                                           # 2b     once more
        da_f *= fc                                    # of 2b  ∂c_t/∂a_f = (1 − f) ⊙ f ⊙ 2a
        da[1:] *= dc                                  # of 2c  da = dc_t ⊙ ∂c_t/∂a       (2, B, H)
        dc *= f                                       # of 2b  dc_{t−1} = dc_t ⊙ f          (B, H)
        # fmt: on
