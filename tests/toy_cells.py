"""Cells that are no part of charrnn: what it takes to add one.

In these, not every gate has a recurrent product. The fixture `toy_cells` registers them for the
tests of the network, which hold them against their naive references and check every gradient.
"""

from typing import ClassVar

import numpy as np
import pytest

import reference
from charrnn import registries
from charrnn.nn.cells.cell import Cell, CellShape
from charrnn.registries import Entry
from charrnn.types import Array
from reference import Step, Vector, sigmoid


class OneRecurrentGate(Cell):
    """A gated cell whose candidate sees the input only:

    f = σ(U_f·x + W_f·h_{t−1} + b_f)    n = tanh(U_n·x + b_n)    h_t = n + f ⊙ (h_{t−1} − n)
    """

    gates: ClassVar[tuple[str, ...]] = ("n", "f")
    recurrent_gates: ClassVar[tuple[str, ...]] = ("f",)
    states: ClassVar[tuple[str, ...]] = ("n", "f")
    bias: ClassVar[tuple[float, ...]] = (0.0, 1.0)
    passes_h: ClassVar[bool] = True

    def __init__(self, shape: CellShape) -> None:
        super().__init__(shape)
        self._difference = np.zeros(
            (shape.steps, shape.batch, shape.hidden_size), np.dtype(shape.dtype)
        )

    def forward(self, t: int, a: Array, h_before: Array, h: Array) -> None:
        n, f = a
        self._activate(a[1:], sigmoids=1)  # 1   f = σ(a_f)
        np.tanh(n, out=n)  # 1   n = tanh(a_n)
        self._difference[t] = h_before - n  # 2a  h_{t−1} − n
        h[:] = n + f * self._difference[t]  # 2b  h_t = n + f ⊙ 2a

    def backward(self, t: int, dh: Array, a: Array, da: Array) -> None:
        n, f = a
        da[0] = dh * (1 - f) * (1 - n**2)  # of 2b, 2a, 1
        da[1] = dh * self._difference[t] * f * (1 - f)  # of 2b, 1
        dh *= f  # of 2b, 2a


class NoRecurrentGate(OneRecurrentGate):
    """The same without any W·h_{t−1}: f = σ(U_f·x + b_f)."""

    recurrent_gates: ClassVar[tuple[str, ...]] = ()


def one_recurrent_step(
    W: Array, U: Array, P: Array, x: Vector, state: list[Vector]
) -> list[Vector]:
    """[h_t] from [h_{t−1}]; U holds the gates n, f, and W the gate f or nothing."""
    (h,) = state
    H = len(h)
    below = U[:, :-1] @ x + U[:, -1]
    n, f = np.tanh(below[:H]), sigmoid(below[H:] + (W @ h if len(W) else 0))
    return [(1 - f) * n + f * h]


TOYS: dict[str, tuple[str, Step]] = {
    "toy-one": ("toy_cells:OneRecurrentGate", one_recurrent_step),
    "toy-none": ("toy_cells:NoRecurrentGate", one_recurrent_step),
}
ALL_CELLS = (*registries.CELLS, *TOYS)
"""The cells of charrnn, and those of this file."""


def register(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the cells of this file, and their naive references, for a test."""
    for name, (location, step) in TOYS.items():
        monkeypatch.setitem(registries.CELLS, name, Entry(location))
        monkeypatch.setitem(reference.STEPS, name, step)
