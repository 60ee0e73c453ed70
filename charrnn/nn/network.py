"""The network: symbols ─▶ L recurrent layers ─▶ softmax over the next symbol.

    x_t ─ U₀ ─▶ layer 0 ─ U₁ ─▶ … ─▶ layer L−1 ─ V ─▶ logits (V, T·B)

Weights by name, for H hidden units, V symbols, G gates with an input product and R gates with a
recurrent product (R = G in most cells); the bias is the last column:

    W0 (R·H, H)   U0 (G·H, V + 1)     layer 0: recurrent; input and bias
    Wl (R·H, H)   Ul (G·H, H + 1)     layer l ≥ 1
    Pl (X, H)                         the cell's weight vectors, if it has any
    V  (V, H + 1)                     output and bias
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from charrnn.errors import OptionError
from charrnn.nn.cells import CELLS, Cell
from charrnn.nn.parameters import Parameters
from charrnn.nn.workspace import Workspace
from charrnn.types import Array

MAX_WEIGHTS = 10**10
"""The largest number of weights in a network."""
MAX_LAYERS = 1000


@dataclass(frozen=True)
class NetworkConfig:
    """The sizes and the cell of a network, which determine the shapes of its weights."""

    vocabulary_size: int
    hidden_size: int = 256
    layers: int = 2
    cell: str = "lstm"

    def __post_init__(self) -> None:
        for name in ("vocabulary_size", "hidden_size", "layers"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise OptionError(f"`{name}` must be a whole number of at least 1, not {value!r}")
        limits = {"hidden_size": MAX_WEIGHTS, "vocabulary_size": MAX_WEIGHTS, "layers": MAX_LAYERS}
        for name, limit in limits.items():
            if getattr(self, name) > limit:
                raise OptionError(f"`{name}` must be at most {limit}")
        if self.cell not in CELLS:
            raise OptionError(f"`cell` {self.cell!r} is unknown; there are {', '.join(CELLS)}")
        if self.size > MAX_WEIGHTS:
            raise OptionError(
                f"{self.layers} layers of {self.hidden_size} units would have {self.size:.0e} "
                f"weights, and {MAX_WEIGHTS:.0e} is the limit: lower `hidden_size` or `layers`"
            )

    @property
    def cell_type(self) -> type[Cell]:
        return CELLS[self.cell]

    @property
    def state_arrays(self) -> int:
        """1 + S: the state arrays (H, B) of a layer, h and those of the cell."""
        return 1 + self.cell_type.memories

    @property
    def size(self) -> int:
        """P, the number of weights."""
        H, V, L, cell = self.hidden_size, self.vocabulary_size, self.layers, self.cell_type
        W = L * len(cell.recurrent_gates) * H * H
        U = len(cell.gates) * H * (V + 1 + (L - 1) * (H + 1))
        return W + U + L * cell.vectors * H + V * (H + 1)

    def shapes(self) -> dict[str, tuple[int, int]]:
        """The name and shape of every weight array, in the order of the flat vector."""
        H, V, cell = self.hidden_size, self.vocabulary_size, self.cell_type
        shapes: dict[str, tuple[int, int]] = {}
        for layer in range(self.layers):
            shapes[f"W{layer}"] = (len(cell.recurrent_gates) * H, H)
            shapes[f"U{layer}"] = (len(cell.gates) * H, (H if layer else V) + 1)
            if cell.vectors:
                shapes[f"P{layer}"] = (cell.vectors, H)
        shapes["V"] = (V, H + 1)
        return shapes

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Network:
    """A configuration and its weights; a `Workspace` runs it."""

    def __init__(self, config: NetworkConfig, parameters: Parameters) -> None:
        self.config = config
        self.parameters = parameters

    @classmethod
    def create(
        cls, config: NetworkConfig, rng: np.random.Generator, dtype: DTypeLike = np.float32
    ) -> "Network":
        """A network with random weights, and the biases that the cell declares.

        Weights are uniform in ±1/√H, with two exceptions. Input weights of the first layer are
        uniform in ±1: a one-hot vector has a single 1, so that they are the signal itself. Output
        weights are uniform in ±`output_gain`/√H, 3/√H for most cells. Both speed up the first
        thousand steps: the loss of a 1 × 256 LSTM after 586 steps on tinyshakespeare fell from 2.04
        nats (output weights of zero) to 1.65.
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

    @classmethod
    def from_weights(cls, config: NetworkConfig, flat: Array) -> "Network":
        """A network whose weights are the flat vector (P,), which is not copied."""
        return cls(config, Parameters(config.shapes(), flat=flat))

    def with_weights(self, flat: Array) -> "Network":
        """A network of the same configuration with these weights (P,), which are not copied."""
        return Network.from_weights(self.config, flat)

    def workspace(
        self,
        steps: int,
        batch: int,
        *,
        training: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
    ) -> "Workspace":
        """A workspace for windows of T steps in B streams, with a state of zeros.

        `dropout` is the dropout rate of layer outputs, `recurrent_dropout` that of recurrent
        weights.
        """
        return Workspace(
            self,
            steps,
            batch,
            training=training,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
        )
