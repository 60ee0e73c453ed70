"""The network: symbols ─▶ L recurrent layers ─▶ softmax over the next symbol.

    x_t ─ U₀ ─▶ layer 0 ─ U₁ ─▶ … ─▶ layer L−1 ─ V ─▶ logits (V, T·B)

Weights, by name (H hidden units, G gates, V symbols; the bias is the last column):

    W0 (G·H, H)   U0 (G·H, V + 1)     layer 0: recurrent; input and bias
    Wl (G·H, H)   Ul (G·H, H + 1)     layer l ≥ 1
    Pl (X, H)                         the cell's further vectors, where it has any
    V  (V, H + 1)                     output and bias
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from charrnn.errors import OptionError
from charrnn.machine.aligned import aligned_zeros
from charrnn.nn.cells import CELLS, Cell
from charrnn.nn.dropout import OutputDropout, WeightDropout
from charrnn.nn.layer import Columns, Layer, Scratch
from charrnn.nn.one_hot_input import SymbolInput
from charrnn.nn.parameters import Parameters
from charrnn.nn.softmax import SoftmaxCrossEntropy
from charrnn.options import spoken
from charrnn.types import Array, IdArray

LARGEST = 10**10
"""Weights that a network may have."""
MOST_LAYERS = 1000


@dataclass(frozen=True)
class NetworkConfig:
    """What fixes the shape of a network."""

    vocabulary_size: int
    hidden_size: int = 256
    layers: int = 2
    cell: str = "lstm"

    def __post_init__(self) -> None:
        for name in ("vocabulary_size", "hidden_size", "layers"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise OptionError(
                    f"{spoken(name)} must be a whole number of at least 1, not {value!r}"
                )
        limits = {"hidden_size": LARGEST, "vocabulary_size": LARGEST, "layers": MOST_LAYERS}
        for name, limit in limits.items():
            if getattr(self, name) > limit:
                raise OptionError(f"{spoken(name)} must be at most {limit}")
        if self.cell not in CELLS:
            raise OptionError(f"cell {self.cell!r} is unknown; there are {', '.join(CELLS)}")
        if self.size > LARGEST:
            raise OptionError(
                f"{self.layers} layers of {self.hidden_size} units would have {self.size:.0e} "
                f"weights: {LARGEST:.0e} is the limit"
            )

    @property
    def cell_type(self) -> type[Cell]:
        return CELLS[self.cell]

    @property
    def state_arrays(self) -> int:
        """1 + S: arrays (H, B) that a layer carries from step to step, h and the cell's own."""
        return 1 + self.cell_type.memories

    @property
    def size(self) -> int:
        """P, the number of weights."""
        H, V, L, G = self.hidden_size, self.vocabulary_size, self.layers, self.cell_type.gates
        U = G * H * (V + 1) + (L - 1) * G * H * (H + 1)
        return L * G * H * H + U + L * self.cell_type.vectors * H + V * (H + 1)

    def shapes(self) -> dict[str, tuple[int, int]]:
        """Name and shape of every array of weights, in their order in the flat vector."""
        H, V = self.hidden_size, self.vocabulary_size
        rows = self.cell_type.gates * H
        shapes: dict[str, tuple[int, int]] = {}
        for layer in range(self.layers):
            shapes[f"W{layer}"] = (rows, H)
            shapes[f"U{layer}"] = (rows, (H if layer else V) + 1)
            if self.cell_type.vectors:
                shapes[f"P{layer}"] = (self.cell_type.vectors, H)
        shapes["V"] = (V, H + 1)
        return shapes

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Network:
    """The weights of a network, and what makes workspaces to run it."""

    def __init__(self, config: NetworkConfig, parameters: Parameters) -> None:
        self.config = config
        self.parameters = parameters

    @classmethod
    def create(
        cls, config: NetworkConfig, rng: np.random.Generator, dtype: DTypeLike = np.float32
    ) -> "Network":
        """A network with fresh weights, biases as the cell has them.

        The weights are uniform in ±1/√H, but ±1 where symbols come in (a one-hot vector has only
        one 1, so that its weights are the signal itself) and mostly ±3/√H where they go out. Both
        make the first thousand steps count: on tinyshakespeare, the loss after 586 steps of an LSTM
        of 1 × 256 fell from 2.04 nats (output weights of zero) to 1.65.
        """
        parameters = Parameters(config.shapes(), dtype)
        H, bound = config.hidden_size, config.hidden_size**-0.5
        for name in parameters:
            weights = parameters[name]
            scale = {"U0": 1.0, "V": config.cell_type.output_gain * bound}.get(name, bound)
            weights[:] = rng.uniform(-scale, scale, weights.shape)
            if name == "V":
                weights[:, -1] = 0
            elif name.startswith("U"):
                weights[:, -1] = np.repeat(config.cell_type.bias, H)
            elif name.startswith("P"):
                weights[:] = 0
        return cls(config, parameters)

    def workspace(
        self,
        steps: int,
        batch: int,
        *,
        training: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
    ) -> "Workspace":
        """Room to run windows of T steps in B streams, with a state of zeros.

        `dropout` is the share of a layer's outputs that the layer above, or the softmax, does not
        see; `recurrent_dropout` that of the recurrent weights.
        """
        return Workspace(
            self,
            steps,
            batch,
            training=training,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
        )


class Workspace:
    """All arrays that windows of T steps in B streams need, made once: nothing of their size is
    allocated afterwards. It carries the state of its streams from one window to the next.

    Memory: what its layers, the input, the softmax and dropout say, V·T·B numbers for the logits,
    G·H·(T + 1)·B for what goes into a layer's gates, and (K − G + 1)·H·(T + 1)·B more for training.
    """

    def __init__(
        self,
        network: Network,
        steps: int,
        batch: int,
        *,
        training: bool,
        dropout: float,
        recurrent_dropout: float,
    ) -> None:
        config, dtype = network.config, network.parameters.flat.dtype
        T, B, H, V = steps, batch, config.hidden_size, config.vocabulary_size
        rows = config.cell_type.gates * H
        self.network = network
        self.steps, self.batch = T, B
        scratch = Scratch(config.cell_type, H, B, dtype, training=training)
        self.layers = [
            Layer(config.cell_type, H, T, B, dtype, scratch, training=training)
            for _ in range(config.layers)
        ]
        # U·[X; 1] of the layer at hand, and the gradient of its pre-activations
        blocks = config.cell_type.blocks if training else config.cell_type.gates
        self._gates = Columns.zeros(blocks * H, T, B, dtype)
        self._projected = self._gates.rows(slice(0, rows))
        self._logits = aligned_zeros((V, T * B), dtype)
        self._no_vectors = np.zeros((0, H), dtype)
        self._targets = np.empty((T, B), np.intp)
        self._softmax = SoftmaxCrossEntropy(T * B, dtype)
        self._input = SymbolInput(V, rows, T, B, dtype, training=training)
        if training:
            self._dY = Columns.zeros(H, T, B, dtype)
        layers = range(config.layers)
        self._outputs = [OutputDropout(dropout, H, T, B, dtype) for _ in layers if dropout]
        self._recurrent = [
            WeightDropout(recurrent_dropout, (rows, H), dtype) for _ in layers if recurrent_dropout
        ]

    def draw_masks(self, rng: np.random.Generator) -> None:
        """Leave out other outputs and weights in the next window; before the first call, none."""
        for outputs in self._outputs:
            outputs.draw(rng)
        for weights in self._recurrent:
            weights.draw(rng)

    @property
    def state(self) -> Array:
        """A copy of the state that the streams carry, (L, 1 + S, H, B): h, then the cell's own."""
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
        """Logits (V, T·B) of the symbols that follow `ids` (T, B), going on from the carried state.

        The array that is returned is overwritten by the next call.
        """
        weights = self.network.parameters
        for index, layer in enumerate(self.layers):
            U, W = weights[f"U{index}"], weights[f"W{index}"]
            if index == 0:
                self._input.forward(U, ids, out=self._projected)
            else:
                np.matmul(U, self._seen(index - 1), out=self._projected.flat)
            if self._recurrent:
                W = self._recurrent[index].forward(W)
            layer.forward(W, self._projected, self._vectors(weights, index))
            if self._outputs:
                self._outputs[index].forward(layer.output)
        return np.matmul(weights["V"], self._seen(-1), out=self._logits)

    def _seen(self, layer: int) -> Array:
        """What others see of a layer's output, [h_1 … h_T; 1] as (H + 1, T·B)."""
        return (self._outputs or self.layers)[layer].output

    def _vectors(self, parameters: Parameters, layer: int) -> Array:
        """The cell's further weights (X, H), or their gradient; X may be 0."""
        name = f"P{layer}"
        return parameters[name] if name in parameters.shapes else self._no_vectors

    def losses(
        self,
        ids: IdArray,
        targets: IdArray,
    ) -> Array:
        """The loss at each step (T, B), in nats: −ln p(target). Both arguments are (T, B).

        The array that is returned is overwritten by the next call.
        """
        logits = self.forward(ids)
        self._targets[:] = targets
        losses = self._softmax.forward(logits, self._targets.reshape(-1))
        return losses.reshape(self.steps, self.batch)

    def backward(self, gradient: Parameters, scale: float | Array, dH: Array | None = None) -> None:
        """Overwrite `gradient` with ∂(sum of scale · losses)/∂weights, for the window that `losses`
        has just seen, and `dH` (L, H, T, B), if it is given, with that by each layer's h_t.

        `scale` is a number, or one for each loss (T·B,). The gradient does not flow beyond the
        window's first step.
        """
        weights = self.network.parameters
        dlogits, dY = self._logits, self._dY
        self._softmax.backward(dlogits, scale)
        np.matmul(dlogits, self._seen(-1).T, out=gradient["V"])
        np.matmul(weights["V"][:, :-1].T, dlogits, out=dY.flat)
        for index, layer in reversed(list(enumerate(self.layers))):
            W, dW, dU = weights[f"W{index}"], gradient[f"W{index}"], gradient[f"U{index}"]
            if self._outputs:
                self._outputs[index].backward(dY.steps)
            if self._recurrent:
                W = self._recurrent[index].W
            trace = None if dH is None else dH[index]
            layer.backward(W, dY.steps, self._gates, dW, self._vectors(gradient, index), trace)
            if self._recurrent:
                self._recurrent[index].backward(dW)
            if index == 0:
                self._input.backward(self._projected, dU)
            else:
                dA = self._projected.flat
                np.matmul(dA, self._seen(index - 1).T, out=dU)
                np.matmul(weights[f"U{index}"][:, :-1].T, dA, out=dY.flat)
