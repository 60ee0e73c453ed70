"""LSTM with one gate for forgetting and for writing (Greff et al. 2017: CIFG): i = 1 − f.

Its 3H rows in the gate order (o, f, g):

    o = σ(a_o)      output gate          c_t = f ⊙ c_{t−1} + (1 − f) ⊙ g = g + f ⊙ (c_{t−1} − g)
    f = σ(a_f)      forget gate          h_t = o ⊙ tanh(c_t)
    g = tanh(a_g)   candidate

What differs in the gradients from those of the LSTM:

    da_f = dc ⊙ f(1 − f) ⊙ (c_{t−1} − g)        da_g = dc ⊙ (1 − g²) ⊙ (1 − f)
"""

from typing import ClassVar

import numpy as np

from charrnn.nn.cells.lstm import LSTM
from charrnn.types import Array


class CoupledLSTM(LSTM):
    """Memory as that of the LSTM."""

    gates: ClassVar[int] = 3
    blocks: ClassVar[int] = 3
    states: ClassVar[tuple[str, ...]] = ("c", "o", "f", "g")
    bias: ClassVar[tuple[float, ...]] = (0.0, 1.0, 0.0)

    def forward(self, t: int, a: Array, before: Array, h: Array) -> None:
        sigmoids, (o, f, g), half = a[:2], a, self._half
        c_before, c, scratch = self._c[t], self._c[t + 1], self._scratch
        sigmoids *= half  # σ(x) = ½ + ½·tanh(x/2)
        np.tanh(a, out=a)
        sigmoids *= half
        sigmoids += half
        np.subtract(c_before, g, out=c)
        c *= f
        c += g
        np.tanh(c, out=scratch)
        np.multiply(o, scratch, out=h)

    def backward(self, t: int, dh: Array, a: Array, da: Array) -> None:
        sigmoids, (o, f, g), (da_o, da_f, da_g) = a[:2], a, da
        dc, product = self._dc, self._product
        np.subtract(self._one, sigmoids, out=da[:2])
        self._backward_through_h(t, dh, o, da_o)
        np.multiply(g, g, out=da_g)
        np.subtract(self._one, da_g, out=da_g)
        da_g *= da_f  # 1 − f so far
        np.subtract(self._c[t], g, out=product)
        product *= f
        da_f *= product
        da[1:] *= dc
        dc *= f
