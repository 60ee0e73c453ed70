"""The simple recurrent network (Elman 1990).

h_t = tanh(U·x_t + W·h_{t−1} + b)       ∂h/∂a = 1 − h²
"""

from typing import ClassVar

import numpy as np

from charrnn.nn.cells.cell import Cell, Room
from charrnn.types import Array


class RNN(Cell):
    """The pointwise half of a simple recurrent layer for T steps of B streams."""

    gates: ClassVar[int] = 1
    blocks: ClassVar[int] = 1
    bias: ClassVar[tuple[float, ...]] = (0.0,)
    output_gain: ClassVar[float] = 1.0

    def __init__(self, room: Room) -> None:
        super().__init__(room)
        self._one = np.array(1.0, room.dtype)

    def forward(self, t: int, a: Array, before: Array, h: Array) -> None:
        np.tanh(a, out=a)
        h[:] = a[0]

    def backward(self, t: int, dh: Array, a: Array, da: Array) -> None:
        np.multiply(a, a, out=da)
        np.subtract(self._one, da, out=da)
        da *= dh
