"""Multiplicative LSTM, after Krause et al. (2016): an LSTM with m_t in place of h_{t−1},

    s_t = U_s·x_t + b_s        m_t = s_t ⊙ h_{t−1}

so that each input has recurrent weights of its own, W·diag(s_t). In Krause et al., m_t is
s_t ⊙ (W_m·h_{t−1}): leaving W_m out saves a second product in the loop over time.

The rows of U are in the gate order (s, o, i, f, g), those of W in the order (o, i, f, g). The layer
computes m_t, and from its gradient dm_t = Wᵀ·da

    ds_t = dm_t ⊙ h_{t−1}        dh_{t−1} = dm_t ⊙ s_t
"""

from typing import ClassVar

from charrnn.nn.cells.cell import Units
from charrnn.nn.cells.lstm import LSTM
from charrnn.types import Array


class MultiplicativeLSTM(LSTM):
    """The equations of a multiplicative LSTM layer, for T steps of B streams. Memory: as the LSTM.

    The first of its blocks is s; the equations are those of the other four.
    """

    gates: ClassVar[tuple[str, ...]] = ("s", *LSTM.gates)
    recurrent_gates: ClassVar[tuple[str, ...]] = LSTM.gates
    scales_h: ClassVar[bool] = True
    bias: ClassVar[tuple[float, ...]] = (0.0, *LSTM.bias)

    def hold(self, units: Units, streams: Units, values: Array, a: Array, h: Array) -> None:
        super().hold(units, streams, values, a[1:], h)

    def forward(self, t: int, a: Array, h_before: Array, h: Array) -> None:
        super().forward(t, a[1:], h_before, h)

    def backward(self, t: int, dh: Array, a: Array, da: Array) -> None:
        super().backward(t, dh, a[1:], da[1:])
