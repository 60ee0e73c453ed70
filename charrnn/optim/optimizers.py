"""Optimizers on the flat vector of weights.

An optimizer owns its state (vectors of the weights' layout) and updates any part of the weights, so
that the caller can walk the vector in cache-sized blocks and share it out among workers. In the
equations g is the gradient, w the weights, n = 1, 2, … the step.
"""

from typing import ClassVar

import numpy as np

from charrnn import registries
from charrnn.registries import Registry
from charrnn.types import Array


class Optimizer:
    """What all optimizers have in common: moments (M, P), and the count of steps."""

    moments: ClassVar[int]
    """M: vectors of the weights' size that it keeps."""

    def __init__(
        self, weights: Array, state: Array | None = None, *, weight_decay: float = 0.0
    ) -> None:
        """For the weights (P,); the moments (M, P) are zeros if they are not given.

        `weight_decay` shrinks the weights by rate · weight_decay in each step, apart from the
        gradient (Loshchilov & Hutter 2019).
        """
        shape = (self.moments, weights.size)
        self.state: Array = np.zeros(shape, weights.dtype) if state is None else state
        self.weight_decay = weight_decay
        self.steps = 0

    def begin_step(self) -> None:
        """Count a step; then call `update` once for every part of the weights."""
        self.steps += 1

    def update(
        self, weights: Array, gradient: Array, learning_rate: float, part: slice, scratch: Array
    ) -> None:
        """Update weights[part] by gradient[part]; uses up the gradient and `scratch`."""
        g = gradient[part]
        scratch = scratch[: g.size]
        if self.weight_decay:
            np.multiply(weights[part], learning_rate * self.weight_decay, out=scratch)
            weights[part] -= scratch
        self._step(self.state[:, part], g, learning_rate, scratch)
        weights[part] -= scratch

    def _step(self, state: Array, g: Array, rate: float, scratch: Array) -> None:
        """Leave in `scratch` what is to be taken from the weights."""
        raise NotImplementedError


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015, algorithm 1); with weight decay, AdamW:

    m = β₁·m + (1 − β₁)·g          w −= rate · (m / (1 − β₁ⁿ)) / (√(v / (1 − β₂ⁿ)) + ε)
    v = β₂·v + (1 − β₂)·g²
    """

    beta1, beta2, epsilon = 0.9, 0.99, 1e-8
    moments: ClassVar[int] = 2

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

    def _step(self, state: Array, g: Array, rate: float, scratch: Array) -> None:
        m, v = state
        correction2 = (1 - self.beta2**self.steps) ** 0.5
        rate = rate * correction2 / (1 - self.beta1**self.steps)
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


class RMSprop(Optimizer):
    """RMSprop (Tieleman & Hinton 2012), with the decay of char-rnn:

    v = α·v + (1 − α)·g²          w −= rate · g / (√v + ε)
    """

    alpha, epsilon = 0.95, 1e-8
    moments: ClassVar[int] = 1

    def _step(self, state: Array, g: Array, rate: float, scratch: Array) -> None:
        (v,) = state
        v *= self.alpha
        np.multiply(g, g, out=scratch)
        scratch *= 1 - self.alpha
        v += scratch
        _divide_by_root(g, v, self.epsilon, scratch)
        scratch *= rate


class Adagrad(Optimizer):
    """Adagrad (Duchi et al. 2011):

    v = v + g²          w −= rate · g / (√v + ε)
    """

    epsilon = 1e-8
    moments: ClassVar[int] = 1

    def _step(self, state: Array, g: Array, rate: float, scratch: Array) -> None:
        (v,) = state
        np.multiply(g, g, out=scratch)
        v += scratch
        _divide_by_root(g, v, self.epsilon, scratch)
        scratch *= rate


class SGD(Optimizer):
    """Gradient descent with momentum (Polyak 1964; Sutskever et al. 2013 without Nesterov's turn):

    u = μ·u + g          w −= rate · u
    """

    momentum = 0.9
    moments: ClassVar[int] = 1

    def _step(self, state: Array, g: Array, rate: float, scratch: Array) -> None:
        (u,) = state
        u *= self.momentum
        u += g
        np.multiply(u, rate, out=scratch)


def _divide_by_root(g: Array, v: Array, epsilon: float, out: Array) -> None:
    """g / (√v + ε)."""
    np.sqrt(v, out=out)
    out += epsilon
    np.divide(g, out, out=out)


OPTIMIZERS: Registry[type[Optimizer]] = Registry(registries.OPTIMIZERS)
"""The classes by name; adamw is Adam with another default weight decay."""
