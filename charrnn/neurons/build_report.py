"""From the findings of a search to the report that terminal, page and files show."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from charrnn.analysis.activations import Reading, read
from charrnn.model import Model
from charrnn.neurons.claims import FEWEST_EPISODES, Finding
from charrnn.neurons.explain.explanation import Explanation
from charrnn.neurons.features.registry import Feature
from charrnn.neurons.groups import by_feature, claim, groups
from charrnn.neurons.report import (
    Cell,
    Claim,
    FeatureTrack,
    Group,
    Report,
    Saturation,
    ShownUnit,
)
from charrnn.neurons.scores import Floats
from charrnn.neurons.search import GAP_BETWEEN_HALVES, Search, characters, tracks_of
from charrnn.neurons.shift_null import SHORTEST_TEXT
from charrnn.neurons.unit_views import histograms, in_unit_range, peaks, saturation
from charrnn.nn.parameters import digest
from charrnn.text.display import shown_symbols
from charrnn.types import IdArray

SATURATION_CHARACTERS = 20_000


def symbols_shown(model: Model, ids: IdArray) -> list[str]:
    """Each symbol of `ids` (N,) as it is shown."""
    table = shown_symbols(model.vocabulary)
    return [table[id] for id in ids]


@dataclass(frozen=True)
class ReportBuilder:
    """Builds the report on a text `ids` (N,) that a model reads, with the `features` of the text
    (flags first), and on what a search found in it, if there was one."""

    model: Model
    ids: IdArray
    features: Sequence[Feature]
    state: str
    found: Search | None = None
    seed: int = 1
    """Of the bootstrap for the effects of whole groups."""
    explanations: Mapping[tuple[int, int], Explanation] = field(default_factory=dict)
    """Of some units, (layer, unit)."""

    def best_units(self) -> list[tuple[int, int]]:
        """All units as (layer, unit): the best of each group first, in the order of the groups;
        of those with a claim, if there are any. Then the others, those with a claim first, the
        largest score first."""
        found = self.found
        if found is not None and found.findings.units:
            best = [group[0] for group in by_feature(found)]
            first = [one for one in best if one.is_claim] or best
            others = [one for one in found.ranked() if one not in first]
            return [found.place(finding.unit) for finding in (*first, *others)]
        config = self.model.network.config
        return [(n, unit) for n in range(config.layers) for unit in range(config.hidden_size)]

    def best_unit(self, features: Sequence[str] = ()) -> tuple[int, int]:
        """The unit to show: the best of those that follow the first of these `features` that some
        unit follows best, or else the best of all."""
        if self.found is not None:
            best = {group[0].feature.name: group[0].unit for group in by_feature(self.found)}
            for name in features:
                if name in best:
                    return self.found.place(best[name])
        return self.best_units()[0]

    def with_others(self, unit: tuple[int, int], count: int | None) -> list[tuple[int, int]]:
        """A unit and the best others: `count` in all, or every one."""
        return [unit, *(other for other in self.best_units() if other != unit)][:count]

    def excerpt(self, unit: tuple[int, int], length: int) -> slice:
        """The part of the text to show with a unit: where its feature is on and off in turn."""
        if self.found is None:
            return slice(0, min(len(self.ids), length))
        half, finding = self.found.halves[1], self._findings().get(unit)
        if finding is None:
            return slice(half.start, min(half.stop, half.start + length))
        track = finding.feature.track(characters(self.model, self.ids))[half]
        part = balanced_part(track, length)
        return slice(half.start + part.start, half.start + part.stop)

    def build(
        self,
        excerpt: slice,
        units: Sequence[tuple[int, int]],
        *,
        title: str,
        palette: str,
        with_data: bool = True,
    ) -> Report:
        """The report, with the values of some `units` in an excerpt of the text. Without data it
        has what a terminal shows, and neither the tracks of features nor the saturation of gates.
        """
        model, state, found = self.model, self.state, self.found
        reading = self._reading(excerpt)
        text = characters(model, self.ids)
        half = excerpt if found is None else found.halves[1]
        of_excerpt = in_unit_range(reading.states[state], state)
        of_half = of_excerpt if found is None else in_unit_range(found.states, state)
        return Report(
            title=title,
            model=described(model),
            state="tanh(c)" if state == "c" else state,
            characters=symbols_shown(model, self.ids[excerpt]),
            ends_line=[character == "\n" for character in text[excerpt]],
            predictions=named_predictions(model, reading),
            units=self._shown_units(units, of_excerpt, half, of_half),
            features=self._tracks(text, excerpt) if with_data else [],
            table=self._table(),
            groups=self._groups(of_half),
            saturation=self._saturation(half) if with_data else [],
            explained=found.findings.explained if found else 0.0,
            notes=list(notes(found)) if found else [],
            palette=palette,
            weights_sha256=digest(model.network.parameters.flat),
        )

    def _reading(self, excerpt: slice) -> Reading:
        """The state and the predictions in an excerpt of the text."""
        return read(
            self.model.network,
            self.ids[excerpt],
            (self.state,),
            before=self.ids[: excerpt.start],
            losses=False,
            predictions=True,
        )

    def _saturation(self, part: slice) -> list[Saturation]:
        return saturation(self.model, self.ids[part][:SATURATION_CHARACTERS])

    def _tracks(self, text: str, excerpt: slice) -> list[FeatureTrack]:
        """The features of the text in the excerpt."""
        flags, numbers = (track[excerpt] for track in tracks_of(text, self.features))
        tracks: Floats = np.hstack([flags.astype(np.float32), numbers])
        return [
            FeatureTrack(feature.name, feature.kind, feature.description, tracks[:, n])
            for n, feature in enumerate(self.features)
        ]

    def _table(self) -> list[Cell]:
        found = self.found
        if found is None:
            return []
        return [
            (*found.place(one.unit), claim(one, found.effects.get(one.unit)))
            for one in found.ranked()
        ]

    def _groups(self, of_half: Floats) -> list[Group]:
        if self.found is None:
            return []
        rng = np.random.default_rng(self.seed)
        return groups(self.found, self.model, self.ids, of_half, rng)

    def _findings(self) -> dict[tuple[int, int], Finding]:
        """By layer and unit."""
        if self.found is None:
            return {}
        return {self.found.place(x.unit): x for x in self.found.findings.units}

    def _claim(self, finding: Finding | None) -> Claim | None:
        if finding is None or self.found is None:
            return None
        return claim(finding, self.found.effects.get(finding.unit))

    def _shown_units(
        self, units: Sequence[tuple[int, int]], values: Floats, half: slice, of_half: Floats
    ) -> list[ShownUnit]:
        """Some units, with their `values` (L, N, H) in the excerpt; all else is from their values
        in the half, (L, N′, H)."""
        symbols = symbols_shown(self.model, self.ids[half])
        text = characters(self.model, self.ids)
        flags, findings = {}, self._findings()
        shown = []
        for layer, unit in units:
            finding, flag = findings.get((layer, unit)), None
            if finding is not None and finding.feature.kind == "flag":
                name = finding.feature.name
                if name not in flags:
                    flags[name] = finding.feature.track(text)[half].astype(np.bool_)
                flag = flags[name]
            on, off = histograms(of_half[layer, :, unit], flag)
            shown.append(
                ShownUnit(
                    layer=layer,
                    unit=unit,
                    values=values[layer, :, unit],
                    claim=self._claim(finding),
                    histogram_on=on,
                    histogram_off=off,
                    highest=peaks(of_half[layer, :, unit], symbols),
                    lowest=peaks(of_half[layer, :, unit], symbols, sign=-1),
                    explanation=self.explanations.get((layer, unit)),
                )
            )
        return shown


def notes(found: Search) -> Iterator[str]:
    """What else should be known about the findings."""
    findings = found.findings
    if findings.skipped:
        rare = ", ".join(f"{name} ({count})" for name, count in findings.skipped.items())
        yield (
            f"features not searched for, because they occur fewer than {FEWEST_EPISODES} times in "
            f"a half of the text: {rare}"
        )
    if findings.shifts == 0:
        needed = 2 * SHORTEST_TEXT + GAP_BETWEEN_HALVES
        yield f"too little text to test: no p-values and no claims; {needed:,} characters would do"
    if found.controls:
        used = sum(effect.is_used for effect in found.controls.values())
        mean = sum(effect.bits for effect in found.controls.values()) / len(found.controls)
        yield (
            f"for comparison: of {len(found.controls)} cells without a claim and of similar "
            f"spread, ablation finds {used} used, with a mean effect of {mean:+.4f} bits"
        )


def described(model: Model) -> dict[str, str | int | float]:
    config = model.network.config
    return {
        "cell": config.cell,
        "layers": config.layers,
        "hidden_size": config.hidden_size,
        "weights": config.size,
        "vocabulary_size": config.vocabulary_size,
    }


def named_predictions(model: Model, reading: Reading) -> list[list[tuple[str, float]]]:
    names = symbols_shown(model, np.arange(model.vocabulary.size))
    return [
        [(names[id], float(p)) for id, p in zip(ids, chances, strict=True)]
        for ids, chances in zip(
            reading.predicted.tolist(), reading.probabilities.tolist(), strict=True
        )
    ]


def balanced_part(track: NDArray[np.generic], length: int) -> slice:
    """The part of at most `length` characters in which a flag (N,) is on for as close to half of
    the characters as possible; the beginning for a number."""
    N = len(track)
    if length >= N or track.dtype != np.bool_:
        return slice(0, min(N, length))
    on = np.concatenate([[0], np.cumsum(track)])
    share = (on[length:] - on[:-length]) / length
    start = int(np.abs(share - 0.5).argmin())
    return slice(start, start + length)
