"""Optimizers on the flat vector of weights.

An optimizer owns its state (vectors of the weights' layout) and updates any part of the weights, so
that the caller can walk the vector in cache-sized blocks and share it out among threads.
"""

from typing import ClassVar

import numpy as np

from charrnn.parameters import Array


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1), with gradient g, step n = 1, 2, …:

    m = β₁·m + (1 − β₁)·g          w −= rate · (m / (1 − β₁ⁿ)) / (√(v / (1 − β₂ⁿ)) + ε)
    v = β₂·v + (1 − β₂)·g²
    """

    beta1, beta2, epsilon = 0.9, 0.99, 1e-8
    moments: ClassVar[int] = 2
    """Vectors of the weights' size that it keeps."""

    def __init__(self, weights: Array, state: Array | None = None) -> None:
        """For the weights (P,): the moments (2, P), zeros if they are not given, and the count of
        steps."""
        self.state: Array = np.zeros((2, weights.size), weights.dtype) if state is None else state
        self.steps = 0

    @property
    def m(self) -> Array:
        """The first moment (P,)."""
        m: Array = self.state[0]
        return m

    @property
    def v(self) -> Array:
        """The second moment (P,)."""
        v: Array = self.state[1]
        return v

    def begin_step(self) -> None:
        """Count a step; then call `update` once for every part of the weights."""
        self.steps += 1

    def update(
        self, weights: Array, gradient: Array, learning_rate: float, part: slice, scratch: Array
    ) -> None:
        """Update weights[part] by gradient[part]; uses up the gradient and `scratch`."""
        m, v, g = self.m[part], self.v[part], gradient[part]
        scratch = scratch[: g.size]
        correction2 = (1 - self.beta2**self.steps) ** 0.5
        rate = learning_rate * correction2 / (1 - self.beta1**self.steps)
        m *= self.beta1
        np.multiply(g, 1 - self.beta1, out=scratch)
        m += scratch
        v *= self.beta2
        g *= g
        g *= 1 - self.beta2
        v += g
        np.sqrt(v, out=scratch)
        scratch += self.epsilon * correction2
        np.divide(m, scratch, out=scratch)
        scratch *= rate
        weights[part] -= scratch
