"""What a network did while it read a part of a text: the state of every unit at every character."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from charrnn.analysis.activations import read
from charrnn.errors import CorpusError
from charrnn.nn.network import Network
from charrnn.text.streams import Positions
from charrnn.types import Array, IdArray

LONGEST_PIECE = 40_000
"""Characters that are read of each half, at most: they bound time and memory."""
ROUNDS = 6
"""Times that the second half is cut into a piece for choosing and a piece that is unseen."""
CHOSEN_SHARE = 0.3
"""Of a round, for choosing."""
SHORTEST_HALF = 20_000
"""Characters of each half, at least."""
EVERY = 2
"""Of the first half, every second character is used: neighbours tell much the same."""
SMALLEST_SPREAD = 0.05
"""Standard deviation of a cell's values, below which it is saturated."""
GAP = 500
"""Characters between two pieces, which are left out, so that a cell forgets the one before."""


@dataclass(frozen=True)
class Parts:
    """Three parts of a text, as places in it (n,).

    On `learned` rules are grown and switches are found, on `chosen` one of several rules or
    connections is picked; on `unseen` nothing is chosen: all figures come from there. `read` is the
    piece of the text that has the last two.
    """

    learned: Positions
    chosen: Positions
    unseen: Positions
    read: slice

    @property
    def learned_piece(self) -> slice:
        """The piece of the text that has the first part."""
        return slice(int(self.learned[0]), int(self.learned[-1]) + 1)

    def within(self, places: Positions) -> Positions:
        """Places of the text as places of the piece `read`."""
        found: Positions = places - self.read.start
        return found

    @classmethod
    def of(cls, first: slice, second: slice) -> "Parts":
        """The parts of a text whose halves a search has used. What is learned comes from the first
        half. The second half is shared out in `ROUNDS` rounds, so that both of its parts have
        something of everywhere. Raises CorpusError for halves that are too short."""
        begin, end = second.start, min(second.stop, second.start + LONGEST_PIECE)
        chosen, unseen = [], []
        for start, stop in pairwise(np.linspace(begin, end, ROUNDS + 1).astype(np.intp).tolist()):
            middle = start + int(CHOSEN_SHARE * (stop - start))
            chosen.append(np.arange(start + 1, middle))
            unseen.append(np.arange(middle + GAP, stop - GAP))
        if end - begin < SHORTEST_HALF:
            raise CorpusError(
                f"the text is too short to explain cells: its second half has {end - begin:,} "
                f"characters, and {SHORTEST_HALF:,} are needed; give a longer `text`"
            )
        return cls(
            learned=np.arange(max(first.start, first.stop - LONGEST_PIECE), first.stop, EVERY),
            chosen=np.concatenate(chosen),
            unseen=np.concatenate(unseen),
            read=slice(begin, end),
        )


@dataclass(frozen=True)
class Recording:
    """What `network` did while it read the symbols `ids` (N,).

    `h` (L, N, H) is the output of each layer after each symbol, and `memory` (L, N, H) the state
    that its cells carry: c where they have one, else h.
    """

    network: Network
    ids: IdArray
    h: NDArray[np.float32]
    memory: NDArray[np.float32]

    @classmethod
    def of(cls, network: Network, ids: IdArray, part: slice) -> "Recording":
        """Of a part of the text `ids`, which was read from its beginning."""
        name = memory_name(network)
        names = tuple(dict.fromkeys(("h", name)))
        states = read(network, ids[part], names, before=ids[: part.start], losses=False).states
        return cls(network, ids[part], states["h"], states[name])

    def values(self, layer: int, unit: int) -> NDArray[np.float32]:
        """The values (N,) of a unit as they are shown, from −1 to 1: tanh(c), or h."""
        return shown(self.network, self.memory[layer, :, unit])


def memory_name(network: Network) -> str:
    """The state that the cells of a network carry from one symbol to the next: "c", or "h"."""
    return network.config.cell_type.memory_state


def shown(network: Network, memory: Array) -> Array:
    """Memories as they are shown, from −1 to 1: tanh(c), or h itself."""
    return np.tanh(memory) if memory_name(network) == "c" else memory


def is_saturated(values: NDArray[np.floating]) -> bool:
    """Whether the values (N,) of a cell, from −1 to 1, hardly change: only its c does."""
    return float(values.std()) < SMALLEST_SPREAD
