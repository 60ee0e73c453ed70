"""Dropout (Srivastava et al. 2014), in two forms for recurrent networks.

    outputs    m ⊙ h_t        one mask m for all steps of a window (Gal & Ghahramani 2016)
    weights    (M ⊙ W)·h      one mask M of the recurrent weights for a window (Merity et al. 2017)

Each number is set to zero with probability p, and the others are multiplied by 1 / (1 − p), so that
the network without dropout needs no correction. The state that a layer carries from step to step is
never masked.
"""

import numpy as np
from numpy.typing import DTypeLike

from charrnn.machine.aligned import aligned_zeros
from charrnn.types import Array


class OutputDropout:
    """Dropout of a layer's output, for windows of T steps in B streams.

    Memory: T·B·(H + 1) + B·H numbers.
    """

    def __init__(
        self, p: float, hidden_size: int, steps: int, batch: int, dtype: DTypeLike
    ) -> None:
        H, T, B = hidden_size, steps, batch
        self._p = p
        self._mask = np.ones((B, H), dtype)
        self._shape = T, B, H + 1
        self.output = aligned_zeros((T * B, H + 1), dtype)
        """[m ⊙ h_1, 1] … [m ⊙ h_T, 1] as (T·B, H + 1)."""
        self.output[:, H] = 1

    def draw(self, rng: np.random.Generator) -> None:
        """Draw a new mask for the next window."""
        _draw(self._mask, self._p, rng)

    def forward(self, output: Array) -> Array:
        """Mask the layer's output [h_1, 1] … [h_T, 1] (T·B, H + 1); returns `self.output`."""
        h, masked = (x.reshape(self._shape)[..., :-1] for x in (output, self.output))
        np.multiply(h, self._mask, out=masked)
        return self.output

    def backward(self, dY: Array) -> None:
        """Turn the gradient of m ⊙ h into that of h, (T·B, H), in place."""
        by_step = dY.reshape(-1, *self._mask.shape)
        by_step *= self._mask


class WeightDropout:
    """Dropout of a layer's recurrent weights. Memory: 2·R·H² numbers."""

    def __init__(self, p: float, shape: tuple[int, int], dtype: DTypeLike) -> None:
        self._p = p
        self._mask = aligned_zeros(shape, dtype)
        self._mask.fill(1)
        self.W = aligned_zeros(shape, dtype)
        """M ⊙ W."""

    def draw(self, rng: np.random.Generator) -> None:
        """Draw a new mask for the next window."""
        _draw(self._mask, self._p, rng)

    def forward(self, W: Array) -> Array:
        """Mask W (R·H, H); returns `self.W`."""
        return np.multiply(W, self._mask, out=self.W)

    def backward(self, dW: Array) -> None:
        """Turn the gradient of M ⊙ W into that of W, in place."""
        dW *= self._mask


def _draw(mask: Array, p: float, rng: np.random.Generator) -> None:
    """Overwrite `mask` with zeros, with probability p, and 1 / (1 − p)."""
    rng.random(out=mask, dtype=mask.dtype)
    np.greater_equal(mask, p, out=mask)
    mask /= 1 - p
