"""Dynamic evaluation (Krause et al. 2018): a model that learns from the text while predicting it.

The text is read in windows. The model predicts each window with what it has learned from all
windows before, and learns from it afterwards, so that no symbol influences its own prediction. With
the gradient g of a window's mean loss, the weights w and those of the model as it was, w₀:

    w ← w − η·g / (√s + ε·m) + min(λ·√s / m, 1)·(w₀ − w)

s is the mean of g² over windows of the training text, one number for each weight, and m the mean of
√s over all weights: weights that had large gradients take small steps, and are pulled back sooner
("RMS with an RMS global prior" there, where ε is absolute). Without the training text:

    v ← β·v + (1 − β)·g²,   w ← w − η·g / √(v / (1 − βⁿ)) + λ·(w₀ − w)        n = 1, 2, …
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import OptionError
from charrnn.nn.network import Network
from charrnn.nn.workspace import Workspace
from charrnn.options import DEFAULT_DYNAMIC_RATE, DYNAMIC_RATE_WITHOUT_TEXT
from charrnn.text.batches import spread
from charrnn.types import Array, IdArray

SCALE_WINDOWS = 400
"""Windows of the training text, at most, whose gradients are averaged."""
SCALE_PIECES = 20
"""Pieces of the training text in which they lie."""
BLOCK = 32768
"""Weights that learn at a time: these parts of all vectors stay in the cache."""
SCALE_WARM_UP = 4
"""Windows that are read before them in each piece."""


@dataclass(frozen=True)
class Adaptation:
    """How a model adapts. Raises OptionError for a `rate` outside of (0, 1]."""

    rate: float | None = None
    """η; None for `DEFAULT_DYNAMIC_RATE`, or `DYNAMIC_RATE_WITHOUT_TEXT`."""
    training_text: IdArray | None = None
    """What the model was trained on, as ids (N,): for s."""
    decay: float = 1e-3
    """λ, which pulls the weights back to those of the model."""
    steps: int = 20
    """Symbols in a window."""
    clip: float = 5.0
    """Largest norm of the gradient of a window's mean loss."""
    _scales: dict[Network, Array] = field(default_factory=dict, repr=False, compare=False)

    beta, epsilon = 0.999, 1.0

    def __post_init__(self) -> None:
        if self.rate is not None and not 0 < self.rate <= 1:
            raise OptionError(f"`rate` must be above 0 and at most 1, not {self.rate}")

    def scale(self, network: Network) -> Array | None:
        """√s (P,) of a network, computed once; None without a training text that is long enough."""
        if self.training_text is None or len(self.training_text) <= self.steps:
            return None
        if network not in self._scales:
            self._scales[network] = gradient_scale(network, self.training_text, self.steps)
        return self._scales[network]


def gradient_scale(network: Network, text: IdArray, steps: int) -> Array:
    """√s (P,): the root of the mean square of each weight's gradient, over up to `SCALE_WINDOWS`
    windows of T = `steps` symbols that are spread over a text (N,), with N > T."""
    windows = max(1, min(SCALE_WINDOWS, (len(text) - 1) // steps))
    pieces = max(1, min(SCALE_PIECES, windows // (2 * SCALE_WARM_UP)))
    in_each = windows // pieces
    warm_up = SCALE_WARM_UP if in_each > SCALE_WARM_UP else 0
    workspace = network.workspace(steps, 1, training=True)
    gradient, total = network.parameters.zeros_like(), np.zeros_like(network.parameters.flat)
    for start in spread(len(text) - 1 - in_each * steps, pieces)[:-1].tolist():
        workspace.reset()
        for window in range(in_each):
            first = start + window * steps
            part = text[first : first + steps + 1, np.newaxis]
            workspace.losses(part[:-1], part[1:])
            if window >= warm_up:
                workspace.backward(gradient, 1 / steps)
                total += np.square(gradient.flat)
    scale: Array = np.sqrt(total / (pieces * (in_each - warm_up)))
    return scale


class AdaptingNetwork:
    """A copy of a network that adapts to what it reads, in one stream; the network itself does not
    change. Memory: five times the weights, and a workspace for a window."""

    def __init__(self, network: Network, adaptation: Adaptation) -> None:
        self._adaptation = adaptation
        self._initial = network.parameters.flat
        self.network = network.with_weights(self._initial.copy())
        self._gradient = network.parameters.zeros_like()
        self._scratch = np.empty(BLOCK, self._initial.dtype)
        self._windows = 0
        scale = adaptation.scale(network)
        self._rule: _ByScale | _ByRunningMean = (
            _ByRunningMean(adaptation, self._initial)
            if scale is None or not scale.any()
            else _ByScale(adaptation, scale)
        )

    def windows(self, text: IdArray) -> Iterator[tuple[Array, Array]]:
        """Read a text (N,) from a state of zeros: of each window, the losses (T,) of its next
        symbols in nats, and the probabilities (V, T) of all symbols, as copies."""
        T = self._adaptation.steps
        workspace = self.network.workspace(T, 1, training=True)
        for start in range(0, len(text) - 1, T):
            size = min(T, len(text) - 1 - start)
            if size < T:  # what is left at the end
                state, workspace = workspace.state, self.network.workspace(size, 1, training=True)
                workspace.state = state
            part = text[start : start + size + 1, np.newaxis]
            losses = workspace.losses(part[:-1], part[1:])[:, 0].copy()
            yield losses, workspace.probabilities.copy()
            self._learn(workspace)

    def _learn(self, workspace: Workspace) -> None:
        """Learn from the window whose losses the workspace has just computed."""
        w, g, scratch = self.network.parameters.flat, self._gradient.flat, self._scratch
        workspace.backward(self._gradient, 1 / workspace.steps)
        norm = float(np.sqrt(np.dot(g, g)))
        if norm > self._adaptation.clip:
            g *= self._adaptation.clip / norm
        self._windows += 1
        for start in range(0, w.size, len(scratch)):
            part = slice(start, min(start + len(scratch), w.size))
            of_part = scratch[: part.stop - start]
            self._rule.step(part, g[part], self._windows, of_part)
            w[part] -= g[part]
            np.subtract(self._initial[part], w[part], out=of_part)
            of_part *= self._rule.pull(part)
            w[part] += of_part


class _ByScale:
    """Rates by the gradients on the training text, with √s (P,)."""

    def __init__(self, how: Adaptation, scale: Array) -> None:
        mean = scale.mean()
        self._rates = (how.rate or DEFAULT_DYNAMIC_RATE) / (scale + how.epsilon * mean)
        self._pull: Array = np.minimum(how.decay * scale / mean, 1)

    def step(self, part: slice, g: Array, count: int, scratch: Array) -> None:
        """Turn the gradient of a part of the weights into step number `count` = 1, 2, …"""
        g *= self._rates[part]

    def pull(self, part: slice) -> Array:
        """The share of the way back to the first weights."""
        return self._pull[part]


class _ByRunningMean:
    """Rates by the gradients on the text that is read."""

    def __init__(self, how: Adaptation, weights: Array) -> None:
        self._rate, self._beta = how.rate or DYNAMIC_RATE_WITHOUT_TEXT, how.beta
        self._squares, self._decay = np.zeros_like(weights), how.decay

    def step(self, part: slice, g: Array, count: int, scratch: Array) -> None:
        """Turn the gradient of a part of the weights into step number `count` = 1, 2, …"""
        squares = self._squares[part]
        np.multiply(g, g, out=scratch)
        scratch -= squares
        scratch *= 1 - self._beta
        squares += scratch
        np.sqrt(squares, out=scratch)
        scratch *= (1 - self._beta**count) ** -0.5
        scratch += 1e-8
        g /= scratch
        g *= self._rate

    def pull(self, part: slice) -> float:
        """The share of the way back to the first weights."""
        return self._decay


def adapting_losses(
    network: Network, text: IdArray, adaptation: Adaptation | None = None
) -> NDArray[np.float64]:
    """The losses of the symbols text[1:], (N − 1,) in nats, while a copy of the network adapts to
    the symbols before. The first state is zeros."""
    windows = AdaptingNetwork(network, adaptation or Adaptation()).windows(text)
    return np.concatenate([*(losses for losses, _ in windows), np.zeros(0)])


def adapted_network(network: Network, text: IdArray, adaptation: Adaptation) -> Network:
    """A copy of a network that has adapted to a text (N,)."""
    adapting = AdaptingNetwork(network, adaptation)
    for _ in adapting.windows(text):
        pass
    return adapting.network
