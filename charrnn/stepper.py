"""The network one symbol at a time: for sampling, where each symbol waits for the one before.

Most of such a step is the reading of the weights, so each layer has them in one matrix, and a step
is one product a layer:

    layer 0      a = W₀·h₀ + (U₀·onehot + b)      the bracket comes from a table
    layer l      a = [W_l U_l]·[h_l; h_{l−1}] + b
    logits       z = V·h + b
"""

import numpy as np

from charrnn.network import IdArray, Network
from charrnn.parameters import Array


class Stepper:
    """S streams, with the state that they carry; what the network weighs at this moment is copied.

    Memory: the weights once more, and what the cells need for one step of S streams.
    """

    def __init__(self, network: Network, streams: int) -> None:
        config, weights = network.config, network.parameters
        dtype, S = weights.flat.dtype, streams
        H, L, G = config.hidden_size, config.layers, config.cell_type.gates
        self.streams = S
        table = weights["U0"][:, :-1] + weights["U0"][:, -1:]
        # a row is read faster than a column, but for many streams the way to `a` costs more
        self._table = table if S > 1 else np.ascontiguousarray(table.T)
        self._matrices = [weights["W0"].copy()]
        self._biases: list[Array] = []
        for layer in range(1, L):
            U = weights[f"U{layer}"]
            self._matrices.append(np.hstack([weights[f"W{layer}"], U[:, :-1]]))
            self._biases.append(U[:, -1:].copy())
        self._V, self._V_bias = weights["V"][:, :-1].copy(), weights["V"][:, -1:].copy()
        # [h_l; h_{l−1}] (2H, S), but h_0 (H, S) for layer 0
        self._inputs = [np.zeros((H if layer == 0 else 2 * H, S), dtype) for layer in range(L)]
        self._a = np.empty((G * H, S), dtype)
        self._a_gates = self._a.reshape(G, H, S)
        self._picked = np.empty((G * H, S), dtype)
        self._cells = [config.cell_type(H, 1, S, dtype, training=False) for _ in range(L)]
        self._h = [x[:H] for x in self._inputs]
        self._below = [x[H:] for x in self._inputs]
        self._logits = np.empty((config.vocabulary_size, S), dtype)

    def reset(self) -> None:
        """Make the state of every stream zero."""
        for x, cell in zip(self._inputs, self._cells, strict=True):
            x[:] = 0
            cell.memory[:] = 0

    def step(self, ids: IdArray) -> Array:
        """Read a symbol in each stream, `ids` (S,); the logits (V, S) of the next ones, which the
        next call overwrites."""
        a, gates = self._a, self._a_gates
        for layer, (matrix, x) in enumerate(zip(self._matrices, self._inputs, strict=True)):
            if layer == 0:
                np.matmul(matrix, x, out=a)
                a += self._columns(ids)
            else:
                self._below[layer][:] = self._h[layer - 1]
                np.matmul(matrix, x, out=a)
                a += self._biases[layer - 1]
            self._cells[layer].forward(0, gates, self._h[layer], gates)
        return self.predict()

    def _columns(self, ids: IdArray) -> Array:
        """U₀·onehot + b (G·H, S)."""
        if self.streams == 1:
            return self._table[ids].T
        return np.take(self._table, ids, axis=1, out=self._picked, mode="clip")

    def predict(self) -> Array:
        """The logits (V, S) once more, or those of a state of zeros."""
        np.matmul(self._V, self._h[-1], out=self._logits)
        self._logits += self._V_bias
        return self._logits
