"""The arrays of a network's forward and backward pass over windows of time.

A window goes through the layers one by one, all T steps of a layer before the next layer:

    forward     ids ─ input ─▶ layer 0 ─ dropout ─▶ … ─▶ layer L−1 ─ dropout ─▶ logits ─▶ losses
    backward    the same path in reverse, from ∂losses/∂logits to the gradient of every weight
"""

from typing import TYPE_CHECKING

import numpy as np

from charrnn.machine.aligned import aligned_zeros
from charrnn.nn.dropout import OutputDropout, WeightDropout
from charrnn.nn.layer import Layer, Scratch
from charrnn.nn.one_hot_input import OneHotInput
from charrnn.nn.parameters import Parameters
from charrnn.nn.softmax import SoftmaxCrossEntropy
from charrnn.types import Array, IdArray

if TYPE_CHECKING:
    from charrnn.nn.network import Network


class Workspace:
    """All arrays for windows of T steps in B streams, allocated once. It carries the state of its
    streams from one window to the next.

    Memory: that of the layers, the input, the softmax and dropout, V·T·B numbers for the logits,
    G·H·T·B for the input of a layer's gates, and (K − G + 1)·H·T·B more for training.
    """

    def __init__(
        self,
        network: "Network",
        steps: int,
        batch: int,
        *,
        training: bool,
        dropout: float,
        recurrent_dropout: float,
    ) -> None:
        config, dtype = network.config, network.parameters.flat.dtype
        T, B, H, V = steps, batch, config.hidden_size, config.vocabulary_size
        cell = config.cell_type
        self.network = network
        self.steps, self.batch = T, B
        scratch = Scratch(cell, H, B, dtype, training=training)
        self.layers = [
            Layer(cell, H, T, B, dtype, scratch, training=training) for _ in range(config.layers)
        ]
        # for one layer after another [X, 1]·Uᵀ, then, in the same memory, the gradient of its
        # pre-activations
        G, K = len(cell.gates), len(cell.blocks)
        gates = aligned_zeros(((K if training else G) * H * T * B,), dtype)
        self._projected = gates[: T * B * G * H].reshape(T * B, G * H)
        self._logits = aligned_zeros((V, T * B), dtype)
        self._no_vectors = np.zeros((0, H), dtype)
        self._targets = np.empty((T, B), np.intp)
        self._softmax = SoftmaxCrossEntropy(T * B, dtype)
        gradients = K * H if training else 0
        self._input = OneHotInput(V, G * H, T * B, dtype, gradients=gradients)
        if training:
            self._dA = gates.reshape(T * B, K * H)
            self._dA_of_U = self._dA[:, : G * H]
            self._dY = aligned_zeros((T * B, H), dtype)
        self._make_dropout(dropout, recurrent_dropout)

    def _make_dropout(self, dropout: float, recurrent_dropout: float) -> None:
        """One mask for each layer, or none where the rate is 0."""
        config, dtype = self.network.config, self.network.parameters.flat.dtype
        H, T, B, layers = config.hidden_size, self.steps, self.batch, range(config.layers)
        W_shape = (len(config.cell_type.recurrent_gates) * H, H)
        self._output_dropout = [OutputDropout(dropout, H, T, B, dtype) for _ in layers if dropout]
        self._weight_dropout = [
            WeightDropout(recurrent_dropout, W_shape, dtype) for _ in layers if recurrent_dropout
        ]

    def draw_dropout_masks(self, rng: np.random.Generator) -> None:
        """Draw new dropout masks for the next window. Before the first call nothing is masked."""
        for output_dropout in self._output_dropout:
            output_dropout.draw(rng)
        for weight_dropout in self._weight_dropout:
            weight_dropout.draw(rng)

    @property
    def state(self) -> Array:
        """A copy of the state of all streams, (L, 1 + S, H, B): h, then the cell's state arrays."""
        return np.stack([layer.state for layer in self.layers])

    @state.setter
    def state(self, state: Array) -> None:
        for layer, of_layer in zip(self.layers, state, strict=True):
            layer.state = of_layer

    def reset(self) -> None:
        """Make the state of every stream zero."""
        for layer in self.layers:
            layer.state = np.zeros_like(layer.state)

    def forward(self, ids: IdArray) -> Array:
        """Logits (V, T·B) of the symbols that follow `ids` (T, B), starting from the carried state.

        The returned array is overwritten by the next call.
        """
        self.advance(ids)
        return self._predict()

    def advance(self, ids: IdArray) -> None:
        """Read `ids` (T, B) from the carried state, without predicting what follows."""
        weights = self.network.parameters
        for index, layer in enumerate(self.layers):
            U, W = weights[f"U{index}"], weights[f"W{index}"]
            if index == 0:
                self._input.forward(U, ids, out=self._projected)  # 1  [X, 1]·Uᵀ   (T·B, G·H)
            else:
                np.matmul(self._output(index - 1), U.T, out=self._projected)  # 1  [X, 1]·Uᵀ
            if self._weight_dropout:
                W = self._weight_dropout[index].forward(W)  # 2  M ⊙ W   (R·H, H)
            layer.forward(W, self._projected, self._vectors(weights, index))  # 3  h   (T, B, H)
            if self._output_dropout:
                self._output_dropout[index].forward(layer.output)  # 4  m ⊙ h   (T, B, H)

    def _predict(self) -> Array:
        """The logits (V, T·B) of the symbols that follow those of the last window."""
        return np.matmul(self.network.parameters["V"], self._output(-1).T, out=self._logits)  # 5

    def _output(self, layer: int) -> Array:
        """A layer's output after dropout, [h_1, 1] … [h_T, 1] as (T·B, H + 1)."""
        return (self._output_dropout or self.layers)[layer].output

    def _vectors(self, parameters: Parameters, layer: int) -> Array:
        """The cell's weight vectors (X, H), or their gradient; X may be 0."""
        name = f"P{layer}"
        return parameters[name] if name in parameters.shapes else self._no_vectors

    def losses(self, ids: IdArray, targets: IdArray) -> Array:
        """The loss at each step (T, B), in nats: −ln p(target). Both arguments are (T, B).

        The returned array is overwritten by the next call.
        """
        self.advance(ids)
        return self.losses_of(targets)

    def losses_of(self, targets: IdArray) -> Array:
        """The losses (T, B) of `targets` (T, B) after the symbols of the last window, as `losses`
        returns them."""
        self._targets[:] = targets
        losses = self._softmax.forward(self._predict(), self._targets.reshape(-1))  # 6
        return losses.reshape(self.steps, self.batch)

    @property
    def probabilities(self) -> Array:
        """The probability of every symbol (V, T·B) in the last window of `losses`; a view."""
        return self._logits

    def backward(self, gradient: Parameters, scale: float | Array, dH: Array | None = None) -> None:
        """Overwrite `gradient` with ∂(sum of scale · losses)/∂weights for the last window of
        `losses`, and `dH` (L, T, B, H), if it is given, with the gradient of each layer's h_t.

        `scale` is a number, or one for each loss (T·B,). Backpropagation is truncated at the first
        step of the window.
        """
        weights = self.network.parameters
        dlogits, dY = self._logits, self._dY
        self._softmax.backward(dlogits, scale)  # of 6  (V, T·B)
        np.matmul(dlogits, self._output(-1), out=gradient["V"])  # of 5
        np.matmul(dlogits.T, weights["V"][:, :-1], out=dY)  # of 5  (T·B, H)
        for index, layer in reversed(list(enumerate(self.layers))):
            W, dW, dU = weights[f"W{index}"], gradient[f"W{index}"], gradient[f"U{index}"]
            if self._output_dropout:
                self._output_dropout[index].backward(dY)  # of 4
            if self._weight_dropout:
                W = self._weight_dropout[index].W
            dH_of_layer = None if dH is None else dH[index]
            dvectors = self._vectors(gradient, index)
            layer.backward(W, dY, self._dA, dW, dvectors, dH_of_layer)  # of 3
            if self._weight_dropout:
                self._weight_dropout[index].backward(dW)  # of 2
            if index == 0:
                self._input.backward(self._dA, dU)  # of 1
            else:
                dA = self._dA_of_U
                np.matmul(dA.T, self._output(index - 1), out=dU)  # of 1
                np.matmul(dA, weights[f"U{index}"][:, :-1], out=dY)  # of 1  (T·B, H)
