"""From what was found to what is shown of it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from charrnn.analysis.activations import Reading, read
from charrnn.model import Model
from charrnn.neurons.claims import Finding
from charrnn.neurons.features.registry import Feature
from charrnn.neurons.report import (
    Claim,
    Effect,
    FeatureTrack,
    Moment,
    Report,
    Saturation,
    ShownUnit,
)
from charrnn.neurons.scores import Floats
from charrnn.neurons.search import Search, characters, tracks_of
from charrnn.nn.parameters import digest
from charrnn.text.display import shown, shown_byte
from charrnn.types import IdArray

BINS = 40
"""Of a histogram from −1 to 1."""
MOMENTS = 10
"""The highest, and the lowest, that are shown."""
EPISODE = 60
"""Characters between two of them, at least."""
CONTEXT = 24
"""Characters that are shown before and after a moment."""
GATES = ("i", "f", "o", "z", "r")
"""States between 0 and 1."""
SATURATION_CHARACTERS = 20_000
LOW, HIGH = 0.1, 0.9
"""Where a gate counts as shut and as open (Karpathy, Johnson & Fei-Fei 2015)."""


def in_unit_range(values: NDArray[np.float32], state: str) -> NDArray[np.float32]:
    """What is shown of a state, between −1 and 1: tanh(c), and 2·x − 1 of a gate."""
    if state == "c":
        return np.tanh(values)
    return values * 2 - 1 if state in GATES else values


def symbols_shown(model: Model, ids: IdArray) -> list[str]:
    """Each symbol of `ids` (N,) as it is shown."""
    name = shown_byte if model.vocabulary.is_bytes else lambda code: shown(chr(code))
    table = [name(code) for code in model.vocabulary.symbols.tolist()]
    return [table[id] for id in ids]


def exhibit(
    model: Model,
    ids: IdArray,
    part: slice,
    units: Sequence[tuple[int, int]],
    *,
    state: str,
    found: Search | None,
    features: Sequence[Feature],
    title: str,
    notes: Sequence[str] = (),
    palette: str,
) -> Report:
    """The report on the `part` of the text `ids` (N,), with the values of some `units` (layer,
    unit), and of all that was found."""
    reading = read(model.network, ids[part], (state,), before=ids[: part.start], predictions=True)
    text = characters(model, ids)
    flags, numbers = (track[part] for track in tracks_of(text, features))
    tracks: Floats = np.hstack([flags.astype(np.float32), numbers])
    of_unit = {} if found is None else {found.place(x.unit): x for x in found.findings.units}
    second = part if found is None else found.halves[1]
    half = read(model.network, ids[second], (state,), before=ids[: second.start]).states[state]
    values = in_unit_range(reading.states[state], state)
    half = in_unit_range(half, state)
    names = [feature.name for feature in features]
    all_symbols = symbols_shown(model, ids)
    flags_of_half = tracks_of(text, features)[0][second]

    def shown_unit(layer: int, unit: int) -> ShownUnit:
        finding = of_unit.get((layer, unit))
        flag = None
        if finding is not None and finding.feature.kind == "flag":
            flag = flags_of_half[:, names.index(finding.feature.name)]
        on, off = histograms(half[layer, :, unit], flag)
        symbols = all_symbols[second]
        return ShownUnit(
            layer=layer,
            unit=unit,
            values=values[layer, :, unit],
            claim=None if finding is None or found is None else claim(finding, found),
            histogram_on=on,
            histogram_off=off,
            highest=moments(half[layer, :, unit], symbols),
            lowest=moments(-half[layer, :, unit], symbols, sign=-1),
        )

    return Report(
        title=title,
        model=described(model),
        state="tanh(c)" if state == "c" else state,
        characters=all_symbols[part],
        ends_line=[character == "\n" for character in text[part]],
        predictions=named_predictions(model, reading),
        units=[shown_unit(layer, unit) for layer, unit in units],
        features=[
            FeatureTrack(feature.name, feature.kind, feature.description, tracks[:, n])
            for n, feature in enumerate(features)
        ],
        table=[(*found.place(x.unit), claim(x, found)) for x in found.ranked()] if found else [],
        saturation=saturation(model, ids[second][:SATURATION_CHARACTERS]),
        explained=found.findings.explained if found else 0.0,
        notes=list(notes),
        palette=palette,
        weights_sha256=digest(model.network.parameters.flat),
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
    """What a finding, with its effect, says to people."""
    effect = found.effects.get(finding.unit)
    return Claim(
        feature=finding.feature.name,
        kind=finding.feature.kind,
        score=finding.score,
        within_character=finding.within,
        iou=finding.overlap,
        p=finding.p,
        twins=finding.twins,
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


def moments(values: NDArray[np.float32], symbols: Sequence[str], *, sign: int = 1) -> list[Moment]:
    """The places where the values (N,) are largest, the largest first, none of them within
    `EPISODE` characters of another; `sign` is given back to the values."""
    found: list[Moment] = []
    left = values.astype(np.float64)
    while len(found) < MOMENTS and np.isfinite(left).any():
        place = int(left.argmax())
        found.append(
            Moment(
                value=sign * float(values[place]),
                before="".join(symbols[max(0, place - CONTEXT) : place]),
                character=symbols[place],
                after="".join(symbols[place + 1 : place + 1 + CONTEXT]),
            )
        )
        left[max(0, place - EPISODE) : place + EPISODE + 1] = -np.inf
    return found


def saturation(model: Model, ids: IdArray) -> list[Saturation]:
    """How often the gates of each unit are shut and open while the network reads `ids` (N,)."""
    config = model.network.config
    gates = [name for name in config.cell_type.states if name in GATES]
    states = read(model.network, ids, gates).states
    return [
        Saturation(
            layer,
            gate,
            (states[gate][layer] < LOW).mean(axis=0),
            (states[gate][layer] > HIGH).mean(axis=0),
        )
        for layer in range(config.layers)
        for gate in gates
    ]


def liveliest(track: NDArray[np.generic], length: int) -> slice:
    """The part of at most `length` characters in which a flag (N,) is on as nearly half of the time
    as can be; the beginning for a number."""
    N = len(track)
    if length >= N or track.dtype != np.bool_:
        return slice(0, min(N, length))
    on = np.concatenate([[0], np.cumsum(track)])
    share = (on[length:] - on[:-length]) / length
    start = int(np.abs(share - 0.5).argmin())
    return slice(start, start + length)
