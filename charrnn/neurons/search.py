"""The search for units that follow features of a text."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from charrnn.analysis.activations import read
from charrnn.errors import CorpusError, OptionError
from charrnn.model import Model
from charrnn.neurons.claims import Finding, Findings, Half, find
from charrnn.neurons.effects import BLOCK_CHARACTERS, BLOCK_WARM_UP, Effect, effects
from charrnn.neurons.features.registry import Feature
from charrnn.neurons.scores import Flags, Floats
from charrnn.nn.network import Network
from charrnn.types import Array, IdArray

GAP_BETWEEN_HALVES = 1000
"""Characters."""
UNTRAINED_NETWORKS = 5
"""Networks of the same shape with fresh weights: the untrained baseline."""
UNTRAINED_CHARACTERS = 50_000
"""Characters of the second half that they read, at most."""
CONTROLS = 50
"""Units without a claim that are ablated for comparison with the claimed ones."""


@dataclass(frozen=True)
class Search:
    """The result of a search.

    `findings` has a finding for each unit of all layers side by side; `effects` has the effects of
    ablating claimed cells, and `controls` those of others, by the number of the unit. `halves` are
    the two halves of the text.
    """

    state: str
    hidden_size: int
    features: list[Feature]
    findings: Findings
    halves: tuple[slice, slice]
    effects: dict[int, Effect] = field(default_factory=dict)
    controls: dict[int, Effect] = field(default_factory=dict)

    def place(self, unit: int) -> tuple[int, int]:
        """The layer of a unit, and its number in that layer."""
        return divmod(unit, self.hidden_size)

    def ranked(self) -> list[Finding]:
        """Claims first, then all other units, each by the size of their score."""
        return sorted(self.findings.units, key=lambda x: (not x.is_claim, -abs(x.score)))


def default_state(model: Model) -> str:
    """The state that is searched and shown by default: c where the cell has one, else h."""
    return "c" if "c" in model.network.config.cell_type.states else "h"


def tracks_of(text: str, features: Sequence[Feature]) -> tuple[Flags, Floats]:
    """The flags (N, F) and numbers (N, F′) of a text, for features with the flags first."""
    flags = [feature.track(text) for feature in features if feature.kind == "flag"]
    numbers = [feature.track(text) for feature in features if feature.kind == "number"]
    N = len(text)
    return (
        np.stack(flags, axis=1) if flags else np.zeros((N, 0), np.bool_),
        np.stack(numbers, axis=1) if numbers else np.zeros((N, 0), np.float32),
    )


def search(
    model: Model,
    ids: IdArray,
    *,
    features: Sequence[Feature],
    state: str | None = None,
    seed: int = 1,
    progress: Callable[[str], object] = lambda message: None,
) -> Search:
    """Look for units that follow a feature of the text `ids` (N,), which the model has not learned
    from.

    `features` have the flags first (`by_kind`). `progress` is called with the name of each stage.
    Raises CorpusError for a text that is too short to be cut into halves.
    """
    state = default_state(model) if state is None else state
    first, second = halves(len(ids))
    text = characters(model, ids)
    flags, numbers = tracks_of(text, features)

    def seen(network: Network, cut: slice) -> Half:
        values = read(network, ids[cut], (state,), before=ids[: cut.start]).states[state]
        side_by_side = values.transpose(1, 0, 2).reshape(values.shape[1], -1)
        return Half(side_by_side, flags[cut], numbers[cut], ids[cut])

    progress("reading the text")
    of_model = seen(model.network, first), seen(model.network, second)
    progress("comparing with untrained networks and with chance")
    short = slice(second.start, min(second.stop, second.start + UNTRAINED_CHARACTERS))
    untrained = ((seen(network, short),) for network in untrained_networks(model.network, seed))
    findings = find(features, *of_model, untrained)
    found = Search(
        state, model.network.config.hidden_size, list(features), findings, (first, second)
    )
    if findings.claims and second.stop - second.start > BLOCK_WARM_UP + BLOCK_CHARACTERS:
        progress("ablating cells")
        _measure(found, model, ids[second], of_model[1], np.random.default_rng(seed))
    return found


def _measure(
    found: Search, model: Model, ids: IdArray, half: Half, rng: np.random.Generator
) -> None:
    """Fill in the effects of ablating the claimed cells, and others of similar spread."""
    values = np.tanh(half.values) if found.state == "c" else half.values
    if found.state not in ("c", "h"):
        return  # gates cannot be held
    spread = values.std(axis=0)
    claimed = [finding.unit for finding in found.findings.claims]
    others = [x.unit for x in found.findings.units if not x.is_claim]
    controls = matched_units(spread, claimed, others, CONTROLS, rng)
    flag_columns = {f.name: n for n, f in enumerate(found.features) if f.kind == "flag"}
    tracks = [
        half.flags[:, flag_columns[name]] if name in flag_columns else None
        for name in (found.findings.units[unit].feature.name for unit in (*claimed, *controls))
    ]
    units = [*claimed, *controls]
    means = np.clip(values.mean(axis=0, dtype=np.float64)[units], -0.999, 0.999)
    held = [{found.place(unit): float(mean)} for unit, mean in zip(units, means, strict=True)]
    measured = effects(model.network, ids, held, tracks, rng)
    found.effects.update(zip(claimed, measured, strict=False))
    found.controls.update(zip(controls, measured[len(claimed) :], strict=True))


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
