"""What a report shows of single units: values from −1 to 1, histograms, peaks, gates."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from charrnn.analysis.activations import read
from charrnn.model import Model
from charrnn.neurons.report import Peak, Saturation
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
CLOSED, OPEN = 0.1, 0.9
"""A gate counts as closed below the one, as open above the other (Karpathy, Johnson & Fei-Fei
2015)."""


def in_unit_range(values: NDArray[np.float32], state: str) -> NDArray[np.float32]:
    """A state as it is shown, between −1 and 1: tanh(c), and 2·x − 1 of a gate."""
    if state == "c":
        return np.tanh(values)
    return values * 2 - 1 if state in GATE_STATES else values


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
