"""The network one symbol at a time: for sampling, where each symbol waits for the one before.

Most of such a step is the reading of the weights. They lie in matrices without a column for the
bias here, so that their rows begin where registers do:

    layer 0      h_0 = cell(U₀·onehot + b, W₀·h_0)      the first argument comes from a table
    layer l      h_l = cell(U_l·h_{l−1} + b, W_l·h_l)
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
        # a row is read faster than a column, but for many streams the way to a column costs more
        self._table = table if S > 1 else np.ascontiguousarray(table.T)
        self._W = [weights[f"W{layer}"].copy() for layer in range(L)]
        above = [weights[f"U{layer}"] for layer in range(1, L)]
        self._U = [np.ascontiguousarray(U[:, :-1]) for U in above]
        self._biases = [U[:, -1:].copy() for U in above]
        self._V, self._V_bias = weights["V"][:, :-1].copy(), weights["V"][:, -1:].copy()
        self._cells = [config.cell_type(H, 1, S, dtype, training=False) for _ in range(L)]
        if config.cell_type.vectors:
            for layer, cell in enumerate(self._cells):
                cell.begin(weights[f"P{layer}"].copy())
        self._h = np.zeros((L, H, S), dtype)
        self._new_h = np.empty((H, S), dtype)  # a cell may need the one before to the end
        self._recurrent = np.empty((G * H, S), dtype)
        self._projected = np.empty((G * H, S), dtype)
        self._blocks = [x.reshape(G, H, S) for x in (self._recurrent, self._projected)]
        self._logits = np.empty((config.vocabulary_size, S), dtype)

    def reset(self) -> None:
        """Make the state of every stream zero."""
        self._h[:] = 0
        for cell in self._cells:
            cell.memory[:] = 0

    def step(self, ids: IdArray) -> Array:
        """Read a symbol in each stream, `ids` (S,); the logits (V, S) of the next ones, which the
        next call overwrites."""
        recurrent, projected = self._blocks
        for layer, (W, h, cell) in enumerate(zip(self._W, self._h, self._cells, strict=True)):
            if layer == 0:
                self._look_up(ids)
            else:
                np.matmul(self._U[layer - 1], self._h[layer - 1], out=self._projected)
                self._projected += self._biases[layer - 1]
            np.matmul(W, h, out=self._recurrent)
            cell.forward(0, recurrent, projected, h, self._new_h)
            h[:] = self._new_h
        return self.predict()

    def _look_up(self, ids: IdArray) -> None:
        """U₀·onehot + b."""
        if self.streams == 1:
            self._projected[:] = self._table[ids].T
        else:
            np.take(self._table, ids, axis=1, out=self._projected, mode="clip")

    def predict(self) -> Array:
        """The logits (V, S) once more, or those of a state of zeros."""
        np.matmul(self._V, self._h[-1], out=self._logits)
        self._logits += self._V_bias
        return self._logits
