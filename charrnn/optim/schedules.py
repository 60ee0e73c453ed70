"""The learning rate over a run, as a share of its peak."""

import math
from collections.abc import Callable

from charrnn import registries
from charrnn.registries import Registry

WARM_UP = 0.05
"""The share of the run in which the cosine climbs to its peak."""
FINAL = 0.02
"""Where the cosine ends."""
DECAY, CONSTANT_EPOCHS = 0.97, 9
"""The steps of char-rnn: so much is left after each epoch, once so many are over."""


def cosine(progress: float, epoch: float) -> float:
    """A straight climb from `FINAL` to 1, then half a cosine down again (Loshchilov & Hutter 2017,
    without restarts)."""
    progress = min(max(progress, 0.0), 1.0)
    if progress < WARM_UP:
        share = progress / WARM_UP
    else:
        share = 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))
    return FINAL + (1 - FINAL) * share


def step(progress: float, epoch: float) -> float:
    """1, and × `DECAY` with every epoch from the tenth on (Karpathy 2015)."""
    return DECAY ** max(0, math.floor(epoch) - CONSTANT_EPOCHS)


def constant(progress: float, epoch: float) -> float:
    """1. The plateau has it as well: the loss halves its rate, not the course of the run."""
    return 1.0


SCHEDULES: Registry[Callable[[float, float], float]] = Registry(registries.SCHEDULES)
"""By name, functions from the progress of a run (0 … 1) and the number of completed epochs to a
share of the peak learning rate."""
