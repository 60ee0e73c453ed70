"""A text as B contiguous streams, cut into windows of T steps.

Stream b reads the b-th part of the text from its start to its end, so that the state that a stream
carries from window to window is that after the preceding text. The target of each position is the
next symbol.
"""

from dataclasses import dataclass

import numpy as np

from charrnn.types import IdArray


def fit_shape(length: int, batch: int, steps: int) -> tuple[int, int]:
    """The number of streams and of steps, at most `batch` and `steps`, that `length` symbols fill.

    `length` is at least 2. For short texts the number of streams is reduced first, the length of
    the windows last.
    """
    pairs = length - 1
    steps = min(steps, pairs)
    return min(batch, pairs // steps), steps


@dataclass(frozen=True)
class Batches:
    """Windows (T, B) of the symbols `ids` (N,), with N − 1 ≥ T·B.

    A rest at the end of each stream that is shorter than a window is not used.
    """

    ids: IdArray
    batch: int
    steps: int

    @property
    def windows(self) -> int:
        """Windows in an epoch."""
        return (len(self.ids) - 1) // self.batch // self.steps

    def window(self, index: int) -> tuple[IdArray, IdArray]:
        """Inputs and targets of window 0 ≤ index < `windows`: two views (T, B)."""
        T, B = self.steps, self.batch
        length = (len(self.ids) - 1) // B
        inputs = self.ids[: B * length].reshape(B, length)
        targets = self.ids[1 : B * length + 1].reshape(B, length)
        part = slice(index * T, (index + 1) * T)
        return inputs[:, part].T, targets[:, part].T


def spread(count: int, parts: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """`parts` + 1 borders that divide `count` items into parts whose sizes differ by at most 1."""
    return np.arange(parts + 1, dtype=np.intp) * count // parts
