"""LSTM whose gates see the cell state (Gers & Schmidhuber 2000), each unit's gates its own c.

With a = U·x_t + W·h_{t−1} + b in the gate order (o, i, f, g) and weights p_o, p_i, p_f (H,):

    i = σ(a_i + p_i ⊙ c_{t−1})      c_t = f ⊙ c_{t−1} + i ⊙ g      o = σ(a_o + p_o ⊙ c_t)
    f = σ(a_f + p_f ⊙ c_{t−1})      g = tanh(a_g)                  h_t = o ⊙ tanh(c_t)

The output gate sees the new c. The gradients are those of the LSTM, but that dc has more parts,
from da_o at once and from the other two in the step before:

    dc += p_o ⊙ da_o          dc ⊙ f + p_i ⊙ da_i + p_f ⊙ da_f
    dp_o = Σ da_o ⊙ c_t       dp_i = Σ da_i ⊙ c_{t−1}        dp_f = Σ da_f ⊙ c_{t−1}
"""

from typing import ClassVar

import numpy as np

from charrnn.nn.cells.lstm import LSTM
from charrnn.types import Array


class PeepholeLSTM(LSTM):
    """Memory as that of the LSTM."""

    vectors: ClassVar[int] = 3

    def begin(self, vectors: Array) -> None:
        super().begin(vectors)
        self._p_o, self._p_i, self._p_f = vectors[:, :, np.newaxis]

    def forward(self, t: int, a: Array, before: Array, h: Array) -> None:
        (o, i, f, g), i_and_f, half = a, a[1:3], self._half
        c_before, c, scratch = self._c[t], self._c[t + 1], self._scratch
        for gate, p in ((i, self._p_i), (f, self._p_f)):
            np.multiply(p, c_before, out=scratch)
            gate += scratch
        i_and_f *= half  # σ(x) = ½ + ½·tanh(x/2)
        np.tanh(a[1:], out=a[1:])
        i_and_f *= half
        i_and_f += half
        np.multiply(i, g, out=scratch)
        np.multiply(f, c_before, out=c)
        c += scratch
        np.multiply(self._p_o, c, out=scratch)
        o += scratch
        o *= half
        np.tanh(o, out=o)
        o *= half
        o += half
        np.tanh(c, out=scratch)
        np.multiply(o, scratch, out=h)

    def backward(self, t: int, dh: Array, a: Array, da: Array) -> None:
        super().backward(t, dh, a, da)
        for p, da_gate in ((self._p_i, da[1]), (self._p_f, da[2])):
            np.multiply(p, da_gate, out=self._scratch)
            self._dc += self._scratch

    def _backward_through_h(self, t: int, dh: Array, o: Array, da_o: Array) -> None:
        super()._backward_through_h(t, dh, o, da_o)
        np.multiply(self._p_o, da_o, out=self._scratch)
        self._dc += self._scratch

    def end_backward(self, da: Array, dvectors: Array) -> None:
        c = self._all_c[..., : da.shape[-1]]
        for da_gate, c_seen, dp in zip(da[:3], (c[1:], c[:-1], c[:-1]), dvectors, strict=True):
            np.einsum("htb,thb->h", da_gate, c_seen, out=dp)
