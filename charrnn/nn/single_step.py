"""The network one symbol at a time: for sampling, where each symbol waits for the one before.

Most of such a step is the reading of the weights. They lie in matrices without a column for the
bias here, so that their rows begin where registers do:

    layer 0      h_0 = cell(U₀·onehot + b, W₀·h_0)      the first argument comes from a table
    layer l      h_l = cell(U_l·h_{l−1} + b, W_l·h_l), or with one product, where the cell only
                 needs the sum: cell(b, [W_l U_l]·[h_l; h_{l−1}])
    logits       z = V·h + b
"""

import numpy as np

from charrnn.nn.cells import Room, Units
from charrnn.nn.network import Network
from charrnn.types import Array, IdArray


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
        above = [(weights[f"W{layer}"], weights[f"U{layer}"]) for layer in range(1, L)]
        self._W0 = weights["W0"].copy()
        self._joint = [np.hstack([W, U[:, :-1]]) for W, U in above]
        self._biases = [np.repeat(U[:, -1:], S, axis=1) for _, U in above]
        self._V, self._V_bias = weights["V"][:, :-1].copy(), weights["V"][:, -1:].copy()
        room = Room(H, 1, S, dtype, training=False)
        self._cells = [config.cell_type(room) for _ in range(L)]
        if config.cell_type.vectors:
            for layer, cell in enumerate(self._cells):
                cell.begin(weights[f"P{layer}"].copy())
        # for each layer [h_l; h_{l−1}] (2H, S), but only h_0 (H, S) for layer 0
        self._inputs = [np.zeros((H if layer == 0 else 2 * H, S), dtype) for layer in range(L)]
        self._h = [x[:H] for x in self._inputs]
        self._projected = np.empty((G * H, S), dtype)
        self._new_h = np.empty((H, S), dtype)
        # the pre-activations of each layer, and where W·h and U·x + b go in them
        K = config.cell_type.blocks
        self._a = [np.zeros((K, H, S), dtype) for _ in range(L)]
        self._from_before = [a[K - G :].reshape(G * H, S) for a in self._a]
        self._from_below = [a[:G].reshape(G * H, S) for a in self._a]
        self._from_below_only = [a[: K - G] for a in self._a]
        self._held: dict[int, tuple[Units, Units, Array]] = {}
        self._logits = np.empty((config.vocabulary_size, S), dtype)

    def hold(self, layer: int, units: Units, streams: Units, values: Array) -> None:
        """From now on, set these units of a layer in these streams to `values` in every step, all
        (N,), as `Cell.hold` does; in place of what was held in that layer before."""
        self._held[layer] = units, streams, values

    def state(self, layer: int, name: str) -> Array:
        """What the last step has left in a layer, (H, S): "h", or one of the cell's `states`. A
        view, to be read before the next step."""
        if name == "h":
            return self._h[layer]
        return self._cells[layer].state(name, self._a[layer])

    def reset(self) -> None:
        """Make the state of every stream zero."""
        for x, cell in zip(self._inputs, self._cells, strict=True):
            x[:] = 0
            cell.memory[:] = 0

    def step(self, ids: IdArray) -> Array:
        """Read a symbol in each stream, `ids` (S,); the logits (V, S) of the next ones, which the
        next call overwrites."""
        for layer, (cell, h) in enumerate(zip(self._cells, self._h, strict=True)):
            a, from_below = self._a[layer], self._from_below[layer]
            self._from_below_only[layer].fill(0)
            from_below += self._read(ids) if layer == 0 else self._read_below(layer)
            # a cell may need the h before to the end
            after = self._new_h if cell.passes_h else h
            cell.forward(0, a, h, after)
            if cell.passes_h:
                h[:] = after
            if layer in self._held:
                cell.hold(*self._held[layer], a, h)
        return self.predict()

    def _read(self, ids: IdArray) -> Array:
        """Give the first cell W₀·h; U₀·onehot + b (G·H, S)."""
        np.matmul(self._W0, self._h[0], out=self._from_before[0])
        if self.streams == 1:
            self._projected[:] = self._table[ids].T
        else:
            np.take(self._table, ids, axis=1, out=self._projected, mode="clip")
        return self._projected

    def _read_below(self, layer: int) -> Array:
        """Give the cell of a layer l ≥ 1 W·h; what is still to be added, (G·H, S)."""
        x, joint, bias = self._inputs[layer], self._joint[layer - 1], self._biases[layer - 1]
        H = len(self._new_h)
        x[H:] = self._h[layer - 1]
        if self._from_below_only[layer].size == 0:
            np.matmul(joint, x, out=self._from_before[layer])
            return bias
        np.matmul(joint[:, :H], x[:H], out=self._from_before[layer])
        np.matmul(joint[:, H:], x[H:], out=self._projected)
        self._projected += bias
        return self._projected

    def predict(self) -> Array:
        """The logits (V, S) once more, or those of a state of zeros."""
        np.matmul(self._V, self._h[-1], out=self._logits)
        self._logits += self._V_bias
        return self._logits
