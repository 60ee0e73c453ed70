"""The cells: one file each, with only its pointwise equations, forward and backward.

What every cell shares (products with weights, the loop over time, the sums over a window) stands in
`charrnn.nn.layer`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from charrnn.nn.cells.cell import Cell, Room, Units
from charrnn.nn.cells.gru import GRU
from charrnn.nn.cells.lstm import LSTM
from charrnn.nn.cells.lstm_coupled import CoupledLSTM
from charrnn.nn.cells.lstm_peephole import PeepholeLSTM
from charrnn.nn.cells.rnn import RNN

__all__ = ["CELLS", "Cell", "Room", "Units"]

CELLS: Mapping[str, type[Cell]] = MappingProxyType(
    {
        "rnn": RNN,
        "lstm": LSTM,
        "lstm-peephole": PeepholeLSTM,
        "lstm-coupled": CoupledLSTM,
        "gru": GRU,
    }
)
