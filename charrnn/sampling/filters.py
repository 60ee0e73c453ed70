"""How the next symbol is chosen from what the network says.

    p = softmax(z / temperature), of the symbols that are allowed
    top-k     only the k most probable ones
    top-p     only the fewest most probable ones that have a share p together (Holtzman et al. 2020)
    min-p     only those that have at least this share of the most probable one's probability

Each looks at p itself; what all of them leave is scaled so that it sums to 1.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import OptionError
from charrnn.types import Array

Floats = NDArray[np.float64]


class Chance(Protocol):
    """Where random numbers come from, such as a `numpy.random.Generator`."""

    def random(self, size: int, /) -> Floats:
        """Numbers (size,) from [0, 1)."""
        ...


@dataclass(frozen=True)
class Choice:
    """The rules. Raises OptionError for values that make no sense.

    Temperature 0 takes the most probable symbol, the first of equals. `top_k` 0, `top_p` 1 and
    `min_p` 0 leave all symbols; `forbidden` are the ids of symbols that are never chosen.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    forbidden: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))

    def __post_init__(self) -> None:
        self._check("temperature", "0 or more", lambda x: math.isfinite(x) and x >= 0)
        self._check("top_k", "0 or more", lambda x: x >= 0)
        self._check("top_p", "more than 0, and at most 1", lambda x: 0 < x <= 1)
        self._check("min_p", "0 to 1", lambda x: 0 <= x <= 1)

    def _check(self, name: str, wanted: str, is_good: Callable[[float], bool]) -> None:
        value = getattr(self, name)
        if not is_good(value):
            raise OptionError(
                f"a {name.replace('_', '-')} of {value} makes no sense: give {wanted}"
            )

    def probabilities(self, logits: Array) -> Floats:
        """The probability of each symbol (V, S) to be chosen, for logits (V, S)."""
        p = self._weights(logits)
        p /= p.sum(axis=0)
        return p

    def draw(self, logits: Array, rng: Chance) -> NDArray[np.intp]:
        """The next symbol of each stream (S,), for logits (V, S)."""
        if self.temperature == 0:
            best: NDArray[np.intp] = self._allowed(logits).argmax(axis=0)
            return best
        # the first symbol whose cumulative probability exceeds a number drawn from [0, 1)
        drawn: NDArray[np.intp]
        streams = logits.shape[1]
        if streams == 1:  # without an axis, NumPy takes half the time
            p = self._weights(logits[:, 0]).cumsum()
            drawn = p.searchsorted(rng.random(1) * p[-1], side="right")
        else:
            p = self._weights(logits).cumsum(axis=0)
            drawn = (p <= rng.random(streams) * p[-1]).sum(axis=0)
        return drawn

    def _allowed(self, logits: Array) -> Array:
        if not len(self.forbidden):
            return logits
        allowed = logits.copy()
        allowed[self.forbidden] = -np.inf
        return allowed

    def _weights(self, logits: Array) -> Floats:
        """What the probabilities are in proportion to, for logits (V, S) or (V,)."""
        logits = self._allowed(logits)
        if self.temperature == 0:
            p = np.zeros(logits.shape)
            p[logits.argmax(axis=0), np.arange(logits.shape[1])] = 1
            return p
        z: Floats = np.subtract(logits, logits.max(axis=0), dtype=np.float64)
        if self.temperature != 1:
            with np.errstate(over="ignore"):  # −∞ will do: the probability is 0
                z /= self.temperature
        p = np.exp(z, out=z)
        if self.top_k or self.top_p < 1:
            self._keep_the_top(p)
        if self.min_p:
            p[p < self.min_p * p.max(axis=0)] = 0
        return p

    def _keep_the_top(self, p: Floats) -> None:
        """Let only the most probable symbols keep their weight, the first of equals first."""
        order = np.argsort(-p, axis=0, kind="stable")
        ranked = np.take_along_axis(p, order, axis=0)
        before = ranked.cumsum(axis=0) - ranked  # of those that are more probable
        drop = np.zeros_like(p, np.bool_)
        if self.top_p < 1:
            drop = before >= self.top_p * ranked.sum(axis=0)
        if self.top_k:
            drop[self.top_k :] = True
        drop[0] = False
        dropped = np.zeros_like(p, np.bool_)
        np.put_along_axis(dropped, order, drop, axis=0)
        p[dropped] = 0
