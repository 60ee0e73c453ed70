"""What decides how fast this machine trains, and what makes it slower than it could be.

Nothing is compared with figures of another machine: the kernels in use are held against the
instructions that the processor has, and the speed of large products against that of small ones.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import numpy as np

from charrnn.machine.activation import has_fast_tanh, numpy_instructions
from charrnn.machine.blas import has_small_products, libraries, one_thread

VARIABLE = "OPENBLAS_CORETYPE"
"""The environment variable that names the kernels OpenBLAS is to use."""
CPUINFO = Path("/proc/cpuinfo")
SMALL, LARGE = 256, 1024
"""Rows of the square matrices that are multiplied: three small ones have 0.8 MB and stay in the
cache of a core, three large ones have 13 MB and do not."""
EXPECTED_SHARE = 0.6
"""Of the speed of small products, what large ones reach at least on a processor with nothing else
to do."""


@dataclass(frozen=True)
class Instructions:
    """Vector instructions, the flags of a processor that has them, and the OpenBLAS kernels that
    use them, the most usual first."""

    name: str
    flags: frozenset[str]
    kernels: tuple[str, ...]


INSTRUCTIONS = (
    Instructions(
        "AVX-512",
        frozenset({"avx512f", "avx512bw", "avx512dq", "avx512vl"}),
        ("SkylakeX", "Cooperlake", "SapphireRapids"),
    ),
    Instructions("AVX2", frozenset({"avx2", "fma"}), ("Haswell", "Zen", "Excavator")),
)
"""The fastest first."""


@dataclass(frozen=True)
class ProductSpeed:
    """Floating-point operations a second of float32 products on one thread: `peak` is the best of
    many small ones, `usual` the median of some large ones."""

    peak: float
    usual: float


def product_speed(rounds: int = 9) -> ProductSpeed:
    """Measure products for about a second."""
    with one_thread():
        small, large = _product_times(SMALL, 10 * rounds), _product_times(LARGE, rounds)
    return ProductSpeed(2 * SMALL**3 / min(small), 2 * LARGE**3 / median(large))


def _product_times(size: int, rounds: int) -> list[float]:
    """Seconds of each of `rounds` products of two matrices (size, size)."""
    a, b = np.random.default_rng(1).standard_normal((2, size, size), np.float32)
    out, times = np.empty_like(a), []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        np.matmul(a, b, out=out)
        times.append(time.perf_counter() - start)
    return times[1:]  # the first one starts threads and fills the cache


@cache
def processor_flags() -> frozenset[str]:
    """The names of what the processor can do; none where the system does not say."""
    try:
        lines = CPUINFO.read_text().splitlines()
    except OSError:
        return frozenset()
    flags = next((line.partition(":")[2] for line in lines if line.startswith("flags")), "")
    return frozenset(flags.split())


def choices() -> Iterator[str]:
    """What charrnn computes with, and the ways that it has chosen for this machine, in words."""
    for library in libraries():
        kernels = library.kernels or "a processor it does not name"
        yield (
            f"products: {library.name} {library.version}, kernels for {kernels}, "
            f"threads {library.threads}"
        )
    how = "in tiles, without packing" if has_small_products() else "whole"
    yield f"products within the loop over time: {how}"
    yield f"sigmoids: by {'tanh' if has_fast_tanh() else 'exp'}, with {numpy_instructions()}"


def warnings(speed: ProductSpeed) -> Iterator[str]:
    """What makes this machine slower than it could be, each with the remedy."""
    best = next((each for each in INSTRUCTIONS if each.flags <= processor_flags()), None)
    kernels = {library.kernels for library in libraries()} - {""}
    if not libraries():
        yield "the library of NumPy's products is unknown: everything works, but may be slow"
    elif best is not None and kernels and kernels.isdisjoint(best.kernels):
        remedy = (
            f"unset {VARIABLE}, which names other kernels"
            if os.environ.get(VARIABLE)
            else f"install a newer NumPy, or set {VARIABLE}={best.kernels[0]}"
        )
        yield f"the processor has {best.name}, and matrix products do not use it: {remedy}"
    if speed.usual < EXPECTED_SHARE * speed.peak:
        yield (
            f"large products reach {speed.usual / speed.peak:.0%} of the speed of small ones: "
            "look for other programs that use the processors or the memory"
        )
