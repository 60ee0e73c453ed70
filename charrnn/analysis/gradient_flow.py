"""How far back the gradient reaches: the theme of vanishing and exploding gradients.

    ‖∂ loss(t) / ∂ h(t − k)‖        for k = 0 … K

is what the loss of one symbol tells the units of k steps before. Where it fades quickly, nothing
that was long ago can be learned (Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013).
"""

import numpy as np
from numpy.typing import NDArray

from charrnn.nn.network import Network
from charrnn.text.batches import spread
from charrnn.training.evaluation import EVALUATION_WARM_UP as WARM_UP
from charrnn.types import IdArray

STREAMS = 64


def gradient_flow(network: Network, ids: IdArray, reach: int) -> NDArray[np.float64]:
    """The norms (L, K + 1) for K = `reach`, from k = 0 on: means over `STREAMS` places that are
    spread evenly over the text `ids` (N,), each read from `WARM_UP` symbols before.

    Raises ValueError where N is too small: at least K + 2 symbols are needed.
    """
    T = reach + 1
    if len(ids) < T + 1:
        raise ValueError(f"{T + 1} symbols are needed, not {len(ids)}")
    warm_up = min(WARM_UP, len(ids) - T - 1) // T * T  # in whole windows
    places = len(ids) - (warm_up + T)
    starts = spread(places, min(STREAMS, places))[:-1]
    B = len(starts)
    workspace = network.workspace(T, B, training=True)
    steps = np.arange(T)[:, np.newaxis]
    for start in range(0, warm_up, T):
        workspace.forward(ids[starts + start + steps])
    inputs = starts + warm_up + steps
    workspace.losses(ids[inputs], ids[inputs + 1])
    of_last_step = np.zeros((T, B), network.parameters.flat.dtype)
    of_last_step[-1] = 1
    config = network.config
    dH = np.zeros((config.layers, config.hidden_size, T, B), of_last_step.dtype)
    workspace.backward(network.parameters.zeros_like(), of_last_step.reshape(-1), dH)
    norms: NDArray[np.float64] = np.sqrt(np.square(dH, dtype=np.float64).sum(axis=1)).mean(axis=-1)
    return norms[:, ::-1]
