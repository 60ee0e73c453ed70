"""Dynamic evaluation (Krause et al. 2018): a model that learns from the text while predicting it.

The text is read in windows. The model predicts each window with what it has learned from all
windows before, and learns from it afterwards, so that no symbol influences its own prediction:

    v ← β·v + (1 − β)·g²,   w ← w − η·g / (√(v / (1 − βⁿ)) + ε) + λ·(w₀ − w)

with the gradient g of the window n = 1, 2, …, the weights w and those of the model as it was, w₀.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import OptionError
from charrnn.mixtures.members import (
    Member,
    NetworkMember,
    NetworkStepper,
    Predictions,
    certainty,
)
from charrnn.mixtures.mixture import Mixture
from charrnn.nn.network import Network
from charrnn.nn.workspace import Workspace
from charrnn.options import DEFAULT_DYNAMIC_RATE
from charrnn.text.streams import Streams
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
    windows = [losses for losses, _ in adapting_windows(network, text, adaptation or Adaptation())]
    return np.concatenate([*windows, np.zeros(0)])


def adapting_windows(
    network: Network, text: IdArray, adaptation: Adaptation
) -> Iterator[tuple[Array, Array]]:
    """The losses (T,) of each window, and the probabilities (V, T) of all symbols, as copies."""
    learner = _Learner(network, adaptation)
    T = adaptation.steps
    workspace = learner.network.workspace(T, 1, training=True)
    for start in range(0, len(text) - 1, T):
        size = min(T, len(text) - 1 - start)
        if size < T:  # what is left at the end
            state, workspace = workspace.state, learner.network.workspace(size, 1, training=True)
            workspace.state = state
        ids, targets = text[start : start + size, None], text[start + 1 : start + size + 1, None]
        losses = workspace.losses(ids, targets)[:, 0].copy()
        yield losses, workspace.probabilities.copy()
        learner.learn(workspace)


class AdaptingMember:
    """A network that adapts, as a member of a mixture that reads a text in a single stream."""

    features = NetworkMember.features

    def __init__(self, network: Network, adaptation: Adaptation) -> None:
        self._network, self._adaptation = network, adaptation
        self.vocabulary_size = network.config.vocabulary_size

    def read(self, text: IdArray, streams: Streams, steps: int) -> Iterator[Predictions]:
        if len(streams) != 1:
            raise ValueError("a network adapts to a single stream")
        for _, p in adapting_windows(self._network, text, replace(self._adaptation, steps=steps)):
            yield Predictions(p, certainty(p))

    def stepper(self, streams: int) -> NetworkStepper:
        return NetworkMember(self._network).stepper(streams)


def mixture_losses(
    mixture: Mixture, text: IdArray, adaptation: Adaptation | None, *, learn: bool
) -> NDArray[np.float64]:
    """The losses (N − 1,) of the symbols text[1:], in nats. With an `adaptation`, all networks of
    the mixture adapt, and its gate learns; with `learn`, its gate does."""
    if adaptation is None:
        return mixture.losses(text, learn=learn)
    members: list[Member] = [
        AdaptingMember(member.network, adaptation) if isinstance(member, NetworkMember) else member
        for member in mixture.members
    ]
    return Mixture(members, mixture.gate).losses(text, learn=True, steps=adaptation.steps)


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
