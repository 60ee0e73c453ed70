"""The gate of a mixture: how much each of its K members counts at each place of a text.

With the members' probabilities p_k(s) at a place, and x = (1, features of all members) there,

    z = A·x                                        (K,)
    linear      w = softmax(z)                     p(s) = Σ_k w_k · p_k(s)
    log         w = z                              p(s) = Π_k p_k(s)^w_k / Σ_u Π_k p_k(u)^w_k

The first is a mixture of experts (Jacobs et al. 1991), the second a product of them (Hinton 2002),
also known as geometric mixing (Mattern 2012). Both learn A by the gradient of −ln p(next symbol):

    linear      ∂/∂z_k = w_k − w_k · p_k(s) / p(s)
    log         ∂/∂z_k = Σ_u p(u) · ln p_k(u) − ln p_k(s)

with the step sizes of AdaGrad (Duchi et al. 2011): A −= η · g / √(Σ g²).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import OptionError
from charrnn.mixtures.members import Member, Predictions
from charrnn.types import Array, IdArray

Floats = NDArray[np.float64]
Domain = Literal["linear", "log"]
DOMAINS: tuple[Domain, ...] = ("linear", "log")
LEARNING_RATES: dict[Domain, float] = {"linear": 0.1, "log": 0.02}
"""η"""
SMALLEST_PROBABILITY = 1e-30


class Gate:
    """The matrix A (K, 1 + F) of a mixture, and how it learns."""

    def __init__(self, A: Floats, domain: Domain, *, is_fixed: bool = False) -> None:
        """A gate that `is_fixed` never learns. Raises OptionError for an unknown `domain`."""
        if domain not in DOMAINS:
            raise OptionError(f"`mixing` {domain!r} is unknown; there are {', '.join(DOMAINS)}")
        self.A, self.domain, self.is_fixed = A, domain, is_fixed
        self._squares = np.zeros_like(A)

    def copy(self) -> "Gate":
        """A gate that learns on its own."""
        copy = Gate(self.A.copy(), self.domain, is_fixed=self.is_fixed)
        copy._squares = self._squares.copy()
        return copy

    @classmethod
    def fixed(cls, weights: Sequence[float], members: Sequence[Member], domain: Domain) -> "Gate":
        """The same weights everywhere, in proportion to the given ones. Raises OptionError for a
        negative one, or where all are 0."""
        w = np.array(weights, np.float64)
        if not (np.isfinite(w).all() and (w >= 0).all() and w.sum() > 0):
            shown = ", ".join(f"{weight:g}" for weight in weights)
            raise OptionError(
                f"the weights of a mixture are at least 0, and not all of them 0: {shown}; give "
                "one of them above 0"
            )
        w /= w.sum()
        A = np.zeros((len(members), 1 + sum(member.features for member in members)))
        with np.errstate(divide="ignore"):
            A[:, 0] = np.log(w) if domain == "linear" else w
        return cls(A, domain, is_fixed=True)

    @classmethod
    def even(cls, members: Sequence[Member], domain: Domain) -> "Gate":
        """The same weight for every member everywhere: where learning begins."""
        return cls(cls.fixed([1.0] * len(members), members, domain).A, domain)

    def mix(self, predictions: Sequence[Predictions]) -> "Mixed":
        """The probabilities of the mixture from those of its members, at n places."""
        return Mixed(self, predictions)

    def learn(self, mixed: "Mixed", targets: IdArray) -> None:
        """Take a step along the mean gradient at n places, where the next symbols were `targets`
        (n,)."""
        if self.is_fixed:
            return
        g = mixed.gradient(targets)
        self._squares += g * g
        self.A -= LEARNING_RATES[self.domain] * g / np.sqrt(np.maximum(self._squares, 1e-30))


class Mixed:
    """The probabilities `p` (V, n) of a mixture at n places."""

    def __init__(self, gate: Gate, predictions: Sequence[Predictions]) -> None:
        n = predictions[0].p.shape[1]
        self._x = np.concatenate([np.ones((1, n)), *(each.features for each in predictions)])
        self._domain = gate.domain
        z = gate.A[:, 1:] @ self._x[1:] + gate.A[:, :1]  # (K, n); −∞ for a share of 0
        if gate.domain == "linear":
            self._members: list[Array] = [each.p for each in predictions]
            self._w = np.exp(z - z.max(axis=0))
            self._w /= self._w.sum(axis=0)
            self.p: Floats = self._sum()
        else:
            self._members = [
                np.log(np.maximum(each.p, SMALLEST_PROBABILITY)) for each in predictions
            ]
            self._w = z
            logs = self._sum()
            self.p = np.exp(logs - logs.max(axis=0))
        self.p /= self.p.sum(axis=0)  # the members may be float32

    def _sum(self) -> Floats:
        total: Floats = np.zeros(self._members[0].shape)
        for w, of_member in zip(self._w, self._members, strict=True):
            total += w * of_member
        return total

    def losses(self, targets: IdArray) -> Floats:
        """−ln p of the symbols `targets` (n,), in nats."""
        of_targets: Floats = self.p[targets, np.arange(len(targets))]
        return -np.log(np.maximum(of_targets, np.finfo(np.float64).tiny))

    def gradient(self, targets: IdArray) -> Floats:
        """The gradient of the mean loss with respect to A (K, 1 + F)."""
        columns = np.arange(len(targets))
        of_targets = np.stack([each[targets, columns] for each in self._members]).astype(np.float64)
        if self._domain == "linear":
            dz = self._w - self._w * of_targets / self.p[targets, columns]
        else:
            dz = np.stack([(self.p * each).sum(axis=0) for each in self._members]) - of_targets
        gradient: Floats = dz @ self._x.T / len(targets)
        return gradient
