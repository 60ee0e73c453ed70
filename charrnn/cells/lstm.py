"""Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

With a = U·x_t + W·h_{t−1} + b, its 4H rows in the gate order (o, i, f, g):

    o = σ(a_o)      output gate          c_t = f ⊙ c_{t−1} + i ⊙ g
    i = σ(a_i)      input gate           h_t = o ⊙ tanh(c_t)
    f = σ(a_f)      forget gate
    g = tanh(a_g)   candidate

The order puts what is treated alike side by side: the three sigmoids are one block (o, i, f), and
the three gates whose gradient comes through c_t are one block (i, f, g).

The forward pass works out the partial derivatives of its step while everything is at hand in the
cache, so that the backward pass is the chain rule and nothing else:

    ∂h/∂a_o = o(1 − o) ⊙ tanh(c_t)    ∂c/∂a_i = i(1 − i) ⊙ g          ∂h_t/∂c_t = o ⊙ (1 − tanh²c_t)
                                      ∂c/∂a_f = f(1 − f) ⊙ c_{t−1}    ∂c_t/∂c_{t−1} = f
                                      ∂c/∂a_g = (1 − g²) ⊙ i
"""

from typing import ClassVar

import numpy as np

from charrnn.cells.cell import Cell, Room, Units
from charrnn.parameters import Array


class LSTM(Cell):
    """The pointwise half of an LSTM layer for T steps of B streams.

    Memory: (G + 3)·H·B numbers, and (2·T + G + 1)·H·B more for training: ∂h_t/∂c_t and
    ∂c_t/∂c_{t−1}. The other derivatives lie in the layer's tape.
    """

    gates: ClassVar[int] = 4
    blocks: ClassVar[int] = 4
    memories: ClassVar[int] = 1
    states: ClassVar[tuple[str, ...]] = ("c", "o", "i", "f", "g")
    bias: ClassVar[tuple[float, ...]] = (0.0, 0.0, 1.0, 0.0)
    """The forget gate starts open (Jozefowicz et al. 2015), so that gradients reach far back."""

    def __init__(self, room: Room) -> None:
        T, H, B, dtype, zeros = room.steps, room.hidden_size, room.batch, room.dtype, room.zeros
        # arrays without a dimension: NumPy would turn a number into one each time
        self._half, self._one = np.array(0.5, dtype), np.array(1.0, dtype)
        self._a = zeros((self.gates, H, B), dtype)
        self._c = zeros((H, B), dtype)
        self._tanh_c = zeros((H, B), dtype)
        self._scratch = zeros((H, B), dtype)
        self._training = room.training
        if room.training:
            self._slopes = zeros((self.gates, H, B), dtype)
            self._dh_dc = zeros((T, H, B), dtype)
            self._dc_dc = zeros((T, H, B), dtype)
            self._dc = zeros((H, B), dtype)

    @property
    def memory(self) -> Array:
        return self._c[np.newaxis]

    def state(self, name: str) -> Array:
        state: Array = self._c if name == "c" else self._a[self.states.index(name) - 1]
        return state

    def hold(self, units: Units, streams: Units, values: Array, h: Array) -> None:
        o = self._a[0]
        self._c[units, streams] = np.arctanh(values)
        h[units, streams] = o[units, streams] * values

    def forward(self, t: int, recurrent: Array, tape: Array, before: Array, h: Array) -> None:
        a, c, tanh_c, scratch, half = self._a, self._c, self._tanh_c, self._scratch, self._half
        np.add(recurrent, tape, out=a)
        sigmoids, (o, i, f, g) = a[:3], a
        sigmoids *= half  # σ(x) = ½ + ½·tanh(x/2), so that one tanh serves all four gates
        np.tanh(a, out=a)
        sigmoids *= half
        sigmoids += half
        if self._training:
            self._differentiate_c(t, a, tape)
        np.multiply(f, c, out=c)
        np.multiply(i, g, out=scratch)
        c += scratch
        np.tanh(c, out=tanh_c)
        np.multiply(o, tanh_c, out=h)
        if self._training:
            self._differentiate_h(t, o, tape)

    def _differentiate_c(self, t: int, gates: Array, tape: Array) -> None:
        """Before c moves on from c_{t−1} to c_t."""
        slopes, sigmoids, (_, i, f, g), one = self._slopes, gates[:3], gates, self._one
        slopes_of_sigmoids, slope_g = slopes[:3], slopes[3]
        np.subtract(one, sigmoids, out=slopes_of_sigmoids)
        slopes_of_sigmoids *= sigmoids
        np.multiply(g, g, out=slope_g)
        np.subtract(one, slope_g, out=slope_g)
        np.multiply(slopes[1], g, out=tape[1])
        np.multiply(slopes[2], self._c, out=tape[2])
        np.multiply(slope_g, i, out=tape[3])
        self._dc_dc[t] = f

    def _differentiate_h(self, t: int, o: Array, tape: Array) -> None:
        dh_dc, tanh_c, one = self._dh_dc[t], self._tanh_c, self._one
        np.multiply(self._slopes[0], tanh_c, out=tape[0])
        np.multiply(tanh_c, tanh_c, out=dh_dc)
        np.subtract(one, dh_dc, out=dh_dc)
        dh_dc *= o

    def begin_backward(self) -> None:
        self._dc.fill(0)

    def backward(self, t: int, dh: Array, tape: Array) -> None:
        dc, by_way_of_h, dh_da, dc_da = self._dc, self._scratch, tape[0], tape[1:]
        np.multiply(dh, self._dh_dc[t], out=by_way_of_h)
        dc += by_way_of_h
        dh_da *= dh
        dc_da *= dc
        dc *= self._dc_dc[t]
