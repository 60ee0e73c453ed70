"""Single units once more, alone, with something changed in what they are told.

All other units stay as they were recorded, so that a replay shows the direct effect of a change on
one unit. A unit's pre-activations are those of its rows of U and W (see `charrnn.nn.cells.cell`):

    a_t = U·x_t + b + W·h_{t−1}         x_t the symbol, or the output of the layer below

In a cell that scales h, W multiplies s_t ⊙ h_{t−1}. What the unit itself contributes to a_t,
w·h_{t−1} with its own weight w, follows its replayed output (and its s_t), not the recorded one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.neurons.explain.recording import Recording, memory_name, shown
from charrnn.nn.cells import CellShape, Units
from charrnn.text.streams import Positions
from charrnn.types import Array


@dataclass(frozen=True)
class Change:
    """For each of M replayed units: from its pre-activations of K blocks, `weights` (K, M) times
    the output of unit `sources` (M,) of the layer below, less its mean, is taken away."""

    sources: Units
    weights: NDArray[np.float32]

    @classmethod
    def none(cls, units: int, blocks: int) -> "Change":
        """No change of M units with K blocks."""
        return cls(np.zeros(units, np.intp), np.zeros((blocks, units), np.float32))


def input_weights(recording: Recording, layer: int, units: Units, sources: Units) -> Array:
    """The weights (K, M) by which each of `units` (M,) of a layer l ≥ 1 sees the unit of the layer
    below that is named in `sources` (M,); 0 in a block without an input product."""
    config = recording.network.config
    gates, H = len(config.cell_type.gates), config.hidden_size
    U = recording.network.parameters[f"U{layer}"][:, :-1].reshape(gates, H, H)
    weights = np.zeros((len(config.cell_type.blocks), len(units)), U.dtype)
    weights[:gates] = U[:, units, sources]
    return weights


def pre_activations(
    recording: Recording, layer: int, units: Units, positions: Positions
) -> NDArray[np.float32]:
    """The pre-activations (K, M, …) of some units (M,) of a layer when the symbols at `positions`
    (…) ≥ 1 of a recording were read."""
    network, cell = recording.network, recording.network.config.cell_type
    H, K, R = network.config.hidden_size, len(cell.blocks), len(cell.recurrent_gates)
    G, M, flat = len(cell.gates), len(units), positions.reshape(-1)
    U = network.parameters[f"U{layer}"].reshape(G, H, -1)
    W = network.parameters[f"W{layer}"].reshape(R, H, H)[:, units].reshape(R * M, H)
    seen = recording.h[layer, flat - 1].T
    if cell.scales_h:
        seen = seen * _projected(recording, layer, U[0], flat)
    a = np.zeros((K, M, len(flat)), np.float32)
    of_units = U[:, units].reshape(G * M, -1)
    a[:G] = _projected(recording, layer, of_units, flat).reshape(G, M, -1)
    a[K - R :] += (W @ seen).reshape(R, M, -1)
    return a.reshape(K, M, *positions.shape)


def _projected(recording: Recording, layer: int, U: Array, positions: Positions) -> Array:
    """U·x + b (rows, n) for some rows of a layer's input weights, and the inputs at n positions."""
    if layer == 0:
        of_input = U[:, recording.ids[positions]]
    else:
        of_input = U[:, :-1] @ recording.h[layer - 1, positions].T
    projected: Array = of_input + U[:, -1:]
    return projected


class UnitsAlone:
    """M `units` of a layer, which may be the same one several times, in S streams, each in the
    state that was recorded before the symbols at `positions` (S,) ≥ 1."""

    def __init__(
        self, recording: Recording, layer: int, units: Units, positions: Positions
    ) -> None:
        network, before = recording.network, positions - 1
        cell_type, shape = network.config.cell_type, (len(units), len(positions))
        self._network = network
        self._cell = cell_type(CellShape(shape[0], 1, shape[1], np.float32, training=False))
        self._cell.memory[:] = recording.memory[layer, before][:, units]
        vectors = f"P{layer}"
        if cell_type.vectors:
            self._cell.begin(network.parameters[vectors][:, units])
        self.h = recording.h[layer, before].T[units]
        """Their outputs (M, S)."""

    def step(self, a: Array) -> Array:
        """One step with the pre-activations `a` (K, M, S), which it overwrites; returns the values
        (M, S) of the units, from −1 to 1."""
        after, by_stream = np.empty_like(self.h), a.swapaxes(1, 2)
        self._cell.forward(0, by_stream, self.h.T, after.T)
        self.h = after
        has_c = memory_name(self._network) == "c"
        return shown(self._network, self._cell.state("c", by_stream).T if has_c else after)


def replayed(
    recording: Recording, layer: int, units: Units, positions: Positions, change: Change
) -> NDArray[np.float32]:
    """The values (M, T, S), from −1 to 1, of M replayed `units` (M,), which may be the same unit
    several times, at `positions` (T, S) ≥ 1: S streams of T successive symbols.

    Each stream begins in the recorded state. Memory: K·M·T·S numbers for different units.
    """
    network, cell_type = recording.network, recording.network.config.cell_type
    (T, S), M = positions.shape, len(units)
    H, K, R = network.config.hidden_size, len(cell_type.blocks), len(cell_type.recurrent_gates)
    different, which = np.unique(units, return_inverse=True)
    base = pre_activations(recording, layer, different, positions)
    W = network.parameters[f"W{layer}"].reshape(R, H, H)
    own = W[:, units, units][:, :, np.newaxis]  # (R, M, 1)
    taken = _centred_sources(recording, layer, change)
    alone = UnitsAlone(recording, layer, units, positions[0])
    values = np.empty((M, T, S), np.float32)
    for t in range(T):
        a = base[:, which, t]
        if taken is not None:
            a -= change.weights[:, :, np.newaxis] * taken[positions[t]].T[change.sources]
        seen, recorded = alone.h, recording.h[layer, positions[t] - 1].T[units]
        if cell_type.scales_h:
            seen, recorded = a[0] * seen, base[0, which, t] * recorded
        a[K - R :] += own * (seen - recorded)
        values[:, t] = alone.step(a)
    return values


def _centred_sources(
    recording: Recording, layer: int, change: Change
) -> NDArray[np.float32] | None:
    """The outputs (N, H) of the layer below, less their means; None where nothing changes."""
    if not change.weights.any():
        return None
    below = recording.h[layer - 1]
    centred: NDArray[np.float32] = below - below.mean(axis=0, dtype=np.float64).astype(np.float32)
    return centred
