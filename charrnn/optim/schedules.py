"""Learning-rate schedules: the rate over a run, as a share of its peak."""

import math
from collections.abc import Callable

from charrnn import registries
from charrnn.registries import Registry

WARM_UP_SHARE = 0.05
"""The share of the run in which `cosine` rises to its peak."""
FINAL_SHARE = 0.02
"""The last value of `cosine`."""
DECAY, CONSTANT_EPOCHS = 0.97, 9
"""Those of char-rnn: a factor of 0.97 for each epoch after the first nine."""


def cosine(progress: float, epoch: float) -> float:
    """Linear warm-up from `FINAL_SHARE` to 1, then half a cosine back to it (Loshchilov &
    Hutter 2017, without restarts)."""
    progress = min(max(progress, 0.0), 1.0)
    if progress < WARM_UP_SHARE:
        share = progress / WARM_UP_SHARE
    else:
        share = 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP_SHARE) / (1 - WARM_UP_SHARE)))
    return FINAL_SHARE + (1 - FINAL_SHARE) * share


def step(progress: float, epoch: float) -> float:
    """1 for nine epochs, then `DECAY` times less in each epoch (Karpathy 2015)."""
    return DECAY ** max(0, math.floor(epoch) - CONSTANT_EPOCHS)


def constant(progress: float, epoch: float) -> float:
    """1 throughout. The plateau schedule uses it too: there the validation loss decides about the
    rate, not the progress of the run."""
    return 1.0


SCHEDULES: Registry[Callable[[float, float], float]] = Registry(registries.SCHEDULES)
"""By name, functions from the progress of a run (0 … 1) and the number of completed epochs to a
share of the peak learning rate."""
