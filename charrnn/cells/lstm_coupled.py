"""LSTM with one gate for forgetting and for writing (Greff et al. 2017: CIFG): i = 1 − f.

Its 3H rows in the gate order (o, f, g):

    o = σ(a_o)      output gate          c_t = f ⊙ c_{t−1} + (1 − f) ⊙ g = g + f ⊙ (c_{t−1} − g)
    f = σ(a_f)      forget gate          h_t = o ⊙ tanh(c_t)
    g = tanh(a_g)   candidate

What differs in the derivatives from those of the LSTM:

    ∂c/∂a_f = f(1 − f) ⊙ (c_{t−1} − g)  = (1 − f) ⊙ (f ⊙ (c_{t−1} − g))
    ∂c/∂a_g = (1 − g²) ⊙ (1 − f)
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

    def forward(self, t: int, tape: Array, before: Array, h: Array) -> None:
        sigmoids, (o, f, g), half = self._sigmoids, self._gates, self._half
        c, tanh_c, kept = self._c, self._tanh_c, self._addends[0]
        sigmoids *= half  # σ(x) = ½ + ½·tanh(x/2)
        np.tanh(self.a, out=self.a)
        sigmoids *= half
        sigmoids += half
        np.subtract(c, g, out=kept)
        kept *= f
        np.add(g, kept, out=c)
        np.tanh(c, out=tanh_c)
        np.multiply(o, tanh_c, out=h)
        if self._training:
            self._differentiate(t, tape, h)

    def _differentiate(self, t: int, tape: Array, h: Array) -> None:
        rest, (o, f, g), one = self._rest, self._gates, self._one
        dh_dc, dc_da_g = self._dh_dc[t], tape[2]
        np.subtract(one, self._sigmoids, out=rest)
        np.multiply(rest[0], h, out=tape[0])
        np.multiply(rest[1], self._addends[0], out=tape[1])
        np.multiply(g, g, out=dc_da_g)
        np.subtract(one, dc_da_g, out=dc_da_g)
        dc_da_g *= rest[1]
        self._dc_dc[t] = f
        np.multiply(h, self._tanh_c, out=dh_dc)
        np.subtract(o, dh_dc, out=dh_dc)
