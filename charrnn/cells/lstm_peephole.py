"""LSTM whose gates see the cell state (Gers & Schmidhuber 2000), each unit's gates its own c.

With a = U·x_t + W·h_{t−1} + b in the gate order (o, i, f, g) and weights p_o, p_i, p_f (H,):

    i = σ(a_i + p_i ⊙ c_{t−1})      c_t = f ⊙ c_{t−1} + i ⊙ g      o = σ(a_o + p_o ⊙ c_t)
    f = σ(a_f + p_f ⊙ c_{t−1})      g = tanh(a_g)                  h_t = o ⊙ tanh(c_t)

The output gate sees the new c. The derivatives are those of the LSTM, and what comes through the
peepholes:

    ∂h_t/∂c_t     = o ⊙ (1 − tanh²c_t) + p_o ⊙ ∂h/∂a_o
    ∂c_t/∂c_{t−1} = f + p_i ⊙ ∂c/∂a_i + p_f ⊙ ∂c/∂a_f
    dp_o = Σ da_o ⊙ c_t             dp_i = Σ da_i ⊙ c_{t−1}        dp_f = Σ da_f ⊙ c_{t−1}
"""

from typing import ClassVar

import numpy as np

from charrnn.cells.cell import Room
from charrnn.cells.lstm import LSTM
from charrnn.parameters import Array


class PeepholeLSTM(LSTM):
    """The backward step is that of the LSTM; memory for training: (T + 1)·H·B numbers more, c."""

    vectors: ClassVar[int] = 3

    def __init__(self, room: Room) -> None:
        super().__init__(room)
        if room.training:
            shape = (room.steps + 1, room.hidden_size, room.batch)
            self._c_steps = room.zeros(shape, room.dtype)

    def begin(self, vectors: Array) -> None:
        self._p_o, self._p_i, self._p_f = vectors[:, :, np.newaxis]
        if self._training:
            self._c_steps[0] = self._c

    def forward(self, t: int, tape: Array, before: Array, h: Array) -> None:
        a, (o, i, f, g), half = self.a, self._gates, self._half
        c, tanh_c, scratch, (written, kept) = self._c, self._tanh_c, self._scratch, self._addends
        for gate, p in ((i, self._p_i), (f, self._p_f)):
            np.multiply(p, c, out=scratch)
            gate += scratch
        i_and_f = a[1:3]
        i_and_f *= half  # σ(x) = ½ + ½·tanh(x/2)
        np.tanh(a[1:], out=a[1:])
        i_and_f *= half
        i_and_f += half
        np.multiply(i, g, out=written)
        np.multiply(f, c, out=kept)
        np.add(written, kept, out=c)
        np.multiply(self._p_o, c, out=scratch)
        o += scratch
        o *= half
        np.tanh(o, out=o)
        o *= half
        o += half
        np.tanh(c, out=tanh_c)
        np.multiply(o, tanh_c, out=h)
        if self._training:
            self._differentiate(t, tape, h)
            self._c_steps[t + 1] = c

    def _differentiate(self, t: int, tape: Array, h: Array) -> None:
        super()._differentiate(t, tape, h)
        dh_dc, dc_dc = self._dh_dc[t], self._dc_dc[t]
        peepholes = (
            (self._p_o, tape[0], dh_dc),
            (self._p_i, tape[1], dc_dc),
            (self._p_f, tape[2], dc_dc),
        )
        for p, derivative, by_way_of_c in peepholes:
            np.multiply(p, derivative, out=self._scratch)
            by_way_of_c += self._scratch

    def end_backward(self, tape: Array, dvectors: Array) -> None:
        before, after = self._c_steps[:-1], self._c_steps[1:]
        for gate, (c, dp) in enumerate(zip((after, before, before), dvectors, strict=True)):
            np.einsum("thb,thb->h", tape[:, gate], c, out=dp)
