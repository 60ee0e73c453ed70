"""The gates of a cell, in words."""

from collections.abc import Mapping

from charrnn.neurons.explain.recording import memory_name
from charrnn.nn.network import Network

FORGET_GATE = "forget gate"
GATE_NAMES: Mapping[str, str] = {
    "i": "input gate", "f": "forget gate", "g": "candidate", "o": "output gate",
    "z": "update gate", "r": "reset gate", "n": "candidate", "q": "candidate",
}  # fmt: skip


def gate_blocks(network: Network) -> dict[str, list[int]]:
    """The blocks of pre-activations of each gate, by its name in words; none for a cell that has
    nothing but one block. Two blocks have no part in what a unit carries: the output gate of a cell
    with a c, and what scales h."""
    cell = network.config.cell_type
    without_part = {"o"} if memory_name(network) == "c" else set()
    if cell.scales_h:
        without_part.add(cell.blocks[0])
    found: dict[str, list[int]] = {}
    for block, letter in enumerate(cell.blocks):
        if len(cell.blocks) > 1 and letter not in without_part:
            found.setdefault(GATE_NAMES.get(letter, f"gate {letter}"), []).append(block)
    return found
