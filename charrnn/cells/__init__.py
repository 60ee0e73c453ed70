"""The cells: one file each, with only its pointwise equations, forward and backward.

What every cell shares (products with weights, the loop over time, the sums over a window) stands in
`charrnn.layer`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from charrnn.cells.cell import Cell, Room, Units
from charrnn.cells.gru import GRU
from charrnn.cells.lstm import LSTM
from charrnn.cells.lstm_coupled import CoupledLSTM
from charrnn.cells.lstm_peephole import PeepholeLSTM
from charrnn.cells.rnn import RNN

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
