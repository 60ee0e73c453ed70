"""Optimizers on the flat vector of weights.

An optimizer can update any part of the weights, so that the caller can go through the vector in
blocks that fit into the cache, and share the blocks out among workers. In the equations g is the
gradient, w the weights, n = 1, 2, … the step.
"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from charrnn import registries
from charrnn.registries import BETA1, Registry
from charrnn.types import Array


class Optimizer:
    """The interface of an optimizer: named state arrays, and the update.

    Memory: M·P numbers for M state arrays and P weights.
    """

    state_names: ClassVar[tuple[str, ...]]
    """The names of its M state arrays, each of the weights' size, as in its equations."""

    def __init__(
        self,
        weights: Array,
        state: Array | None = None,
        *,
        weight_decay: float = 0.0,
        beta1: float = BETA1,
    ) -> None:
        """For the weights (P,). Without `state` (M, P), its state arrays in the order of
        `state_names`, they are zeros.

        `weight_decay` is decoupled from the gradient (Loshchilov & Hutter 2019): each step reduces
        the weights by rate · weight_decay · w. `beta1` is for those that have β₁.
        """
        shape = (len(self.state_names), weights.size)
        self.state: Array = np.zeros(shape, weights.dtype) if state is None else state
        self.weight_decay, self.beta1 = weight_decay, beta1
        self._count = 0

    def named_state(self, part: slice = slice(None)) -> dict[str, Array]:
        """Views of `part` of each state array, by name."""
        return {name: x[part] for name, x in zip(self.state_names, self.state, strict=True)}

    def update(
        self,
        count: int,
        weights: Array,
        gradient: Array,
        learning_rate: float,
        part: slice,
        scratch: Array,
    ) -> None:
        """Step number `count` = 1, 2, … on weights[part], by gradient[part]; overwrites
        gradient[part] and `scratch`. A step updates each part of the weights once."""
        self._count = count
        g = gradient[part]
        scratch = scratch[: g.size]
        if self.weight_decay:
            np.multiply(weights[part], learning_rate * self.weight_decay, out=scratch)
            weights[part] -= scratch
        self._step(self.named_state(part), g, learning_rate, scratch)
        weights[part] -= scratch

    def _step(self, state: Mapping[str, Array], g: Array, rate: float, scratch: Array) -> None:
        """Update the named `state` arrays, and write what to subtract from the weights into
        `scratch`."""
        raise NotImplementedError


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015, algorithm 1); with weight decay, AdamW:

    m = β₁·m + (1 − β₁)·g          w −= rate · (m / (1 − β₁ⁿ)) / (√(v / (1 − β₂ⁿ)) + ε)
    v = β₂·v + (1 − β₂)·g²
    """

    beta2, epsilon = 0.99, 1e-8
    state_names: ClassVar[tuple[str, ...]] = ("m", "v")

    def _step(self, state: Mapping[str, Array], g: Array, rate: float, scratch: Array) -> None:
        m, v = state["m"], state["v"]
        # with both corrections in the rate and in ε: one division by √v
        correction2 = (1 - self.beta2**self._count) ** 0.5
        rate = rate * correction2 / (1 - self.beta1**self._count)
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
    state_names: ClassVar[tuple[str, ...]] = ("v",)

    def _step(self, state: Mapping[str, Array], g: Array, rate: float, scratch: Array) -> None:
        v = state["v"]
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
    state_names: ClassVar[tuple[str, ...]] = ("v",)

    def _step(self, state: Mapping[str, Array], g: Array, rate: float, scratch: Array) -> None:
        v = state["v"]
        np.multiply(g, g, out=scratch)
        v += scratch
        _divide_by_root(g, v, self.epsilon, scratch)
        scratch *= rate


class SGD(Optimizer):
    """Gradient descent with momentum (Polyak 1964; Sutskever et al. 2013, without Nesterov's):

    u = μ·u + g          w −= rate · u
    """

    momentum = 0.9
    state_names: ClassVar[tuple[str, ...]] = ("u",)

    def _step(self, state: Mapping[str, Array], g: Array, rate: float, scratch: Array) -> None:
        u = state["u"]
        u *= self.momentum
        u += g
        np.multiply(u, rate, out=scratch)


class Lion(Optimizer):
    """Lion (Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", algorithm 2):

    c = β₁·m + (1 − β₁)·g          w −= rate · sign(c)
    m = β₂·m + (1 − β₂)·g
    """

    beta2 = 0.99
    state_names: ClassVar[tuple[str, ...]] = ("m",)

    def _step(self, state: Mapping[str, Array], g: Array, rate: float, scratch: Array) -> None:
        m, c = state["m"], scratch
        m -= g  # β·m + (1 − β)·g = β·(m − g) + g
        np.multiply(m, self.beta1, out=c)
        c += g
        m *= self.beta2
        m += g
        np.sign(c, out=scratch)
        scratch *= rate


def _divide_by_root(g: Array, v: Array, epsilon: float, out: Array) -> None:
    """Write g / (√v + ε) into `out`."""
    np.sqrt(v, out=out)
    out += epsilon
    np.divide(g, out, out=out)


OPTIMIZERS: Registry[type[Optimizer]] = Registry(registries.OPTIMIZERS)
"""The classes by name; adamw is Adam with another default weight decay."""
