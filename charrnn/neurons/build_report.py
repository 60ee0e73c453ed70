"""From the findings of a search to the report that terminal, page and files show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.analysis.activations import Reading, read
from charrnn.model import Model
from charrnn.neurons.claims import FEWEST_EPISODES, Finding
from charrnn.neurons.features.registry import Feature
from charrnn.neurons.report import (
    Claim,
    Effect,
    FeatureTrack,
    Peak,
    Report,
    Saturation,
    ShownUnit,
)
from charrnn.neurons.scores import Floats
from charrnn.neurons.search import GAP_BETWEEN_HALVES, Search, characters, tracks_of
from charrnn.neurons.shift_null import SHORTEST_TEXT
from charrnn.nn.parameters import digest
from charrnn.text.display import shown_symbols
from charrnn.types import IdArray

BINS = 40
"""Of a histogram from −1 to 1."""
MOST_PEAKS = 10
PEAK_DISTANCE = 60
"""Characters between two peaks, at least."""
PEAK_CONTEXT = 24
"""Characters that are shown before and after a peak."""
GATE_STATES = ("i", "f", "o", "z", "r")
"""States between 0 and 1."""
SATURATION_CHARACTERS = 20_000
CLOSED, OPEN = 0.1, 0.9
"""A gate counts as closed below the one, as open above the other (Karpathy, Johnson & Fei-Fei
2015)."""


def in_unit_range(values: NDArray[np.float32], state: str) -> NDArray[np.float32]:
    """A state as it is shown, between −1 and 1: tanh(c), and 2·x − 1 of a gate."""
    if state == "c":
        return np.tanh(values)
    return values * 2 - 1 if state in GATE_STATES else values


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

    def best_units(self) -> list[tuple[int, int]]:
        """All units as (layer, unit): those with a claim first, the largest score first."""
        if self.found is not None and self.found.findings.units:
            return [self.found.place(finding.unit) for finding in self.found.ranked()]
        config = self.model.network.config
        return [(n, unit) for n in range(config.layers) for unit in range(config.hidden_size)]

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
        self, excerpt: slice, units: Sequence[tuple[int, int]], *, title: str, palette: str
    ) -> Report:
        """The report, with the values of some `units` in an excerpt of the text."""
        model, state, found = self.model, self.state, self.found
        reading = read(
            model.network,
            self.ids[excerpt],
            (state,),
            before=self.ids[: excerpt.start],
            predictions=True,
        )
        text = characters(model, self.ids)
        flags, numbers = (track[excerpt] for track in tracks_of(text, self.features))
        tracks: Floats = np.hstack([flags.astype(np.float32), numbers])
        half = excerpt if found is None else found.halves[1]
        return Report(
            title=title,
            model=described(model),
            state="tanh(c)" if state == "c" else state,
            characters=symbols_shown(model, self.ids[excerpt]),
            ends_line=[character == "\n" for character in text[excerpt]],
            predictions=named_predictions(model, reading),
            units=self._shown_units(units, in_unit_range(reading.states[state], state), half),
            features=[
                FeatureTrack(feature.name, feature.kind, feature.description, tracks[:, n])
                for n, feature in enumerate(self.features)
            ],
            table=[(*found.place(x.unit), claim(x, found)) for x in found.ranked()]
            if found
            else [],
            saturation=saturation(model, self.ids[half][:SATURATION_CHARACTERS]),
            explained=found.findings.explained if found else 0.0,
            notes=list(notes(found)) if found else [],
            palette=palette,
            weights_sha256=digest(model.network.parameters.flat),
        )

    def _findings(self) -> dict[tuple[int, int], Finding]:
        """By layer and unit."""
        if self.found is None:
            return {}
        return {self.found.place(x.unit): x for x in self.found.findings.units}

    def _shown_units(
        self, units: Sequence[tuple[int, int]], values: NDArray[np.float32], half: slice
    ) -> list[ShownUnit]:
        """Some units, with their `values` (L, N, H) in the excerpt; all else is of the `half`."""
        states = read(
            self.model.network, self.ids[half], (self.state,), before=self.ids[: half.start]
        ).states
        of_half = in_unit_range(states[self.state], self.state)
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
                    claim=None if finding is None or not self.found else claim(finding, self.found),
                    histogram_on=on,
                    histogram_off=off,
                    highest=peaks(of_half[layer, :, unit], symbols),
                    lowest=peaks(of_half[layer, :, unit], symbols, sign=-1),
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


def claim(finding: Finding, found: Search) -> Claim:
    """A finding with the effect of its ablation, for the report."""
    effect = found.effects.get(finding.unit)
    return Claim(
        feature=finding.feature.name,
        kind=finding.feature.kind,
        score=finding.score,
        within_character=finding.within,
        iou=finding.overlap,
        p=finding.p,
        untrained=finding.untrained,
        label=finding.label,
        reason=finding.reason,
        effect=None if effect is None else Effect(**vars(effect), used=effect.is_used),
    )


def named_predictions(model: Model, reading: Reading) -> list[list[tuple[str, float]]]:
    names = symbols_shown(model, np.arange(model.vocabulary.size))
    return [
        [(names[id], float(p)) for id, p in zip(ids, chances, strict=True)]
        for ids, chances in zip(
            reading.predicted.tolist(), reading.probabilities.tolist(), strict=True
        )
    ]


def histograms(
    values: NDArray[np.float32], flag: NDArray[np.bool_] | None
) -> tuple[list[int], list[int]]:
    """How often the values (N,) are in each of `BINS` bins, where the flag (N,) is on and off;
    without a flag all are in the first."""
    bins = np.clip(((values + 1) * (BINS / 2)).astype(np.intp), 0, BINS - 1)
    on = np.ones(len(values), np.bool_) if flag is None else flag
    return (
        np.bincount(bins[on], minlength=BINS).tolist(),
        np.bincount(bins[~on], minlength=BINS).tolist(),
    )


def peaks(values: NDArray[np.float32], symbols: Sequence[str], *, sign: int = 1) -> list[Peak]:
    """The places where sign · values (N,) are largest, the largest first, no two of them within
    `PEAK_DISTANCE` characters."""
    found: list[Peak] = []
    left = sign * values.astype(np.float64)
    while len(found) < MOST_PEAKS and np.isfinite(left).any():
        place = int(left.argmax())
        found.append(
            Peak(
                value=float(values[place]),
                before="".join(symbols[max(0, place - PEAK_CONTEXT) : place]),
                character=symbols[place],
                after="".join(symbols[place + 1 : place + 1 + PEAK_CONTEXT]),
            )
        )
        left[max(0, place - PEAK_DISTANCE) : place + PEAK_DISTANCE + 1] = -np.inf
    return found


def saturation(model: Model, ids: IdArray) -> list[Saturation]:
    """How often the gates of each unit are closed and open while the network reads `ids` (N,)."""
    config = model.network.config
    gates = [name for name in config.cell_type.states if name in GATE_STATES]
    states = read(model.network, ids, gates).states
    return [
        Saturation(
            layer,
            gate,
            (states[gate][layer] < CLOSED).mean(axis=0),
            (states[gate][layer] > OPEN).mean(axis=0),
        )
        for layer in range(config.layers)
        for gate in gates
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
