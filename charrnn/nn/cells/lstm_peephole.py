"""LSTM with peephole connections (Gers & Schmidhuber 2000): the gates of a unit read its own c.

With a = U·x_t + W·h_{t−1} + b in the gate order (o, i, f, g) and weights p_o, p_i, p_f (H,):

    i = σ(a_i + p_i ⊙ c_{t−1})      c_t = f ⊙ c_{t−1} + i ⊙ g      o = σ(a_o + p_o ⊙ c_t)
    f = σ(a_f + p_f ⊙ c_{t−1})      g = tanh(a_g)                  h_t = o ⊙ tanh(c_t)

The output gate reads the new c. The lines of the forward pass have the numbers of the LSTM, with
P1 to P3 for the peepholes. The gradients are those of the LSTM, with additional terms in dc_t and
dc_{t−1}:

    dc_t += p_o ⊙ da_o        dc_{t−1} = dc_t ⊙ f + p_i ⊙ da_i + p_f ⊙ da_f
    dp_o = Σ da_o ⊙ c_t       dp_i = Σ da_i ⊙ c_{t−1}        dp_f = Σ da_f ⊙ c_{t−1}
"""

from typing import ClassVar

import numpy as np

from charrnn.nn.cells.cell import Units
from charrnn.nn.cells.lstm import LSTM
from charrnn.types import Array


class PeepholeLSTM(LSTM):
    """The equations of a peephole LSTM layer. Memory: as the LSTM."""

    vectors: ClassVar[int] = 3

    def begin(self, vectors: Array) -> None:
        super().begin(vectors)
        self._p_o, self._p_i, self._p_f = vectors  # (H,) each

    def hold(self, units: Units, streams: Units, values: Array, a: Array, h: Array) -> None:
        o, c = a[0, streams, units], self._c[-1][streams, units]
        # the output gate reads the c that is held: with d = p_o ⊙ (arctanh(value) − c_t),
        # σ(P3 + d) = o·eᵈ / (1 − o + o·eᵈ); e⁶⁰ is far below what float32 can represent
        d = self._p_o[units] * (np.arctanh(values) - c)
        opened = o * np.exp(d.clip(-60, 60))
        a[0, streams, units] = opened / (1 - o + opened)
        super().hold(units, streams, values, a, h)

    def forward(self, t: int, a: Array, h_before: Array, h: Array) -> None:
        o, i, f, g = a
        c_before, c, scratch = self._c[t], self._c[t + 1], self._scratch
        # fmt: off
        i += np.multiply(self._p_i, c_before, out=scratch)  # P1  a_i + p_i ⊙ c_{t−1}       (B, H)
        f += np.multiply(self._p_f, c_before, out=scratch)  # P2  a_f + p_f ⊙ c_{t−1}       (B, H)
        self._activate(a[1:], sigmoids=2)  # 1   i, f = σ(P1), σ(P2); g = tanh(a_g)      (3, B, H)
        ig = np.multiply(i, g, out=scratch)                 # 2a  i ⊙ g                     (B, H)
        np.multiply(f, c_before, out=c)                     # 2b  f ⊙ c_{t−1}               (B, H)
        c += ig                                             # 2c  c_t = 2b + 2a             (B, H)
        o += np.multiply(self._p_o, c, out=scratch)         # P3  a_o + p_o ⊙ c_t           (B, H)
        self._activate(a[:1], sigmoids=1)                   # 1   o = σ(P3)                 (B, H)
        tanh_c = np.tanh(c, out=scratch)                    # 3a  tanh(c_t)                 (B, H)
        np.multiply(o, tanh_c, out=h)                       # 3b  h_t = o ⊙ tanh(c_t)       (B, H)
        # fmt: on

    def backward(self, t: int, dh: Array, a: Array, da: Array) -> None:
        super().backward(t, dh, a, da)
        _, da_i, da_f, _ = da
        # dc_{t−1}, beside dc_t ⊙ f
        self._dc += np.multiply(self._p_i, da_i, out=self._scratch)  # of P1
        self._dc += np.multiply(self._p_f, da_f, out=self._scratch)  # of P2

    def _backward_through_h(self, t: int, dh: Array, o: Array, da_o: Array) -> None:
        super()._backward_through_h(t, dh, o, da_o)
        self._dc += np.multiply(self._p_o, da_o, out=self._scratch)  # of P3

    def end_backward(self, da: Array, dvectors: Array) -> None:
        c, c_before = self._all_c[1:], self._all_c[:-1]
        for da_gate, c_seen, dp in zip(da[:3], (c, c_before, c_before), dvectors, strict=True):
            np.einsum("tbh,tbh->h", da_gate, c_seen, out=dp)  # of P3, P1, P2
