"""Explains cells: reads the text once, and asks all that there is to ask of each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from charrnn.machine.blas import one_thread
from charrnn.model import Model
from charrnn.neurons.explain.dose_response import (
    OTHER_CELLS,
    OTHER_SEEDS,
    VALUES,
    DoseResponse,
    dose_response,
    held_texts,
)
from charrnn.neurons.explain.edges import Edge, Wiring
from charrnn.neurons.explain.explanation import Explanation
from charrnn.neurons.explain.gates import gate_blocks
from charrnn.neurons.explain.memory import Memory, half_life, responses, spread_places
from charrnn.neurons.explain.output import output_effects
from charrnn.neurons.explain.readings import Place, Readings, memories
from charrnn.neurons.explain.recording import Parts, is_saturated, shown
from charrnn.neurons.explain.switches import switches
from charrnn.neurons.explain.symbol_groups import Group
from charrnn.neurons.features.registry import Feature
from charrnn.neurons.search import (
    UNTRAINED_WARM_UP,
    Progress,
    Search,
    characters,
    matched_units,
    untrained_networks,
)
from charrnn.nn.reading import map_in_threads
from charrnn.options import usable_threads
from charrnn.text.streams import Positions
from charrnn.types import IdArray

MOST_EXPLAINED = 32
"""Cells that are explained in one go, at most."""


@dataclass(frozen=True)
class Explainer:
    """Explains cells of a `model` on a text `ids` (N,) that was searched in two `halves`, with the
    `features` of the text. `claimed` has the feature of each cell (layer, unit) with a claim."""

    model: Model
    ids: IdArray
    halves: tuple[slice, slice]
    features: Sequence[Feature]
    claimed: Mapping[Place, Feature]
    seed: int = 1
    progress: Progress = field(default=lambda stage, share: None)

    def explain(self, cells: Sequence[Place]) -> dict[Place, Explanation]:
        """The explanations of some cells, at most `MOST_EXPLAINED` of them, the first ones.

        The result is the same for any number of processors. Raises CorpusError for a text that is
        too short.
        """
        cells = cells[:MOST_EXPLAINED]
        parts = Parts.of(*self.halves)
        self.progress("reading the text to explain cells", 0)
        text = characters(self.model, self.ids)
        readings = Readings.of(self.model, self.ids, text, parts, self.features)
        self.progress("explaining: an untrained network", 0)
        untrained = self._untrained(readings, {layer for layer, _ in cells})
        with one_thread():
            self.progress("explaining: texts with cells that are held", 0)
            effects = self._effects(readings, cells)

            def explained(cell: Place) -> Explanation:
                return self._explanation(readings, cell, untrained[cell[0]], effects.get(cell))

            stage = "explaining: switches, rules, connections"
            found = map_in_threads(
                explained, cells, usable_threads(), lambda share: self.progress(stage, share)
            )
        return dict(zip(cells, found, strict=True))

    def _untrained(self, readings: Readings, layers: set[int]) -> dict[int, "Baseline"]:
        """The figures of an untrained network, by layer."""
        network = next(untrained_networks(self.model.network, self.seed))
        parts = readings.parts
        learned = memories(network, self.ids, parts.learned_piece, UNTRAINED_WARM_UP)
        again = memories(network, self.ids, parts.read, UNTRAINED_WARM_UP)
        places = _in_text(readings, spread_places(parts.within(parts.unseen), len(again[0])))
        with one_thread():
            response = responses(network, self.ids, places, self.seed)

            def of_layer(layer: int) -> Baseline:
                return Baseline(
                    readings.untrained_r(network, learned[layer], again[layer]),
                    float(np.median([half_life(one) for one in response[layer]])),
                )

            found = map_in_threads(of_layer, sorted(layers), usable_threads())
        return dict(zip(sorted(layers), found, strict=True))

    def _effects(self, readings: Readings, cells: Sequence[Place]) -> dict[Place, DoseResponse]:
        """What holding the claimed ones of some cells does to the text that is written."""
        held = [cell for cell in cells if cell in self.claimed]
        if not held:
            return {}
        model = self.model
        texts = held_texts(model.network, model.vocabulary, held, VALUES, seed=self.seed)
        others = held_texts(
            model.network,
            model.vocabulary,
            self._similar_cells(readings, held),
            (VALUES[0], VALUES[-1]),
            seeds=OTHER_SEEDS,
            seed=self.seed,
        )
        return {
            cell: dose_response(of_cell, others, model.vocabulary, self.claimed[cell], self.seed)
            for cell, of_cell in zip(held, texts, strict=True)
        }

    def _similar_cells(self, readings: Readings, held: Sequence[Place]) -> list[Place]:
        """Cells without a claim, with a spread like that of those that are held."""
        H = self.model.network.config.hidden_size
        spread = shown(self.model.network, readings.learned).std(axis=1).reshape(-1)
        numbers = [layer * H + unit for layer, unit in held]
        claimed = {layer * H + unit for layer, unit in self.claimed}
        others = [n for n in range(len(spread)) if n not in claimed]
        rng = np.random.default_rng(self.seed)
        found = matched_units(spread, numbers, others, OTHER_CELLS, rng)
        return [divmod(n, H) for n in found]

    def _explanation(
        self, readings: Readings, cell: Place, untrained: "Baseline", effect: DoseResponse | None
    ) -> Explanation:
        layer = cell[0]
        network, parts, recording = self.model.network, readings.parts, readings.recording
        chosen, unseen = parts.within(parts.chosen), parts.within(parts.unseen)
        values = readings.values(cell)
        ids = self.ids[parts.learned_piece]
        found = switches(values, ids, recording, unseen, cell, readings.sets)
        sources, readers = self._connections(readings, cell)
        return Explanation(
            is_claimed=cell in self.claimed,
            has_gates=bool(gate_blocks(network)),
            layer=layer,
            layers=network.config.layers,
            saturated_at=float(values.mean()) if is_saturated(values) else None,
            switches=[switch for switch, _ in found],
            rule=readings.rule(cell, untrained.r),
            memory=self._memory(readings, cell, [group for _, group in found], untrained),
            effect=effect,
            sources=sources,
            readers=readers,
            output=output_effects(recording, cell, chosen, unseen, readings.names),
        )

    def _connections(self, readings: Readings, cell: Place) -> tuple[list[Edge], list[Edge]]:
        """The sources and the readers of a cell with a claim; none of another one."""
        if cell not in self.claimed:
            return [], []
        parts = readings.parts
        wiring = Wiring(
            recording=readings.recording,
            feature=readings.tracks[self.claimed[cell].name][parts.read],
            chosen=parts.within(parts.chosen),
            unseen=parts.within(parts.unseen),
            seed=self.seed,
        )
        return wiring.sources(*cell), wiring.readers(*cell)

    def _memory(
        self, readings: Readings, cell: Place, groups: Sequence[Group], untrained: "Baseline"
    ) -> Memory:
        """How long the switches of a cell are felt; of a cell without any, any character."""
        parts, ids = readings.parts, readings.recording.ids
        places = parts.within(parts.unseen)
        is_switch = np.zeros(len(places), np.bool_)
        for group in groups:
            is_switch |= group.holds(ids[places - 1], ids[places])
        some = places[is_switch] if is_switch.any() else places
        response = responses(
            self.model.network,
            self.ids,
            _in_text(readings, spread_places(some, len(ids))),
            self.seed,
        )[cell]
        return Memory(half_life(response), untrained.half_life, float(response.max()))


def explain_found(
    model: Model,
    ids: IdArray,
    found: Search,
    units: Sequence[Place],
    *,
    seed: int = 1,
    progress: Progress = lambda stage, share: None,
) -> dict[Place, Explanation]:
    """Explanations on a text `ids` (N,) that was searched: of the first of some units (layer,
    unit), and of those of the others with a claim; at most `MOST_EXPLAINED`."""
    claimed = {found.place(finding.unit): finding.feature for finding in found.findings.claims}
    cells = [unit for n, unit in enumerate(units) if n == 0 or unit in claimed]
    explainer = Explainer(model, ids, found.halves, found.features, claimed, seed, progress)
    return explainer.explain(cells)


@dataclass(frozen=True)
class Baseline:
    """Medians over cells of a layer of an untrained network: the correlation `r` of their rules,
    and their `half_life`."""

    r: float
    half_life: float


def _in_text(readings: Readings, places: Positions) -> Positions:
    """Places of the recorded piece as places of the text."""
    found: Positions = places + readings.parts.read.start
    return found
