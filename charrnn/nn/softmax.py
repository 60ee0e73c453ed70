"""Softmax and cross-entropy over the vocabulary, in place on (V, N) logits.

p_v = exp(z_v) / Σ_u exp(z_u)
loss = −Σ_n ln p_{target(n), n}        ∂loss/∂z = p − onehot(target)
"""

import numpy as np
from numpy.typing import DTypeLike, NDArray

from charrnn.types import Array


class SoftmaxCrossEntropy:
    """Softmax and cross-entropy for N columns of V logits. Memory: 4·N numbers."""

    def __init__(self, columns: int, dtype: DTypeLike) -> None:
        self._columns = np.arange(columns)
        self._targets = np.empty(columns, np.intp)  # positions in the flattened (V, N)
        self._reduced = np.empty(columns, dtype)
        self._picked = np.empty(columns, dtype)

    def forward(self, logits: Array, targets: NDArray[np.intp]) -> Array:
        """Replace `logits` (V, N) by probabilities; returns the loss of each column (N,), in nats.

        The returned array is overwritten by the next call.
        """
        np.multiply(targets, logits.shape[1], out=self._targets)
        self._targets += self._columns
        np.max(logits, axis=0, out=self._reduced)
        logits -= self._reduced
        np.take(logits.reshape(-1), self._targets, out=self._picked, mode="clip")
        np.exp(logits, out=logits)
        np.sum(logits, axis=0, out=self._reduced)
        logits /= self._reduced
        np.log(self._reduced, out=self._reduced)
        self._reduced -= self._picked
        return self._reduced

    def backward(self, probabilities: Array, scale: float | Array) -> None:
        """Replace the probabilities of the forward pass by scale · ∂loss/∂logits; `scale` is a
        number, or one for each column (N,)."""
        np.take(probabilities.reshape(-1), self._targets, out=self._picked, mode="clip")
        self._picked -= 1
        np.put(probabilities, self._targets, self._picked, mode="clip")
        probabilities *= scale


def softmax(logits: Array) -> NDArray[np.float64]:
    """Probabilities (V, B) of logits (V, B), as a new float64 array."""
    p: NDArray[np.float64] = np.exp(logits.astype(np.float64) - logits.max(axis=0))
    p /= p.sum(axis=0)
    return p


def log_softmax(logits: Array) -> NDArray[np.float64]:
    """Logarithms of the probabilities (V, B) of logits (V, B), in nats, as a new float64 array.

    ln p_v = z_v − ln Σ_u exp(z_u): finite for every finite logit, also where p_v itself is too
    small for a float64 (below 5e-324), and ln(softmax(z)) would be −∞.
    """
    z: NDArray[np.float64] = logits.astype(np.float64) - logits.max(axis=0)
    z -= np.log(np.exp(z).sum(axis=0))
    return z
