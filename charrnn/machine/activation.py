"""σ and tanh of the pre-activations of a step, in the way that suits the processor.

    by tanh   σ(x) = ½ + ½·tanh(x/2)    one call of tanh for all blocks
    by exp    σ(x) = 1 / (1 + e⁻ˣ)      where NumPy's tanh takes more than twice as long as its exp

Both are exact up to rounding, so a model gives the same results on any machine but for the last
bits.
"""

from functools import cache

import numpy as np
from numpy.typing import DTypeLike

from charrnn.types import Array

SLOW_TANH = ("AVX2", "X86_V3")
"""What NumPy calls its loops for AVX2, where tanh takes 2.1 to 2.3 times as long as exp. With
AVX-512 it is the faster one."""


@cache
def numpy_instructions() -> str:
    """The instructions that NumPy uses for tanh here, such as "X86_V4" (AVX-512); "unknown" where
    it does not say."""
    try:
        found = np.lib.introspect.opt_func_info(func_name="^tanh$", signature="float32")
        loops = [loop for of_type in found.values() for loop in of_type.values()]
        return ", ".join(loop["current"] for loop in loops) or "unknown"
    except (AttributeError, KeyError, TypeError, ValueError):  # its form may change
        return "unknown"


@cache
def has_fast_tanh() -> bool:
    """Whether σ by tanh is the faster way here."""
    return not any(name in numpy_instructions() for name in SLOW_TANH)


class Activation:
    """σ of some blocks of an array, and tanh of the others, in place."""

    def __init__(self, dtype: DTypeLike) -> None:
        # 0-d arrays: NumPy would convert a Python number in every call
        self._half, self._one = np.array(0.5, dtype), np.array(1.0, dtype)
        self._apply = self._by_tanh if has_fast_tanh() else self._by_exp

    def __call__(self, a: Array, sigmoids: int) -> None:
        """In place, σ of the first blocks of `a` (K, …), as many as `sigmoids`, and tanh of the
        others."""
        self._apply(a[:sigmoids], a)

    def _by_tanh(self, sigmoids: Array, a: Array) -> None:
        sigmoids *= self._half
        np.tanh(a, out=a)
        sigmoids *= self._half
        sigmoids += self._half

    def _by_exp(self, sigmoids: Array, a: Array) -> None:
        np.negative(sigmoids, out=sigmoids)
        with np.errstate(over="ignore"):  # where e⁻ˣ is infinite, σ is 0
            np.exp(sigmoids, out=sigmoids)
        sigmoids += self._one
        np.reciprocal(sigmoids, out=sigmoids)
        others = a[len(sigmoids) :]
        np.tanh(others, out=others)
