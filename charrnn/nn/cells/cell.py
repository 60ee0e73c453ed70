"""The interface of a recurrent cell."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from charrnn.machine.activation import Activation
from charrnn.types import Array

Units = NDArray[np.integer[Any]]
"""Indices of units or streams (N,)."""


@dataclass(frozen=True)
class CellShape:
    """The sizes of a cell's arrays: T steps of B streams with H units."""

    hidden_size: int
    steps: int
    batch: int
    dtype: DTypeLike
    training: bool


class Cell:
    """The pointwise equations of a layer, for T steps of B streams.

    A step has K blocks of pre-activations, `a` (K, B, H), one for each name in `blocks`. A layer
    puts two products into them:

        U·x_t + b       into the blocks of `gates`; the rows of U are in the order of `gates`
        W·h_{t−1}       into those of `recurrent_gates`; the rows of W are in their order

    In a cell that `scales_h`, the second one is W·m_t with m_t = s_t ⊙ h_{t−1}, where s_t is the
    first block: U·x_t + b alone. The layer computes m_t, and the gradient of s_t.

    A block with both products holds their sum. `forward` turns the blocks into gates, in place, and
    `backward` reads them there when training.
    """

    gates: ClassVar[tuple[str, ...]]
    """The G blocks with an input product, the first of the blocks."""
    recurrent_gates: ClassVar[tuple[str, ...]]
    """The R blocks with a recurrent product, the last of the blocks."""
    blocks: ClassVar[tuple[str, ...]]
    """All K blocks: `gates`, and those of `recurrent_gates` that are not among them."""
    memories: ClassVar[int] = 0
    """S: state arrays beside h that are carried from step to step."""
    memory_state: ClassVar[str] = "h"
    """The state that carries what a unit remembers, and that `hold` overwrites: "c" in a cell that
    has one."""
    bias: ClassVar[tuple[float, ...]]
    """The initial bias of each gate, G numbers."""
    vectors: ClassVar[int] = 0
    """X: weight vectors (H,) beside W and U, initially zero."""
    output_gain: ClassVar[float] = 3.0
    """Initial output weights are uniform in ± this / √H: larger where h is small at first."""
    passes_h: ClassVar[bool] = False
    """Whether h_t depends on h_{t−1} also without W."""
    scales_h: ClassVar[bool] = False
    """Whether W multiplies s_t ⊙ h_{t−1} instead of h_{t−1}."""

    states: ClassVar[tuple[str, ...]] = ()
    """The names of what a step computes beside h, as in the cell's equations."""

    def __init_subclass__(cls) -> None:
        cls.blocks = tuple(dict.fromkeys(cls.gates + cls.recurrent_gates))
        if cls.blocks[len(cls.blocks) - len(cls.recurrent_gates) :] != cls.recurrent_gates:
            raise TypeError(f"{cls.__name__}: recurrent_gates must be the last of the blocks")

    def __init__(self, shape: CellShape) -> None:
        """Memory: none, unless the cell says so."""
        H, B, dtype = shape.hidden_size, shape.batch, shape.dtype
        self._activate = Activation(dtype)
        # a 0-d array: NumPy would convert a Python number in every call
        self._one = np.array(1.0, dtype)
        self.memory: Array = np.zeros((0, B, H), dtype)
        """The state arrays beside h after the last step, (S, B, H), to be read or overwritten."""

    def state(self, name: str, a: Array) -> Array:
        """One of `states` (B, H) after the last step, which left its gates in `a`; only where the
        cell is not training."""
        if name not in self.states:
            raise KeyError(name)
        state: Array = a[self.blocks.index(name)]
        return state

    def hold(self, units: Units, streams: Units, values: Array, a: Array, h: Array) -> None:
        """Overwrite the memory of some units in some streams with `values`, all (N,), each in
        (−1, 1), right after a step that left its gates in `a`, and update `h` (B, H) accordingly.

        The memory of a unit is tanh(c) in a cell that has a c, otherwise h.
        """
        h[streams, units] = values

    def begin(self, vectors: Array) -> None:
        """Start a window with the weight vectors (X, H)."""

    def forward(self, t: int, a: Array, h_before: Array, h: Array) -> None:
        """Step t: from the pre-activations in `a` and h_{t−1} in `h_before` to h_t in `h` (B, H);
        overwrites `a` with what `backward` needs."""
        raise NotImplementedError

    def begin_backward(self) -> None:
        """Start the backward pass of a window: no gradient comes from beyond its last step."""

    def backward(self, t: int, dh: Array, a: Array, da: Array) -> None:
        """Step t, for t = T − 1 … 0: from `dh` (B, H), the gradient of h_t, and what `forward` left
        in `a`, to `da` (K, B, H), the gradient of the pre-activations.

        A cell that `passes_h` overwrites `dh` with the gradient that h_{t−1} gets without W.
        """
        raise NotImplementedError

    def end_backward(self, da: Array, dvectors: Array) -> None:
        """Finish a window: from the gradients of all steps, (K, T, B, H), to `dvectors` (X, H)."""
