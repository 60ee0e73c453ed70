"""The cells: one file each, with only its pointwise equations, forward and backward.

What every cell shares (products with weights, the loop over time, the sums over a window) stands in
`charrnn.layer`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Protocol

from numpy.typing import DTypeLike

from charrnn.cells.lstm import LSTM
from charrnn.memory import Zeros
from charrnn.parameters import Array


class Cell(Protocol):
    """The pointwise half of a layer for T steps of B streams, with the tape for its backward pass.

    G gates of H units each; S state arrays beside h that travel from step to step.
    """

    gates: ClassVar[int]
    """G: how many blocks of H rows the weights have."""
    memories: ClassVar[int]
    """S."""
    bias: ClassVar[tuple[float, ...]]
    """The initial bias of each gate, G numbers."""

    def __init__(
        self,
        hidden_size: int,
        steps: int,
        batch: int,
        dtype: DTypeLike,
        *,
        training: bool,
        zeros: Zeros = ...,
    ) -> None:
        """`zeros` makes its arrays."""
        ...

    @property
    def memory(self) -> Array:
        """State arrays beside h after the last step, (S, H, B): read it, or write into it."""
        ...

    def forward(self, t: int, a: Array, h: Array, tape: Array) -> None:
        """Step t: from the pre-activations `a` (G, H, B), which it may use up, to `h` (H, B).

        When training, it leaves in `tape` (G, H, B) what `backward` will want to know.
        """
        ...

    def begin_backward(self) -> None:
        """Forget the gradients of the window before: nothing flows in from beyond the last step."""
        ...

    def backward(self, t: int, dh: Array, tape: Array) -> None:
        """Step t, called for t = T − 1 … 0: from `dh` (H, B) to da (G, H, B).

        `tape` holds what `forward` left there, and da takes its place.
        """
        ...


CELLS: Mapping[str, type[Cell]] = MappingProxyType({"lstm": LSTM})
