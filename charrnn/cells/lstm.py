"""Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

With a = U·x_t + W·h_{t−1} + b, its 4H rows in the gate order (o, i, f, g):

    o = σ(a_o)      output gate          c_t = f ⊙ c_{t−1} + i ⊙ g
    i = σ(a_i)      input gate           h_t = o ⊙ tanh(c_t)
    f = σ(a_f)      forget gate
    g = tanh(a_g)   candidate

The order puts what is treated alike side by side: the three sigmoids are one block (o, i, f), and
the three gates whose gradient comes through c_t are one block (i, f, g).

The forward pass works out the partial derivatives of its step while everything is at hand in the
cache, so that the backward pass is the chain rule and nothing else. What it has computed anyway
serves a second time:

    ∂h/∂a_o = o(1 − o) ⊙ tanh(c_t)    = (1 − o) ⊙ h_t          ∂h_t/∂c_t = o ⊙ (1 − tanh²c_t)
    ∂c/∂a_i = i(1 − i) ⊙ g            = (1 − i) ⊙ (i ⊙ g)                = o − h_t ⊙ tanh(c_t)
    ∂c/∂a_f = f(1 − f) ⊙ c_{t−1}      = (1 − f) ⊙ (f ⊙ c_{t−1})
    ∂c/∂a_g = (1 − g²) ⊙ i            = i − g ⊙ (i ⊙ g)        ∂c_t/∂c_{t−1} = f
"""

from typing import ClassVar

import numpy as np

from charrnn.cells.cell import Cell, Room, Units
from charrnn.parameters import Array


class LSTM(Cell):
    """The pointwise half of an LSTM layer for T steps of B streams.

    Memory: (K + 5)·H·B numbers, and (2·T + G)·H·B more for training: ∂h_t/∂c_t and ∂c_t/∂c_{t−1}.
    The other derivatives lie in the layer's tape.
    """

    gates: ClassVar[int] = 4
    blocks: ClassVar[int] = 4
    memories: ClassVar[int] = 1
    states: ClassVar[tuple[str, ...]] = ("c", "o", "i", "f", "g")
    bias: ClassVar[tuple[float, ...]] = (0.0, 0.0, 1.0, 0.0)
    """The forget gate starts open (Jozefowicz et al. 2015), so that gradients reach far back."""

    def __init__(self, room: Room) -> None:
        super().__init__(room)
        T, H, B, dtype, zeros = room.steps, room.hidden_size, room.batch, room.dtype, room.zeros
        # arrays without a dimension: NumPy would turn a number into one each time
        self._half, self._one = np.array(0.5, dtype), np.array(1.0, dtype)
        self._gates, self._sigmoids = tuple(self.a), self.a[:-1]
        self._c = zeros((H, B), dtype)
        self._tanh_c = zeros((H, B), dtype)
        self._addends = zeros((2, H, B), dtype)  # i ⊙ g and f ⊙ c_{t−1}
        self._scratch = zeros((H, B), dtype)
        self._training = room.training
        if room.training:
            self._rest = zeros((self.gates - 1, H, B), dtype)  # 1 − o, 1 − i, 1 − f
            self._dh_dc = zeros((T, H, B), dtype)
            self._dc_dc = zeros((T, H, B), dtype)
            self._dc = zeros((H, B), dtype)

    @property
    def memory(self) -> Array:
        return self._c[np.newaxis]

    def state(self, name: str) -> Array:
        state: Array = self._c if name == "c" else self._gates[self.states.index(name) - 1]
        return state

    def hold(self, units: Units, streams: Units, values: Array, h: Array) -> None:
        o = self._gates[0]
        self._c[units, streams] = np.arctanh(values)
        h[units, streams] = o[units, streams] * values

    def forward(self, t: int, tape: Array, before: Array, h: Array) -> None:
        sigmoids, (o, i, f, g), half = self._sigmoids, self._gates, self._half
        c, tanh_c, (written, kept) = self._c, self._tanh_c, self._addends
        sigmoids *= half  # σ(x) = ½ + ½·tanh(x/2), so that one tanh serves all four gates
        np.tanh(self.a, out=self.a)
        sigmoids *= half
        sigmoids += half
        np.multiply(i, g, out=written)
        np.multiply(f, c, out=kept)
        np.add(written, kept, out=c)
        np.tanh(c, out=tanh_c)
        np.multiply(o, tanh_c, out=h)
        if self._training:
            self._differentiate(t, tape, h)

    def _differentiate(self, t: int, tape: Array, h: Array) -> None:
        rest, addends, (o, i, f, g) = self._rest, self._addends, self._gates
        dh_dc, dc_da_g = self._dh_dc[t], tape[3]
        np.subtract(self._one, self._sigmoids, out=rest)
        np.multiply(rest[0], h, out=tape[0])
        np.multiply(rest[1:], addends, out=tape[1:3])
        np.multiply(g, addends[0], out=dc_da_g)
        np.subtract(i, dc_da_g, out=dc_da_g)
        self._dc_dc[t] = f
        np.multiply(h, self._tanh_c, out=dh_dc)
        np.subtract(o, dh_dc, out=dh_dc)

    def begin_backward(self) -> None:
        self._dc.fill(0)

    def backward(self, t: int, dh: Array, tape: Array) -> None:
        dc, by_way_of_h, dh_da, dc_da = self._dc, self._scratch, tape[0], tape[1:]
        np.multiply(dh, self._dh_dc[t], out=by_way_of_h)
        dc += by_way_of_h
        dh_da *= dh
        dc_da *= dc
        dc *= self._dc_dc[t]
