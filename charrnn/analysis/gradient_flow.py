"""How far back the gradient reaches: the theme of vanishing and exploding gradients.

    ‖∂ loss(t) / ∂ h(t − k)‖        for k = 0 … K

says how much the loss at one symbol depends on the hidden state of k steps before. Where it fades
quickly, the network cannot learn what depends on symbols that far back (Bengio, Simard & Frasconi
1994; Pascanu, Mikolov & Bengio 2013).
"""

import numpy as np
from numpy.typing import NDArray

from charrnn.nn.network import Network
from charrnn.nn.reading import warmed_up_state
from charrnn.text.streams import Streams
from charrnn.training.evaluation import EVALUATION_WARM_UP
from charrnn.types import IdArray

MOST_PLACES = 64


def gradient_flow(network: Network, ids: IdArray, reach: int) -> NDArray[np.float64]:
    """The norms (L, K + 1) for K = `reach`, from k = 0 on: means over `MOST_PLACES` places that are
    spread evenly over the text `ids` (N,), each after a warm-up of `EVALUATION_WARM_UP` symbols, or
    of as many as a short text has.

    Raises ValueError where N is too small: at least K + 2 symbols are needed.
    """
    T = reach + 1
    if len(ids) < T + 1:
        raise ValueError(f"{T + 1} symbols are needed, not {len(ids)}")
    warm_up = min(EVALUATION_WARM_UP, len(ids) - T - 1)
    streams = Streams.pieces(len(ids), min(MOST_PLACES, len(ids) - warm_up - T), T, warm_up)
    B = len(streams)
    workspace = network.workspace(T, B, training=True)
    workspace.state = warmed_up_state(network, ids, streams)
    inputs = streams.starts + np.arange(T)[:, np.newaxis]
    workspace.losses(ids[inputs], ids[inputs + 1])
    of_last_step = np.zeros((T, B), network.parameters.flat.dtype)
    of_last_step[-1] = 1
    config = network.config
    dH = np.zeros((config.layers, T, B, config.hidden_size), of_last_step.dtype)
    workspace.backward(network.parameters.zeros_like(), of_last_step.reshape(-1), dH)
    norms: NDArray[np.float64] = np.sqrt(np.square(dH, dtype=np.float64).sum(axis=-1)).mean(axis=-1)
    return norms[:, ::-1]
