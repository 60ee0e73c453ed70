"""What moves a cell, and by which gate."""

import numpy as np
import pytest

import planted_cells
from charrnn.neurons.explain.gates import gate_blocks
from charrnn.neurons.explain.recording import Recording
from charrnn.neurons.explain.switches import Switch, switches
from charrnn.neurons.explain.symbol_groups import Sets
from charrnn.nn.cells import CELLS
from charrnn.nn.network import Network, NetworkConfig

LENGTH = 24_000


def found(network: Network, cell: tuple[int, int]) -> list[Switch]:
    symbols = planted_cells.vocabulary()
    ids = symbols.encode(planted_cells.text(2 * LENGTH))
    first = Recording.of(network, ids, slice(0, LENGTH))
    second = Recording.of(network, ids, slice(LENGTH, 2 * LENGTH))
    places = np.arange(1, LENGTH)
    sets = Sets.of(symbols)
    pairs = switches(first.values(*cell), first.ids, second, places, cell, sets)
    return [switch for switch, _ in pairs]


@pytest.mark.parametrize("layer", [0, 1])
def test_switches_of_a_planted_cell(layer: int) -> None:
    cell = planted_cells.FIRST if layer == 0 else planted_cells.SECOND
    forgets, rises = found(planted_cells.model(layer).network, cell)
    assert (forgets.at, forgets.gate, forgets.forgets) == ("at ‘”’", "forget gate", True)
    assert (rises.at, rises.gate, rises.forgets) == ("at ‘“’", "input gate", False)
    assert rises.move == pytest.approx(np.tanh(planted_cells.RISE), rel=0.1)
    assert forgets.move < -0.05
    assert rises.gate_share == pytest.approx(1, abs=0.1)
    text = planted_cells.text(2 * LENGTH)[LENGTH + 1 :]
    assert rises.count == text.count("“")
    assert forgets.count == text.count("”")
    assert rises.in_words() == f"rises at ‘“’ by {rises.move:.2f} (input gate)"
    assert forgets.in_words() == f"forgets at ‘”’ (its size falls by {-forgets.move:.2f})"


@pytest.mark.parametrize("cell", CELLS)
def test_every_kind_of_cell(cell: str) -> None:
    """A unit that hears nothing but one symbol, by its candidate."""
    symbols = planted_cells.vocabulary()
    config = NetworkConfig(symbols.size, 4, 1, cell)
    network = Network.create(config, np.random.default_rng(241))
    cell_type, weights = config.cell_type, network.parameters
    weights["W0"].reshape(len(cell_type.recurrent_gates), 4, 4)[:, 1] = 0
    U = weights["U0"].reshape(len(cell_type.gates), 4, -1)
    U[:, 1, :-1] = 0
    candidate = list(cell_type.blocks).index({"gru": "n", "rnn": "a"}.get(cell, "g"))
    U[candidate, 1, symbols.encode("d")[0]] = -3
    moved = found(network, (0, 1))
    falls = [switch for switch in moved if switch.move < 0 and not switch.forgets]
    assert falls[0].at == "at ‘d’"
    assert falls[0].gate == ("" if cell == "rnn" else "candidate")


def test_the_gates_of_each_kind() -> None:
    def names(cell: str) -> set[str]:
        return set(
            gate_blocks(Network.create(NetworkConfig(3, 2, 1, cell), np.random.default_rng()))
        )

    lstm = {"input gate", "forget gate", "candidate"}
    assert names("lstm") == names("lstm-peephole") == lstm
    assert names("lstm-coupled") == lstm - {"input gate"}
    assert names("gru") == {"update gate", "reset gate", "candidate"}
    assert names("rnn") == set()


def test_a_cell_that_does_not_move() -> None:
    network = planted_cells.model(0).network
    for gate in range(4):
        planted_cells.rows(network.parameters, planted_cells.FIRST, gate)[:] = 0
    assert found(network, planted_cells.FIRST) == []
