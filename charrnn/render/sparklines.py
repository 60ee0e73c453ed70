"""Rows of numbers as bars in a line of text."""

import math
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], low: float | None = None, high: float | None = None) -> str:
    """One bar for each value, scaled from `low` to `high`, or else from the smallest to the largest
    value; a space where a value is not finite.

    >>> sparkline([0, 1, 2, 4, 8])
    '▁▂▃▄█'
    >>> sparkline([-1, 0.5], 0, 1)
    '▁▅'
    """
    return "".join(
        BLOCKS[int(share * (len(BLOCKS) - 1) + 0.5)] if math.isfinite(share) else " "
        for share in shares(values, low, high)
    )


def shares(values: Sequence[float], low: float | None, high: float | None) -> list[float]:
    """Where each value lies between the lowest (0) and the highest (1); NaN if it is not finite."""
    finite = [value for value in values if math.isfinite(value)]
    low = min(finite, default=0.0) if low is None else low
    high = max(finite, default=0.0) if high is None else high
    scale = 1 / (high - low) if high > low else 0.0
    return [
        min(max((value - low) * scale, 0.0), 1.0) if math.isfinite(value) else math.nan
        for value in values
    ]
