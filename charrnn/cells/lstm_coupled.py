"""LSTM with one gate for forgetting and for writing (Greff et al. 2017: CIFG): i = 1 − f.

Its 3H rows in the gate order (o, f, g):

    o = σ(a_o)      output gate          c_t = f ⊙ c_{t−1} + (1 − f) ⊙ g = g + f ⊙ (c_{t−1} − g)
    f = σ(a_f)      forget gate          h_t = o ⊙ tanh(c_t)
    g = tanh(a_g)   candidate

What differs in the derivatives from those of the LSTM:

    ∂c/∂a_f = f(1 − f) ⊙ (c_{t−1} − g)        ∂c/∂a_g = (1 − g²) ⊙ (1 − f)
"""

from typing import ClassVar

import numpy as np

from charrnn.cells.lstm import LSTM
from charrnn.parameters import Array


class CoupledLSTM(LSTM):
    """The backward step is that of the LSTM: all that is not ∂h/∂a_o comes through c_t."""

    gates: ClassVar[int] = 3
    blocks: ClassVar[int] = 3
    states: ClassVar[tuple[str, ...]] = ("c", "o", "f", "g")
    bias: ClassVar[tuple[float, ...]] = (0.0, 1.0, 0.0)

    def forward(self, t: int, recurrent: Array, tape: Array, before: Array, h: Array) -> None:
        a, c, tanh_c, scratch, half = self._a, self._c, self._tanh_c, self._scratch, self._half
        np.add(recurrent, tape, out=a)
        sigmoids, (o, f, g) = a[:2], a
        sigmoids *= half  # σ(x) = ½ + ½·tanh(x/2)
        np.tanh(a, out=a)
        sigmoids *= half
        sigmoids += half
        np.subtract(c, g, out=scratch)
        if self._training:
            self._differentiate_c(t, a, tape)
        scratch *= f
        np.add(g, scratch, out=c)
        np.tanh(c, out=tanh_c)
        np.multiply(o, tanh_c, out=h)
        if self._training:
            self._differentiate_h(t, o, tape)

    def _differentiate_c(self, t: int, gates: Array, tape: Array) -> None:
        """While c_{t−1} − g stands in the scratch."""
        slopes, (_, f, g), one = self._slopes, gates, self._one
        slope_f, slope_g = slopes[1], slopes[2]
        np.subtract(one, gates[:2], out=slopes[:2])
        np.multiply(g, g, out=slope_g)
        np.subtract(one, slope_g, out=slope_g)
        np.multiply(slope_g, slope_f, out=tape[2])  # 1 − f so far
        slopes[:2] *= gates[:2]
        np.multiply(slope_f, self._scratch, out=tape[1])
        self._dc_dc[t] = f
