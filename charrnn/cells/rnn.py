"""The simple recurrent network (Elman 1990).

h_t = tanh(U·x_t + W·h_{t−1} + b)       ∂h/∂a = 1 − h²
"""

from typing import ClassVar

import numpy as np

from charrnn.cells.cell import Cell, Room
from charrnn.parameters import Array


class RNN(Cell):
    """Memory: H·B numbers."""

    gates: ClassVar[int] = 1
    blocks: ClassVar[int] = 1
    bias: ClassVar[tuple[float, ...]] = (0.0,)
    output_gain: ClassVar[float] = 1.0

    def __init__(self, room: Room) -> None:
        self._training = room.training
        self._h = room.zeros((room.hidden_size, room.batch), room.dtype)
        self._one = np.array(1.0, room.dtype)

    def forward(self, t: int, recurrent: Array, tape: Array, before: Array, h: Array) -> None:
        activation, slope = self._h, tape[0]
        np.add(recurrent[0], slope, out=activation)
        np.tanh(activation, out=activation)
        h[:] = activation
        if self._training:
            activation *= activation
            np.subtract(self._one, activation, out=slope)

    def backward(self, t: int, dh: Array, tape: Array) -> None:
        da = tape[0]
        da *= dh
