"""Which characters, in which contexts, move a cell most, and by which of its gates.

A move is the change of a cell's value (from −1 to 1) from one character to the next. Characters are
grouped by what they are and by what stands before them. A group is worth n·m², for n moves of mean
m: the share of the squared moves that it explains. The best group is taken first, and what it
covers does not count for the next one.

The gate of a switch is found by holding one gate at a time at its mean pre-activation at just these
characters: the one without which most of the mean move is gone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.neurons.explain.gates import FORGET_GATE, gate_blocks
from charrnn.neurons.explain.recording import Recording
from charrnn.neurons.explain.replay import UnitsAlone, pre_activations
from charrnn.neurons.explain.symbol_groups import Group, PairTable, Sets
from charrnn.text.streams import Positions

MOST_SWITCHES = 3
"""Of each direction."""
FEWEST_MOVES = 20
"""Occurrences of a group in the text on which switches are looked for, at least."""
FEWEST_UNSEEN = 5
SMALLEST_MOVE = 0.5
"""Mean move of a switch, at least, in standard deviations of the cell's value."""
SIMPLER = 0.8
"""A larger group is preferred that is worth this share of the best one."""
SMALLEST_GATE_SHARE = 0.5
"""Of a move that is gone without a gate, at least, for the gate to be named."""


@dataclass(frozen=True)
class Switch:
    """Characters that move a cell: `at` which, and their mean `move` on unseen text, where there
    were `count` of them.

    `gate` is the gate that does it, "" if no single one does, and `gate_share` how much of the move
    is gone without the most important one. A cell `forgets` where its forget gate moves it towards
    0 from either side; the move is then that of the size of its value.
    """

    at: str
    move: float
    count: int
    gate: str
    gate_share: float
    forgets: bool

    def in_words(self) -> str:
        """For example: rises at ‘"’ after a space by 1.21 (input gate)."""
        if self.forgets:
            return f"forgets {self.at} (its size falls by {-self.move:.2f})"
        verb = "rises" if self.move > 0 else "falls"
        gate = f" ({self.gate})" if self.gate else ""
        return f"{verb} {self.at} by {abs(self.move):.2f}{gate}"


def switches(
    learned: NDArray[np.floating],
    ids: NDArray[np.integer],
    unseen: Recording,
    places: Positions,
    cell: tuple[int, int],
    sets: Sets,
) -> list[tuple[Switch, Group]]:
    """What moves a cell (layer, unit): where it forgets, where it rises and where it falls, each
    with its group of characters.

    The groups are found by its values `learned` (N,) at the symbols `ids` (N,) of one text; all
    figures come from some `places` ≥ 1 of an `unseen` recording.
    """
    gates = _Gates(unseen, cell, places)
    smallest = SMALLEST_MOVE * float(learned.std())
    found: list[tuple[Switch, Group]] = []
    forgotten: set[str] = set()
    for forgets, sign in ((True, -1), (False, 1), (False, -1)):
        moves = np.diff(np.abs(learned) if forgets else learned)
        table = PairTable(ids[:-1], ids[1:], moves, sets.members.shape[1])
        for group in table.best_groups(
            sets, sign, most=MOST_SWITCHES, fewest=FEWEST_MOVES, smallest=smallest, simpler=SIMPLER
        ):
            switch = gates.switch(group, forgets=forgets)
            if switch is None or switch.forgets != forgets or group.name in forgotten:
                continue
            if sign * switch.move < smallest:
                continue  # not on unseen text
            if forgets:
                forgotten.add(group.name)
            found.append((switch, group))
    return found


class _Gates:
    """How a cell moves at some places ≥ 1 of a recording, and how without one of its gates."""

    def __init__(self, recording: Recording, cell: tuple[int, int], places: Positions) -> None:
        self._recording, self._layer, self._unit = recording, cell[0], np.array([cell[1]])
        self._places = places
        self._before = recording.values(*cell)[places - 1]
        self._a = pre_activations(recording, self._layer, self._unit, places)  # (K, 1, n)
        self._blocks = gate_blocks(recording.network)

    def switch(self, group: Group, *, forgets: bool) -> Switch | None:
        """The switch at a group of characters; None where it is too rare. Its move is that of the
        value, or of the value's size if the question is whether it `forgets`."""
        ids = self._recording.ids
        rows = np.flatnonzero(group.holds(ids[self._places - 1], ids[self._places]))
        if len(rows) < FEWEST_UNSEEN:
            return None
        move = self._mean_move(rows, [], size=forgets)
        if move == 0:
            return None
        gone = {
            name: 1 - self._mean_move(rows, blocks, size=forgets) / move
            for name, blocks in self._blocks.items()
        }
        gate = max(gone, key=lambda name: gone[name], default="")
        share = gone.get(gate, 0.0)
        if share < SMALLEST_GATE_SHARE:
            gate = ""
        return Switch(group.name, move, len(rows), gate, share, forgets and gate == FORGET_GATE)

    def _mean_move(self, rows: Positions, blocks: list[int], *, size: bool) -> float:
        """The mean move at some of the places, with these blocks of the pre-activations at their
        means over all of them."""
        a = self._a[:, :, rows].copy()
        for block in blocks:
            a[block] = self._a[block].mean()
        alone = UnitsAlone(self._recording, self._layer, self._unit, self._places[rows])
        after, before = alone.step(a)[0], self._before[rows]
        if size:
            after, before = np.abs(after), np.abs(before)
        return float((after - before).mean(dtype=np.float64))
