"""How long a cell remembers: the response to one changed character.

At some places of unseen text one character is changed into another one that is drawn from the
text. The network reads both versions, which go on with the same text. The response at distance k is
the mean of |v − v′|, v the cell's value in one version and v′ in the other. Its half-life is the
distance from its largest value to where it is half of that, on a straight line between two
characters.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.neurons.explain.recording import memory_name, shown
from charrnn.nn.network import Network
from charrnn.nn.reading import warmed_up_state
from charrnn.text.streams import Positions, Streams
from charrnn.types import IdArray

Floats = NDArray[np.float64]

PLACES = 40
"""Characters that are changed, for each cell."""
HORIZON = 200
"""Characters that are read after a change."""
WARM_UP = 200
"""Characters that are read before a change."""


@dataclass(frozen=True)
class Memory:
    """The half-life of a cell's response to a changed character, in characters, and the median of
    cells in the same layer of the untrained baseline; infinite if it is longer than `HORIZON`.

    `response` is the largest response, from 0 to 2.
    """

    half_life: float
    untrained: float
    response: float

    def in_words(self) -> str:
        """For example: half of a change is still felt after 34 characters (untrained cells: 2)."""
        return (
            f"half of a change is still felt after {_characters(self.half_life)} "
            f"(cells of untrained networks: {_number(self.untrained)})"
        )


def _characters(distance: float) -> str:
    plural = "" if distance == 1 else "s"
    return f"{_number(distance)} character{plural}"


def _number(distance: float) -> str:
    if np.isinf(distance):
        return f"more than {HORIZON}"
    return f"{distance:.1f}" if distance < 10 else f"{distance:.0f}"


def responses(network: Network, ids: IdArray, places: Positions, seed: int = 1) -> Floats:
    """The mean responses (L, H, `HORIZON`) of all units to changes at some places (n,) of a text,
    each at least `WARM_UP` from its beginning and `HORIZON` from its end. Memory: two workspaces of
    2·n streams."""
    config, n = network.config, len(places)
    workspace = network.workspace(1, 2 * n)
    state = warmed_up_state(network, ids, Streams(places - WARM_UP, places, places + 1))
    workspace.state = np.concatenate([state, state], axis=-1)
    carried = 1 if memory_name(network) == "c" else 0  # of a layer's states: h, then c
    found = np.empty((config.layers, config.hidden_size, HORIZON))
    for k in range(HORIZON):
        read = np.concatenate([ids[places + k], ids[places + k]])
        if k == 0:
            read[n:] = changed(ids, places, config.vocabulary_size, np.random.default_rng(seed))
        workspace.advance(read[np.newaxis])
        values = shown(network, workspace.state[:, carried])  # (L, H, 2·n)
        difference = np.abs(values[:, :, :n] - values[:, :, n:])
        found[:, :, k] = difference.mean(axis=2, dtype=np.float64)
    return found


def changed(ids: IdArray, places: Positions, symbols: int, rng: np.random.Generator) -> IdArray:
    """Other symbols for those at some places (n,), each drawn from the text."""
    drawn = ids[rng.integers(len(ids), size=len(places))]
    is_same = drawn == ids[places]
    return np.where(is_same, (drawn + 1) % symbols, drawn).astype(ids.dtype)


def half_life(response: Floats) -> float:
    """The half-life of a response (K,), in characters; infinite if it does not fall so far."""
    peak = int(response.argmax())
    half = response[peak] / 2
    below = np.flatnonzero(response[peak:] <= half)
    if len(below) == 0 or response[peak] == 0:
        return float("inf")
    end = peak + int(below[0])
    over = (response[end - 1] - half) / (response[end - 1] - response[end])
    return float(end - 1 + over - peak)


def spread_places(places: Positions, length: int) -> Positions:
    """At most `PLACES` of some places of a text, those that leave room for a warm-up and a horizon,
    as evenly as can be."""
    fitting = places[(places >= WARM_UP) & (places < length - HORIZON)]
    return fitting[np.linspace(0, len(fitting) - 1, min(PLACES, len(fitting))).astype(np.intp)]
