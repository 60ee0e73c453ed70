"""Which connections make a cell follow its feature: its sources and its readers.

An edge from a unit of one layer to a unit of the next is cut by giving the upper unit the mean of
the lower one's output in its place; all other units stay as they were (`replay`). What that costs
is the fall of the upper unit's score for the feature (`charrnn.neurons.scores`).

The costliest edges are found on one part of the text. On an unseen part, an edge counts if its cost
is at least `SMALLEST_COST`, and larger than that of 95 % of edges of equal weight: other edges into
the same unit, scaled to the length of this edge's weights.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from charrnn.neurons.explain.gates import gate_blocks
from charrnn.neurons.explain.recording import Recording
from charrnn.neurons.explain.replay import Change, input_weights, replayed
from charrnn.neurons.scores import score
from charrnn.nn.cells import Units
from charrnn.text.streams import Positions

MOST_EDGES = 3
"""That are tested of the sources, and of the readers."""
EQUAL_EDGES = 60
"""Edges of equal weight that each is compared with."""
SHARE_BEATEN = 0.95
SMALLEST_SCORE = 0.2
"""Of the upper cell for the feature: without it, there is nothing to lose."""
SMALLEST_COST = 0.005
"""Score that the cut of an edge has to cost."""
STREAM, MOST_STREAMS = 200, 48
"""Characters of a stream that is replayed, and streams."""
UNITS_AT_ONCE = 64
DECIMALS = 6
"""Of values that are told apart."""


@dataclass(frozen=True)
class Edge:
    """A connection between the cell and unit `unit` of layer `layer`. Its cut takes `cost` from the
    upper cell's score of `score`, more than the cut of `beaten` (a share) of edges of equal weight.
    `gate` is the gate of the upper cell that it acts on most, "" if no single one.
    """

    layer: int
    unit: int
    score: float
    cost: float
    beaten: float
    gate: str

    def in_words(self) -> str:
        """For example: L0:12 through the input gate (weaker by 38 % without it)."""
        gate = f" through the {self.gate}" if self.gate else ""
        share = self.cost / self.score
        weaker = f"weaker by {100 * share:.1f} %" if share < 1 else "lost"
        return f"L{self.layer}:{self.unit}{gate} ({weaker} without it)"


@dataclass(frozen=True)
class Wiring:
    """The connections of cells while a network reads, for one `feature` (N,) of the text, on two
    parts of a recording: edges are picked on `chosen` and tested on `unseen`."""

    recording: Recording
    feature: NDArray[np.generic]
    chosen: Positions
    unseen: Positions
    seed: int = 1

    def sources(self, layer: int, unit: int) -> list[Edge]:
        """The units of the layer below that make a cell follow the feature, the costliest first;
        none for a cell of the first layer, which reads the characters themselves."""
        if layer == 0:
            return []
        H = self.recording.network.config.hidden_size
        return [edge for _, edge in self._tested(layer, np.full(H, unit), np.arange(H))]

    def readers(self, layer: int, unit: int) -> list[Edge]:
        """The units of the layer above that follow the feature because of a cell."""
        config = self.recording.network.config
        if layer + 1 == config.layers:
            return []
        H = config.hidden_size
        edges = self._tested(layer + 1, np.arange(H), np.full(H, unit))
        return [replace(edge, layer=layer + 1, unit=reader) for reader, edge in edges]

    def _tested(self, layer: int, units: Units, sources: Units) -> list[tuple[int, Edge]]:
        """Of the edges from `sources` (M,) of the layer below into `units` (M,), those that count,
        the costliest first, each with the upper unit."""
        weights = input_weights(self.recording, layer, units, sources)
        scores, costs = self._costs(layer, units, Change(sources, weights), self.chosen)
        costs[scores < SMALLEST_SCORE] = 0
        found = []
        for n in np.argsort(-costs)[:MOST_EDGES].tolist():
            if costs[n] >= SMALLEST_COST:
                unit, source = int(units[n]), int(sources[n])
                edge = self._tested_edge(layer, unit, source, weights[:, n])
                is_clear = edge.cost >= SMALLEST_COST and edge.beaten > SHARE_BEATEN
                if is_clear and edge.score >= SMALLEST_SCORE:
                    found.append((unit, edge))
        return sorted(found, key=lambda pair: -pair[1].cost)

    def _tested_edge(
        self, layer: int, unit: int, source: int, weights: NDArray[np.float32]
    ) -> Edge:
        """The edge with these weights (K,), on the unseen part: whole, in one gate alone, and
        beside edges of equal weight."""
        gates = gate_blocks(self.recording.network)
        alone = np.zeros((len(weights), len(gates)), np.float32)
        for n, blocks in enumerate(gates.values()):
            alone[blocks, n] = weights[blocks]
        others, theirs = self._equal_edges(layer, unit, source, weights)
        change = Change(
            np.concatenate([np.full(1 + len(gates), source), others]),
            np.column_stack([weights, alone, theirs]),
        )
        units = np.full(len(change.sources), unit)
        scores, costs = self._costs(layer, units, change, self.unseen)
        cost, of_gates, of_equal = costs[0], costs[1 : 1 + len(gates)], costs[1 + len(gates) :]
        strongest = [name for name, x in zip(gates, of_gates, strict=True) if x >= cost / 2]
        return Edge(
            layer - 1,
            source,
            score=float(scores[0]),
            cost=float(cost),
            beaten=float((of_equal < cost).mean()),
            gate=strongest[0] if len(strongest) == 1 else "",
        )

    def _equal_edges(
        self, layer: int, unit: int, source: int, weights: NDArray[np.float32]
    ) -> tuple[Units, NDArray[np.float32]]:
        """The sources (E,) of other edges into the same unit, and their weights (K, E), scaled to
        the length of this one's."""
        H = self.recording.network.config.hidden_size
        rng = np.random.default_rng([self.seed, layer, unit, source])
        others = rng.choice(np.delete(np.arange(H), source), EQUAL_EDGES, replace=H <= EQUAL_EDGES)
        theirs = input_weights(self.recording, layer, np.full(EQUAL_EDGES, unit), others)
        lengths = np.linalg.norm(theirs, axis=0)
        theirs *= np.linalg.norm(weights) / np.where(lengths > 0, lengths, 1)
        return others, theirs

    def _costs(
        self, layer: int, units: Units, change: Change, places: Positions
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The size of the score of each unit (M,) as it is, and what a change of each costs."""
        positions = streams_of(places)
        different, which = np.unique(units, return_inverse=True)
        blocks = len(change.weights)
        unchanged = Change.none(len(different), blocks)
        before = self._scores(
            replayed(self.recording, layer, different, positions, unchanged), positions
        )
        after = np.empty(len(units))
        for start in range(0, len(units), UNITS_AT_ONCE):
            some = slice(start, start + UNITS_AT_ONCE)
            part = Change(change.sources[some], change.weights[:, some])
            values = replayed(self.recording, layer, units[some], positions, part)
            after[some] = self._scores(values, positions)
        signs = np.where(before[which] < 0, -1, 1)
        return np.abs(before[which]), np.abs(before[which]) - signs * after

    def _scores(self, values: NDArray[np.float32], positions: Positions) -> NDArray[np.float64]:
        """The scores (M,) of values (M, T, S) for the feature at `positions` (T, S)."""
        track = self.feature[positions.reshape(-1)][:, np.newaxis]
        is_flag = track.dtype == np.bool_
        flags = track[:, : int(is_flag)].astype(np.bool_)
        numbers = track[:, int(is_flag) :].astype(np.float32)
        # rounding errors of what is constant are not to be ranked
        flat = np.round(values.reshape(len(values), -1).T, DECIMALS)
        found = score(flat, flags, numbers)
        return found[:, 0].astype(np.float64)


def streams_of(places: Positions) -> Positions:
    """Streams of successive places, (`STREAM`, S), out of some runs of places (n,), spread evenly
    over them."""
    runs = np.split(places, np.flatnonzero(np.diff(places) != 1) + 1)
    starts = [start for run in runs for start in run[: len(run) - STREAM + 1 : STREAM].tolist()]
    picked = np.linspace(0, len(starts) - 1, min(MOST_STREAMS, len(starts))).astype(np.intp)
    return np.array(starts, np.intp)[picked] + np.arange(STREAM)[:, np.newaxis]
