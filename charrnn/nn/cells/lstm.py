"""Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

With a = U·x_t + W·h_{t−1} + b, its 4H rows in the gate order (o, i, f, g):

    o = σ(a_o)      output gate          c_t = f ⊙ c_{t−1} + i ⊙ g
    i = σ(a_i)      input gate           h_t = o ⊙ tanh(c_t)
    f = σ(a_f)      forget gate
    g = tanh(a_g)   candidate

The order puts what is treated alike side by side: the three sigmoids are one block (o, i, f), and
the three gates whose gradient comes through c_t are one block (i, f, g).

Backwards, with dc as what comes from h_t, dh ⊙ o(1 − tanh²c_t), and from the step behind, dc ⊙ f:

    da_o = dh ⊙ o(1 − o) ⊙ tanh(c_t)       da_f = dc ⊙ f(1 − f) ⊙ c_{t−1}
    da_i = dc ⊙ i(1 − i) ⊙ g               da_g = dc ⊙ (1 − g²) ⊙ i

What a step keeps are its gates and c. h, i ⊙ g and f ⊙ c_{t−1} are computed again, and serve in the
derivatives: o(1 − o) ⊙ tanh(c_t) = (1 − o) ⊙ h, and (1 − g²) ⊙ i = i − g ⊙ (i ⊙ g).
"""

from typing import ClassVar

import numpy as np

from charrnn.machine.aligned import aligned_zeros
from charrnn.nn.cells.cell import Cell, Room, Units
from charrnn.types import Array


class LSTM(Cell):
    """The pointwise half of an LSTM layer for T steps of B streams.

    Memory: 2·H·B numbers, and (T + 2)·H·B more for training.
    """

    gates: ClassVar[int] = 4
    blocks: ClassVar[int] = 4
    memories: ClassVar[int] = 1
    states: ClassVar[tuple[str, ...]] = ("c", "o", "i", "f", "g")
    bias: ClassVar[tuple[float, ...]] = (0.0, 0.0, 1.0, 0.0)
    """The forget gate starts open (Jozefowicz et al. 2015), so that gradients reach far back."""

    def __init__(self, room: Room) -> None:
        super().__init__(room)
        T, H, B, dtype = room.steps, room.hidden_size, room.batch, room.dtype
        # arrays without a dimension: NumPy would turn a number into one each time
        self._half, self._one = np.array(0.5, dtype), np.array(1.0, dtype)
        # c_0 … c_T, or one that takes the place of the one before
        self._all_c = aligned_zeros((T + 1 if room.training else 1, H, B), dtype)
        self._c = [self._all_c[t if room.training else 0] for t in range(T + 1)]
        self.memory = self._all_c[-1:]
        self._scratch = aligned_zeros((H, B), dtype)
        if room.training:
            self._product, self._dc = aligned_zeros((2, H, B), dtype)

    def state(self, name: str, a: Array) -> Array:
        state: Array = self._c[-1] if name == "c" else a[self.states.index(name) - 1]
        return state

    def hold(self, units: Units, streams: Units, values: Array, a: Array, h: Array) -> None:
        self._c[-1][units, streams] = np.arctanh(values)
        h[units, streams] = a[0, units, streams] * values

    def begin(self, vectors: Array) -> None:
        self._c[0][:] = self._c[-1]

    def forward(self, t: int, a: Array, before: Array, h: Array) -> None:
        sigmoids, (o, i, f, g), half = a[:3], a, self._half
        c_before, c, scratch = self._c[t], self._c[t + 1], self._scratch
        sigmoids *= half  # σ(x) = ½ + ½·tanh(x/2), so that one tanh serves all four gates
        np.tanh(a, out=a)
        sigmoids *= half
        sigmoids += half
        np.multiply(i, g, out=scratch)
        np.multiply(f, c_before, out=c)
        c += scratch
        np.tanh(c, out=scratch)
        np.multiply(o, scratch, out=h)

    def begin_backward(self) -> None:
        self._dc.fill(0)

    def backward(self, t: int, dh: Array, a: Array, da: Array) -> None:
        sigmoids, (o, i, f, g), (da_o, da_i, da_f, da_g) = a[:3], a, da
        dc, product = self._dc, self._product
        np.subtract(self._one, sigmoids, out=da[:3])
        self._backward_through_h(t, dh, o, da_o)
        np.multiply(i, g, out=product)
        da_i *= product
        np.multiply(g, product, out=da_g)
        np.subtract(i, da_g, out=da_g)
        np.multiply(f, self._c[t], out=product)
        da_f *= product
        da[1:] *= dc
        dc *= f

    def _backward_through_h(self, t: int, dh: Array, o: Array, da_o: Array) -> None:
        """From dh and 1 − o in `da_o` to da_o and dc."""
        tanh_c, h = self._scratch, self._product
        np.tanh(self._c[t + 1], out=tanh_c)
        np.multiply(o, tanh_c, out=h)
        da_o *= h
        da_o *= dh
        h *= tanh_c
        dh_dc = np.subtract(o, h, out=h)
        dh_dc *= dh
        self._dc += dh_dc
