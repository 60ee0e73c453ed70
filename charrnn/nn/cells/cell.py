"""What a cell has to say about itself, and to do."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from charrnn.types import Array

Units = NDArray[np.integer[Any]]
"""Numbers of units or streams (N,)."""


@dataclass(frozen=True)
class Room:
    """What a cell is made for: T steps of B streams with H units."""

    hidden_size: int
    steps: int
    batch: int
    dtype: DTypeLike
    training: bool


class Cell:
    """The pointwise half of a layer for T steps of B streams.

    The weights have G blocks of H rows, a block a gate. A step has K ≥ G blocks `a` (K, H, B) of
    pre-activations: U·x + b is in the first G of them, W·h in the last G. In most cells these are
    the same blocks, which hold the sum. `forward` turns them into gates, which `backward` finds
    again when training.
    """

    gates: ClassVar[int]
    """G."""
    blocks: ClassVar[int]
    """K."""
    memories: ClassVar[int] = 0
    """S: state arrays beside h that travel from step to step."""
    bias: ClassVar[tuple[float, ...]]
    """The initial bias of each gate, G numbers."""
    vectors: ClassVar[int] = 0
    """X: vectors (H,) of weights beside W and U, which are zero at first."""
    output_gain: ClassVar[float] = 3.0
    """The first weights of the output are ± this / √H: more where h is small at first."""
    passes_h: ClassVar[bool] = False
    """Whether h_t depends on h_{t−1} by another way than W·h."""

    states: ClassVar[tuple[str, ...]] = ()
    """The names of what a step works out beside h, as in the cell's equations."""

    def __init__(self, room: Room) -> None:
        """Memory: none, but in a cell that says so."""
        self.memory: Array = np.zeros((0, room.hidden_size, room.batch), room.dtype)
        """State arrays beside h after the last step, (S, H, B): read it, or write into it."""

    def state(self, name: str, a: Array) -> Array:
        """One of `states` (H, B) as the last step has left it, and its gates in `a`, where it is
        not for training."""
        raise KeyError(name)

    def hold(self, units: Units, streams: Units, values: Array, a: Array, h: Array) -> None:
        """Right after a step that left its gates in `a`: set what carries the memory of some units
        in some streams to `values`, all (N,), each in (−1, 1), and `h` (H, B) to what follows.

        What carries the memory is tanh(c) in a cell that has a c, else h.
        """
        h[units, streams] = values

    def begin(self, vectors: Array) -> None:
        """Before a window: the further weights (X, H)."""

    def forward(self, t: int, a: Array, before: Array, h: Array) -> None:
        """Step t: from the pre-activations in `a` and h_{t−1} in `before` to `h` (H, B), and to
        what `backward` will want to know in `a`."""
        raise NotImplementedError

    def begin_backward(self) -> None:
        """Forget the gradients of the window before: nothing flows in from beyond the last step."""

    def backward(self, t: int, dh: Array, a: Array, da: Array) -> None:
        """Step t, called for t = T − 1 … 0: from `dh` (H, B), the gradient of h_t, and what
        `forward` has left in `a`, to the gradient of the pre-activations, `da` (K, H, B).

        A cell that `passes_h` leaves in `dh` what flows to h_{t−1} beside W.
        """
        raise NotImplementedError

    def end_backward(self, da: Array, dvectors: Array) -> None:
        """After a window: from the gradients of all steps, (K, H, T, B), to `dvectors` (X, H)."""
