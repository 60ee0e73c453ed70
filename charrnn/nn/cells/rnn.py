"""The simple recurrent network (Elman 1990).

h_t = tanh(U·x_t + W·h_{t−1} + b)       ∂h/∂a = 1 − h²
"""

from typing import ClassVar

import numpy as np

from charrnn.nn.cells.cell import Cell
from charrnn.types import Array


class RNN(Cell):
    """The equation of a simple recurrent layer, for T steps of B streams."""

    gates: ClassVar[tuple[str, ...]] = ("a",)
    recurrent_gates: ClassVar[tuple[str, ...]] = gates
    bias: ClassVar[tuple[float, ...]] = (0.0,)
    output_gain: ClassVar[float] = 1.0

    def forward(self, t: int, a: Array, h_before: Array, h: Array) -> None:
        # fmt: off
        np.tanh(a, out=a)  # 1  tanh(a)        (1, B, H)
        h[:] = a[0]        # 2  h_t = tanh(a)     (B, H)
        # fmt: on

    def backward(self, t: int, dh: Array, a: Array, da: Array) -> None:
        # fmt: off
        np.multiply(a, a, out=da)
        np.subtract(self._one, da, out=da)  # of 1  ∂h_t/∂a = 1 − h_t²  (1, B, H)
        da *= dh                            # of 2  da = dh ⊙ ∂h_t/∂a   (1, B, H)
        # fmt: on
