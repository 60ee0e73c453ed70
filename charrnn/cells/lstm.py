"""Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

With a = U·x_t + W·h_{t−1} + b, its 4H rows in the gate order (o, i, f, g):

    o = σ(a_o)      output gate          c_t = f ⊙ c_{t−1} + i ⊙ g
    i = σ(a_i)      input gate           h_t = o ⊙ tanh(c_t)
    f = σ(a_f)      forget gate
    g = tanh(a_g)   candidate

The order puts what is treated alike side by side: the three sigmoids are one block (o, i, f), and
the three gates whose gradient comes through c_t are one block (i, f, g).
"""

from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from charrnn.parameters import Array


class LSTM:
    """The pointwise half of an LSTM layer for T steps of B streams.

    Memory: (T + 1)·H·B numbers for c, 2·H·B of scratch, and 5·H·B more for training. The gates of
    all steps lie in the layer's tape.
    """

    gates: ClassVar[int] = 4
    bias: ClassVar[tuple[float, ...]] = (0.0, 0.0, 1.0, 0.0)
    """The forget gate starts open (Jozefowicz et al. 2015), so that gradients reach far back."""

    def __init__(
        self, hidden_size: int, steps: int, batch: int, dtype: DTypeLike, *, training: bool
    ) -> None:
        T, H, B = steps, hidden_size, batch
        self._c = np.zeros((T + 1, H, B), dtype)  # [0] stands before the first step
        self._tanh_c = np.empty((H, B), dtype)
        self._scratch = np.empty((H, B), dtype)
        self._training = training
        if training:
            self._dc = np.empty((H, B), dtype)
            self._gates = np.empty((4, H, B), dtype)
            self._slopes = np.empty((4, H, B), dtype)

    @property
    def memory(self) -> Array:
        return self._c[-1:]

    def begin_forward(self) -> None:
        self._c[0] = self._c[-1]

    def forward(self, t: int, a: Array, h: Array, tape: Array) -> None:
        c_before, c, tanh_c, scratch = self._c[t], self._c[t + 1], self._tanh_c, self._scratch
        gates, sigmoids = a, a[:3]
        sigmoids *= 0.5  # 1: σ(x) = ½ + ½·tanh(x/2), so that one tanh serves all four gates
        np.tanh(a, out=gates)
        sigmoids *= 0.5
        sigmoids += 0.5
        o, i, f, g = gates
        np.multiply(f, c_before, out=c)  # 2: c_t = f ⊙ c_{t−1} + i ⊙ g
        np.multiply(i, g, out=scratch)
        c += scratch
        np.tanh(c, out=tanh_c)  # 3: h_t = o ⊙ tanh(c_t)
        np.multiply(o, tanh_c, out=h)
        if self._training:
            tape[:] = gates

    def begin_backward(self) -> None:
        self._dc.fill(0)

    def backward(self, t: int, dh: Array, tape: Array) -> None:
        dc, tanh_c, scratch, slopes, gates = (
            self._dc, self._tanh_c, self._scratch, self._slopes, self._gates,
        )  # fmt: skip
        gates[:] = tape
        sigmoids, (o, i, f, g) = gates[:3], gates
        sigmoid_slopes, slope_g = slopes[:3], slopes[3]
        # 3: dc += dh ⊙ o ⊙ (1 − tanh²c_t), and do = dh ⊙ tanh(c_t)
        np.tanh(self._c[t + 1], out=tanh_c)
        np.multiply(tanh_c, tanh_c, out=scratch)
        np.subtract(1.0, scratch, out=scratch)
        scratch *= o
        scratch *= dh
        dc += scratch
        # 1: σ' = σ ⊙ (1 − σ) and tanh' = 1 − tanh², of the gates (o, i, f, g)
        np.subtract(1.0, sigmoids, out=sigmoid_slopes)
        sigmoid_slopes *= sigmoids
        np.multiply(g, g, out=slope_g)
        np.subtract(1.0, slope_g, out=slope_g)
        # 2: di = dc ⊙ g, df = dc ⊙ c_{t−1}, dg = dc ⊙ i, and dc_{t−1} = dc ⊙ f
        slopes[0] *= tanh_c
        slopes[1] *= g
        slopes[2] *= self._c[t]
        slope_g *= i
        np.multiply(slopes[0], dh, out=tape[0])
        np.multiply(slopes[1:], dc, out=tape[1:])
        dc *= f
