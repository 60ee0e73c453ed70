"""Numbers in 16 bits, for messages: bfloat16 is the upper half of a float32.

It has the range of a float32 and 8 bits of its 24 for the digits: rounding changes a number by at
most 1/256 of it. (float16 would need a scale, as most gradients are below its smallest numbers.)
"""

import numpy as np
from numpy.typing import NDArray

from charrnn.types import Array

Halves = NDArray[np.uint16]
"""The bits of bfloat16 numbers."""
BLOCK = 32768
"""Numbers at a time, whose intermediate results stay in the cache."""


def round_to_bfloat16(numbers: Array, out: Halves) -> None:
    """Round float32 numbers (N,) to the nearest bfloat16, of two equally near ones to the even one.
    What is not a number stays so."""
    for start in range(0, len(numbers), BLOCK):
        bits = numbers[start : start + BLOCK].view(np.uint32)
        upper = bits >> 16
        upper &= 1  # so that a tie goes to the even one
        upper += 0x7FFF
        upper += bits
        upper >>= 16
        out[start : start + BLOCK] = upper


def from_bfloat16(halves: Halves, out: Array) -> None:
    """The float32 numbers (N,) that bfloat16 ones are."""
    out.view(np.uint32)[:] = halves
    bits = out.view(np.uint32)
    bits <<= 16
