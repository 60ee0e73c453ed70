"""Dynamic evaluation (Krause et al. 2018): a model that learns from the text while predicting it.

The text is read in windows. The model predicts each window with what it has learned from all
windows before, and learns from it afterwards, so that no symbol influences its own prediction:

    v ← β·v + (1 − β)·g²,   w ← w − η·g / (√(v / (1 − βⁿ)) + ε) + λ·(w₀ − w)

with the gradient g of the window n = 1, 2, …, the weights w and those of the model as it was, w₀.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import OptionError
from charrnn.nn.network import Network
from charrnn.nn.workspace import Workspace
from charrnn.options import DEFAULT_DYNAMIC_RATE
from charrnn.types import Array, IdArray


@dataclass(frozen=True)
class Adaptation:
    """How a model adapts. Raises OptionError for a `rate` outside of (0, 1]."""

    rate: float = DEFAULT_DYNAMIC_RATE
    """η"""
    decay: float = 1e-3
    """λ, which pulls the weights back to those of the model."""
    steps: int = 32
    """Symbols in a window."""
    clip: float = 1.0
    """Largest norm of the gradient of a window's mean loss."""

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise OptionError(f"`rate` must be above 0 and at most 1, not {self.rate}")

    beta, epsilon = 0.999, 1e-8


def adapting_losses(
    network: Network, text: IdArray, adaptation: Adaptation | None = None
) -> NDArray[np.float64]:
    """The losses of the symbols text[1:], (N − 1,) in nats, while a copy of the network adapts to
    the symbols before; the network itself does not change. The first state is zeros."""
    adaptation = adaptation or Adaptation()
    learner = _Learner(network, adaptation)
    losses = np.empty(max(len(text) - 1, 0))
    T = adaptation.steps
    workspace = learner.network.workspace(T, 1, training=True)
    for start in range(0, len(losses), T):
        size = min(T, len(losses) - start)
        if size < T:  # what is left at the end
            state, workspace = workspace.state, learner.network.workspace(size, 1, training=True)
            workspace.state = state
        ids, targets = text[start : start + size, None], text[start + 1 : start + size + 1, None]
        losses[start : start + size] = workspace.losses(ids, targets)[:, 0]
        learner.learn(workspace)
    return losses


class _Learner:
    """A copy of a network, and its update rule. Memory: five times the weights."""

    def __init__(self, network: Network, adaptation: Adaptation) -> None:
        self._adaptation = adaptation
        self._initial = network.parameters.flat
        self.network = network.with_weights(self._initial.copy())
        self._gradient = network.parameters.zeros_like()
        self._squares = np.zeros_like(self._initial)
        self._scratch = np.empty_like(self._initial)
        self._windows = 0

    def learn(self, workspace: Workspace) -> None:
        """Learn from the window whose losses the workspace has just computed."""
        how, w, g, scratch = (
            self._adaptation, self.network.parameters.flat, self._gradient.flat, self._scratch,
        )  # fmt: skip
        workspace.backward(self._gradient, 1 / workspace.steps)
        self._clip(g)
        self._windows += 1
        np.multiply(g, g, out=scratch)
        scratch -= self._squares
        scratch *= 1 - how.beta
        self._squares += scratch
        np.sqrt(self._squares, out=scratch)
        scratch *= (1 - how.beta**self._windows) ** -0.5
        scratch += how.epsilon
        np.divide(g, scratch, out=scratch)
        scratch *= how.rate
        w -= scratch
        np.subtract(self._initial, w, out=scratch)
        scratch *= how.decay
        w += scratch

    def _clip(self, g: Array) -> None:
        norm = float(np.sqrt(np.dot(g, g)))
        if norm > self._adaptation.clip:
            g *= self._adaptation.clip / norm
