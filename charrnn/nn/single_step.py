"""The network one symbol at a time, for sampling, where each symbol depends on the last one.

Most of the time of such a step is spent reading the weights. Here they are copied into matrices
without a bias column, so that their rows are aligned to vector registers:

    layer 0      h_0 = cell(U₀·onehot + b, W₀·h_0)      the first argument is looked up in a table
    layer l      h_l = cell(U_l·h_{l−1} + b, W_l·h_l), with a single product where every gate has
                 both: cell([W_l U_l]·[h_l; h_{l−1}] + b)
                 W_l·(s ⊙ h_l) in a cell that scales h, where s is the first block of U·x + b
    logits       z = V·h + b
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from charrnn.machine.aligned import aligned_copy, aligned_zeros
from charrnn.machine.matmul import Product
from charrnn.nn.cells import CellShape, Units
from charrnn.nn.network import Network
from charrnn.types import Array, IdArray

MOST_TILED = 32
"""Streams up to which products are cut into tiles; for more of them, BLAS has several threads."""


class Stepper:
    """S streams and their state. It works on a copy of the current weights.

    Memory: a copy of the weights, and the cells' arrays for one step of S streams.
    """

    def __init__(self, network: Network, streams: int) -> None:
        config, dtype = network.config, network.parameters.flat.dtype
        H, L, S, cell = config.hidden_size, config.layers, streams, config.cell_type
        G, K, R = len(cell.gates), len(cell.blocks), len(cell.recurrent_gates)
        self.streams = S
        self._cells = [cell(CellShape(H, 1, S, dtype, training=False)) for _ in range(L)]
        if cell.vectors:
            for layer, one in enumerate(self._cells):
                one.begin(network.parameters[f"P{layer}"].copy())
        # for each layer [h_l, h_{l−1}] (S, 2H), but only h_0 (S, H) for layer 0
        self._inputs = [aligned_zeros((S, H if layer == 0 else 2 * H), dtype) for layer in range(L)]
        self._h = [x[:, :H] for x in self._inputs]
        self._new_h = np.empty((S, H), dtype)
        self._scaled_h = np.empty((S, H), dtype) if cell.scales_h else None
        # what is looked up for layer 0, also as a view by gate; what is projected for the others
        self._looked_up = np.empty((S, G * H), dtype)
        self._looked_up_gates = self._looked_up.reshape(S, G, H).swapaxes(0, 1)
        self._projected = np.empty((G, S, H), dtype)
        # the pre-activations of each layer, and the parts of them with U·x + b and with W·h
        self._a = [aligned_zeros((K, S, H), dtype) for _ in range(L)]
        self._U_outputs = [a[:G] for a in self._a]
        self._without_W = [a[: K - R] for a in self._a]
        self._held: dict[int, tuple[Units, Units, Array]] = {}
        self._logits = np.empty((config.vocabulary_size, S), dtype)
        self._copy_weights(network)

    def _copy_weights(self, network: Network) -> None:
        weights, H, cell = network.parameters, network.config.hidden_size, network.config.cell_type
        W, U = ([weights[f"{x}{n}"] for n in range(network.config.layers)] for x in "WU")
        self._table = np.ascontiguousarray((U[0][:, :-1] + U[0][:, -1:]).T)
        self._biases = [of_layer[:, -1].reshape(-1, 1, H).copy() for of_layer in U]
        self._V, self._V_bias = aligned_copy(weights["V"][:, :-1]), weights["V"][:, -1:].copy()
        self._has_joint = cell.gates == cell.recurrent_gates
        R = len(cell.recurrent_gates)
        self._W_products = []
        for n, (x, a, of_layer) in enumerate(zip(self._inputs, self._a, W, strict=True)):
            if n > 0 and self._has_joint:
                M, seen = np.concatenate([of_layer, U[n][:, :-1]], axis=1), x
            else:
                M, seen = of_layer, self._h[n] if self._scaled_h is None else self._scaled_h
            self._W_products.append(self._product(M, seen, a[len(a) - R :]))
        self._U_products = (
            []
            if self._has_joint
            else [
                self._product(of_layer[:, :-1], x[:, H:], self._projected)
                for x, of_layer in zip(self._inputs[1:], U[1:], strict=True)
            ]
        )

    def _product(self, M: Array, x: Array, out: Array) -> Callable[[], object]:
        """The product of a copy of M (blocks·H, N) with what x (S, N) will be, into `out`
        (blocks, S, H)."""
        blocks, S, H = out.shape
        if S == 1:  # reads the weights row by row
            return partial(np.matmul, x, aligned_copy(M).T, out=out.reshape(S, -1))
        if S <= MOST_TILED:
            product = Product(S, M.shape[1], blocks, H, M.dtype)
            product.set_matrix(aligned_copy(M.T))
            return partial(product.multiply, product.factor_view(x), product.output_view(out))
        rows, M_T = np.empty((S, blocks * H), M.dtype), aligned_copy(M.T)

        def multiply() -> None:
            np.matmul(x, M_T, out=rows)
            out[:] = rows.reshape(S, blocks, H).swapaxes(0, 1)

        return multiply

    def hold(self, layer: int, units: Units, streams: Units, values: Array) -> None:
        """From now on, overwrite the memory of these units of a layer in these streams with
        `values` after every step, all (N,), as `Cell.hold` does. Replaces an earlier call for the
        same layer."""
        self._held[layer] = units, streams, values

    def state(self, layer: int, name: str) -> Array:
        """A state of a layer after the last step, (S, H): "h", or one of the cell's `states`. It is
        a view, valid until the next step."""
        if name == "h":
            return self._h[layer]
        return self._cells[layer].state(name, self._a[layer])

    def reset(self) -> None:
        """Make the state of every stream zero."""
        for x, cell in zip(self._inputs, self._cells, strict=True):
            x[:] = 0
            cell.memory[:] = 0

    def step(self, ids: IdArray) -> Array:
        """Read one symbol in each stream, `ids` (S,); returns the logits (V, S) of the next
        symbols, which the next call overwrites."""
        for layer, (cell, h) in enumerate(zip(self._cells, self._h, strict=True)):
            a, U_output = self._a[layer], self._U_outputs[layer]
            self._without_W[layer].fill(0)
            U_output += self._first_inputs(ids) if layer == 0 else self._inputs_of(layer)
            # a cell that passes h reads h_{t−1} while it writes h_t
            after = self._new_h if cell.passes_h else h
            cell.forward(0, a, h, after)
            if cell.passes_h:
                h[:] = after
            if layer in self._held:
                cell.hold(*self._held[layer], a, h)
        return self.predict()

    def _first_inputs(self, ids: IdArray) -> Array:
        """Write W₀·h into the first layer's pre-activations; returns U₀·onehot + b (G, S, H)."""
        np.take(self._table, ids, axis=0, out=self._looked_up, mode="clip")
        self._multiply_by_W(0, self._looked_up_gates)
        return self._looked_up_gates

    def _inputs_of(self, layer: int) -> Array:
        """Write W·h, or W·h + U·x, into the pre-activations of a layer l ≥ 1; returns what remains
        to be added, (G, S, H) or (G, 1, H)."""
        x, bias, H = self._inputs[layer], self._biases[layer], self._new_h.shape[1]
        x[:, H:] = self._h[layer - 1]
        if self._has_joint:
            self._W_products[layer]()
            return bias
        self._U_products[layer - 1]()
        self._projected += bias
        self._multiply_by_W(layer, self._projected)
        return self._projected

    def _multiply_by_W(self, layer: int, projected: Array) -> None:
        """Write W·h, or W·(s ⊙ h) with the s that is projected, into a layer's pre-activations."""
        if self._scaled_h is not None:
            np.multiply(projected[0], self._h[layer], out=self._scaled_h)
        self._W_products[layer]()

    def predict(self) -> Array:
        """The logits (V, S) of the current state once more; before any step, of zeros."""
        np.matmul(self._V, self._h[-1].T, out=self._logits)
        self._logits += self._V_bias
        return self._logits
