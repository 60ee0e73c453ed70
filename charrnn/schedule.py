"""The learning rate over a run."""

import math

WARM_UP = 0.05
"""The share of the run in which the rate climbs to its peak."""
FINAL = 0.02
"""The rate at the end of the run, as a share of the peak."""


def cosine(peak: float, progress: float) -> float:
    """The learning rate when `progress` (0 … 1) of the run is over: a straight climb from
    `FINAL` · peak to the peak, then half a cosine down again (Loshchilov & Hutter 2017, without
    restarts)."""
    progress = min(max(progress, 0.0), 1.0)
    if progress < WARM_UP:
        share = progress / WARM_UP
    else:
        share = 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))
    return peak * (FINAL + (1 - FINAL) * share)
