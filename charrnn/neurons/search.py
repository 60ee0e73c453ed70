"""The search for units that follow features of a text."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np

from charrnn.analysis.activations import STREAM_WARM_UP, read
from charrnn.errors import CorpusError, OptionError
from charrnn.machine.blas import one_thread
from charrnn.model import Model
from charrnn.neurons.claims import Finding, Findings, Half, best_scores, find
from charrnn.neurons.effects import BLOCK_CHARACTERS, BLOCK_WARM_UP, Effect, effects
from charrnn.neurons.features.registry import Feature
from charrnn.neurons.scores import Flags, Floats
from charrnn.nn.network import Network
from charrnn.options import usable_threads
from charrnn.types import Array, IdArray

Progress = Callable[[str, float], object]
Ablations = Literal["all", "best", "none"]

GAP_BETWEEN_HALVES = 1000
"""Characters."""
UNTRAINED_NETWORKS = 5
"""Networks of the same shape with fresh weights: the untrained baseline."""
UNTRAINED_CHARACTERS = 50_000
"""Characters of the second half that they read, at most."""
UNTRAINED_WARM_UP = 64
"""Symbols that a stream of an untrained network reads before the first that counts. Such networks
forget fast: no activation (tanh(c) or h) differed by more than 0.0002 from that of a state carried
through the text, for each kind of cell with 2 × 256 units."""
MOST_CONTROLS = 20
"""Units without a claim that are ablated for comparison with all claimed ones: as many as these,
and no more than this."""


@dataclass(frozen=True)
class Search:
    """The result of a search.

    `findings` has a finding for each unit of all layers side by side; `effects` has the effects of
    ablating claimed cells, and `controls` those of others, by the number of the unit. `halves` are
    the two halves of the text, and `values` (N, U) the activations in the second half.
    """

    state: str
    hidden_size: int
    features: list[Feature]
    findings: Findings
    halves: tuple[slice, slice]
    effects: dict[int, Effect] = field(default_factory=dict)
    controls: dict[int, Effect] = field(default_factory=dict)
    values: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32), repr=False)

    @property
    def states(self) -> Floats:
        """The activations in the second half, (L, N, H)."""
        found: Floats = self.values.reshape(len(self.values), -1, self.hidden_size).swapaxes(0, 1)
        return found

    def place(self, unit: int) -> tuple[int, int]:
        """The layer of a unit, and its number in that layer."""
        return divmod(unit, self.hidden_size)

    def ranked(self) -> list[Finding]:
        """Claims first, then all other units, each by the size of their score."""
        return sorted(self.findings.units, key=lambda x: (not x.is_claim, -abs(x.score)))


def default_state(model: Model) -> str:
    """The state that is searched and shown by default, and the only one of which units can be held:
    c where the cell has one, else h."""
    return model.network.config.cell_type.memory_state


def tracks_of(text: str, features: Sequence[Feature]) -> tuple[Flags, Floats]:
    """The flags (N, F) and numbers (N, F′) of a text, for features with the flags first."""
    flags = [feature.track(text) for feature in features if feature.kind == "flag"]
    numbers = [feature.track(text) for feature in features if feature.kind == "number"]
    N = len(text)
    return (
        np.stack(flags, axis=1) if flags else np.zeros((N, 0), np.bool_),
        np.stack(numbers, axis=1) if numbers else np.zeros((N, 0), np.float32),
    )


@dataclass(frozen=True)
class _Reader:
    """Lets networks read parts of one text.

    `ids` (N,), and `flags` (N, F) and `numbers` (N, F′) of its features; `state` is what to look at
    in a network.
    """

    ids: IdArray
    flags: Flags
    numbers: Floats
    state: str
    threads: int

    def half(self, network: Network, part: slice, warm_up: int) -> Half:
        """A part of the text, with the states of all units, layer by layer: (N, L·H)."""
        reading = read(
            network,
            self.ids[part],
            (self.state,),
            before=self.ids[: part.start],
            losses=False,
            warm_up=warm_up,
            threads=self.threads,
        )
        states: Array = reading.states[self.state].swapaxes(0, 1)  # (N, L, H)
        values = states.reshape(len(states), -1)
        return Half(values, self.flags[part], self.numbers[part], self.ids[part])

    def untrained_baseline(
        self, network: Network, part: slice, seed: int, progress: Progress
    ) -> Array:
        """The best scores of untrained networks of this shape, by feature."""
        part = slice(part.start, min(part.stop, part.start + UNTRAINED_CHARACTERS))
        found = []
        for number, untrained in enumerate(untrained_networks(network, seed)):
            progress("comparing with untrained networks", number / UNTRAINED_NETWORKS)
            half = self.half(untrained, part, UNTRAINED_WARM_UP)
            found.append(best_scores(half, threads=self.threads))
        best: Array = np.max(found, axis=0)
        return best


def _can_ablate(found: Search, model: Model) -> bool:
    """Whether there is a claim, a unit that can be held, and text enough."""
    second = found.halves[1]
    is_long_enough = second.stop - second.start > BLOCK_WARM_UP + BLOCK_CHARACTERS
    can_be_held = found.state == default_state(model)
    return bool(found.findings.claims) and is_long_enough and can_be_held


def search(
    model: Model,
    ids: IdArray,
    *,
    features: Sequence[Feature],
    state: str | None = None,
    seed: int = 1,
    ablations: Ablations = "all",
    progress: Progress = lambda stage, share: None,
    threads: int | None = None,
) -> Search:
    """Look for units that follow a feature of the text `ids` (N,), which the model has not learned
    from.

    `features` have the flags first (`by_kind`). `ablations` says which claimed cells are ablated:
    "all", the "best" of each feature, or "none". `progress` is called with the name of each stage
    and the share of it that is done. The result is the same for any number of `threads`; None uses
    all processors. Memory: the activations, U·N numbers, those of one untrained network, and that
    of `ShiftNull`. Raises CorpusError for a text that is too short to be cut into halves.
    """
    state = default_state(model) if state is None else state
    threads = usable_threads() if threads is None else threads
    first, second = halves(len(ids))
    with one_thread():
        progress("reading the text", 0)
        tracks = tracks_of(characters(model, ids), features)
        reader = _Reader(ids, *tracks, state, threads)
        whole = reader.half(model.network, slice(0, len(ids)), STREAM_WARM_UP)
        baseline = reader.untrained_baseline(model.network, second, seed, progress)
        progress("comparing with chance", 0)
        findings = find(features, whole.part(first), whole.part(second), baseline, threads=threads)
        H, values = model.network.config.hidden_size, whole.values[second]
        found = Search(state, H, list(features), findings, (first, second), values=values)
        if ablations != "none" and _can_ablate(found, model):
            tell = partial(progress, "ablating cells")
            _ablate(found, model, whole.part(second), seed, ablations, tell, threads)
    return found


def _ablate(
    found: Search,
    model: Model,
    half: Half,
    seed: int,
    ablations: Ablations,
    tell: Callable[[float], object],
    threads: int,
) -> None:
    """Fill in the effects of ablating claimed cells on the second half of the text; where all of
    them are ablated, those of others of similar spread as well."""
    claims = found.findings.claims if ablations == "all" else found.findings.best_claims
    rng = np.random.default_rng(seed)
    claimed = [finding.unit for finding in claims]
    controls = _controls(found, half.values, claimed, rng) if ablations == "all" else []
    units = [*claimed, *controls]
    values = _held_values(half.values[:, units], found.state)
    means = np.clip(values.mean(axis=0, dtype=np.float64), -0.999, 0.999)
    held = [{found.place(unit): float(mean)} for unit, mean in zip(units, means, strict=True)]
    columns = {f.name: n for n, f in enumerate(found.features) if f.kind == "flag"}
    names = [found.findings.units[unit].feature.name for unit in units]
    tracks = [half.flags[:, columns[name]] if name in columns else None for name in names]
    measured = effects(model.network, half.symbols, held, tracks, rng, tell=tell, threads=threads)
    found.effects.update(zip(claimed, measured, strict=False))
    found.controls.update(zip(controls, measured[len(claimed) :], strict=True))


def _held_values(values: Floats, state: str) -> Floats:
    """Activations of a state that can be held as the values at which it is: tanh(c), or h."""
    return np.tanh(values) if state == "c" else values


def _controls(
    found: Search, values: Floats, claimed: Sequence[int], rng: np.random.Generator
) -> list[int]:
    """Units without a claim for comparison with those that are `claimed`, by the activations (N, U)
    of all."""
    others = [finding.unit for finding in found.findings.units if not finding.is_claim]
    spread = _held_values(values, found.state).std(axis=0)
    return matched_units(spread, claimed, others, min(MOST_CONTROLS, len(claimed)), rng)


def matched_units(
    spread: Array,
    claimed: Sequence[int],
    others: Sequence[int],
    count: int,
    rng: np.random.Generator,
) -> list[int]:
    """At most `count` of the other units: for each claimed unit in turn, the one that is left with
    the most similar spread."""
    left = list(rng.permutation(others)) if len(others) else []
    chosen: list[int] = []
    while left and len(chosen) < count:
        wanted = spread[claimed[len(chosen) % len(claimed)]]
        nearest = min(left, key=lambda unit: abs(spread[unit] - wanted))
        left.remove(nearest)
        chosen.append(int(nearest))
    return chosen


def halves(length: int) -> tuple[slice, slice]:
    """Two halves of a text with a gap between them. Raises CorpusError for too short a text."""
    half = (length - GAP_BETWEEN_HALVES) // 2
    if half < GAP_BETWEEN_HALVES:
        raise CorpusError(
            f"the text has {length:,} characters: at least {3 * GAP_BETWEEN_HALVES:,} are needed "
            "to search for cells; give a longer `text`, or show one cell with `unit`"
        )
    return slice(0, half), slice(length - half, length)


def untrained_networks(network: Network, seed: int) -> Iterator[Network]:
    """The untrained baseline: networks of the same shape with fresh weights."""
    for number in range(UNTRAINED_NETWORKS):
        yield Network.create(network.config, np.random.default_rng([seed, number]))


def by_kind(features: Sequence[Feature]) -> list[Feature]:
    """Flags first, else in their order. Raises OptionError for a name that comes twice."""
    names = [feature.name for feature in features]
    for name in names:
        if names.count(name) > 1:
            raise OptionError(f"there are two features {name!r}: rename one of them")
    return sorted(features, key=lambda feature: feature.kind != "flag")


def characters(model: Model, ids: IdArray) -> str:
    """The text of `ids` (N,) with one character for each symbol; bytes as U+0000 to U+00FF."""
    return "".join(map(chr, model.vocabulary.symbols[ids].tolist()))
