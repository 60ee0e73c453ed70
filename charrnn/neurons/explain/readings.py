"""The text as the network reads it, once for all cells that are explained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.analysis.activations import STREAM_WARM_UP, read
from charrnn.model import Model
from charrnn.neurons.explain.columns import columns
from charrnn.neurons.explain.naming import symbol_names
from charrnn.neurons.explain.recording import Parts, Recording, is_saturated, memory_name, shown
from charrnn.neurons.explain.rule import Rule, RuleFinder
from charrnn.neurons.explain.symbol_groups import Sets
from charrnn.neurons.features.registry import Feature
from charrnn.neurons.features.track_ops import Track
from charrnn.nn.network import Network
from charrnn.types import Array, IdArray

UNTRAINED_CELLS = 8
"""Cells of a layer of an untrained network for which rules are sought."""

Place = tuple[int, int]
"""Layer and unit."""


def memories(
    network: Network, ids: IdArray, piece: slice, warm_up: int = STREAM_WARM_UP
) -> NDArray[np.float32]:
    """What the cells of all layers remember (L, n, H) in a piece of a text: c, or h. It is read in
    streams after a `warm_up`, in characters."""
    name, before = memory_name(network), ids[: piece.start]
    reading = read(network, ids[piece], (name,), before=before, losses=False, warm_up=warm_up)
    return reading.states[name]


def signal(network: Network, memory: Array) -> Array:
    """What a rule for a cell with this memory (N,) is to predict: the value that is shown, or the
    memory itself where the value hardly changes."""
    values = shown(network, memory)
    return memory if is_saturated(values) else values


@dataclass(frozen=True)
class Readings:
    """A text `ids` (N,) in `parts`, with the `tracks` (N,) of its features by their names; what the
    cells of `model` remember (L, n, H) in the piece that is `learned`, and a recording of the other
    piece."""

    model: Model
    ids: IdArray
    tracks: Mapping[str, Track]
    parts: Parts
    learned: NDArray[np.float32]
    recording: Recording
    rules: RuleFinder
    sets: Sets
    names: list[str]

    @classmethod
    def of(
        cls, model: Model, ids: IdArray, text: str, parts: Parts, features: Sequence[Feature]
    ) -> "Readings":
        """Read the text, of N characters."""
        names = symbol_names(model.vocabulary)
        found = columns(text, ids, features, names)  # the features are the first of them
        return cls(
            model=model,
            ids=ids,
            tracks={
                feature.name: column.values
                for feature, column in zip(features, found, strict=False)
            },
            parts=parts,
            learned=memories(model.network, ids, parts.learned_piece),
            recording=Recording.of(model.network, ids, parts.read),
            rules=RuleFinder(found, parts),
            sets=Sets.of(model.vocabulary),
            names=names,
        )

    def values(self, cell: Place) -> Array:
        """The values (n,) of a cell in the piece that is learned, from −1 to 1."""
        return shown(self.model.network, self.learned[cell[0], :, cell[1]])

    def rule(self, cell: Place, r_untrained: float) -> Rule:
        """The rule of a cell."""
        network = self.model.network
        memory = self.learned[cell[0], :, cell[1]], self.recording.memory[cell[0], :, cell[1]]
        return self._rule(network, memory, r_untrained)

    def untrained_r(self, network: Network, learned: Array, again: Array) -> float:
        """The median correlation of rules for some cells of a layer of an untrained network, with
        their memories (n, H) in the two pieces."""
        units = np.linspace(0, network.config.hidden_size - 1, UNTRAINED_CELLS).astype(np.intp)
        found = [
            self._rule(network, (learned[:, unit], again[:, unit])).r
            for unit in np.unique(units).tolist()
        ]
        return float(np.median(found))

    def _rule(
        self, network: Network, memory: tuple[Array, Array], r_untrained: float = float("nan")
    ) -> Rule:
        parts = self.parts
        values = signal(network, np.concatenate(memory))
        learned, read_again = values[: len(memory[0])], values[len(memory[0]) :]
        return self.rules.find(
            learned[parts.learned - parts.learned_piece.start],
            read_again[parts.within(parts.chosen)],
            read_again[parts.within(parts.unseen)],
            r_untrained,
        )
