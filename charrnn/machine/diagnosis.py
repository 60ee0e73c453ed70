"""What decides how fast this machine trains, and what might be amiss with it."""

import os
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median

import numpy as np
from threadpoolctl import threadpool_info

from charrnn.machine.blas import has_small_products, one_thread

VARIABLE = "OPENBLAS_CORETYPE"
"""Where a user names the kernels that OpenBLAS is to use."""
AVX512 = {"avx512f", "avx512bw", "avx512dq", "avx512vl"}
"""What the kernels for AVX-512 need of a processor."""
SIZE = 1024
SLOW = 60e9
"""Floating-point operations a second, below which a thread of a processor with AVX-512 is far
from what it could do (seen: 110 to 120 billion with the kernels for AVX2, 230 with its own)."""
CPUINFO = Path("/proc/cpuinfo")


def product_speed(rounds: int = 9) -> float:
    """Floating-point operations a second of a float32 product on one thread: the median of some."""
    a, b = np.random.default_rng(1).standard_normal((2, SIZE, SIZE), np.float32)
    out, times = np.empty_like(a), []
    with one_thread():
        for _ in range(rounds + 1):
            start = time.perf_counter()
            np.matmul(a, b, out=out)
            times.append(time.perf_counter() - start)
    return 2 * SIZE**3 / median(times[1:])


@cache
def has_avx512() -> bool:
    """Whether the processor can do what the kernels for AVX-512 need; no where it does not say."""
    try:
        lines = CPUINFO.read_text().splitlines()
    except OSError:
        return False
    flags = next((line.partition(":")[2] for line in lines if line.startswith("flags")), "")
    return set(flags.split()) >= AVX512


def libraries() -> list[str]:
    """The libraries that do NumPy's products, each with its kernels and threads, in words."""
    return [
        f"{library['internal_api']} {library.get('version') or ''}, kernels for "
        f"{library.get('architecture', 'a processor it does not name')}, threads "
        f"{library['num_threads']}"
        for library in threadpool_info()
        if library["user_api"] == "blas"
    ]


def warnings(speed: float) -> Iterator[str]:
    """What makes this machine slower than it could be, each with the remedy; `speed` is that of
    `product_speed`."""
    if not libraries():
        yield "the library of NumPy's products is unknown: everything works, but may be slow"
    elif has_avx512() and not has_small_products():
        remedy = (
            f"unset {VARIABLE}, which names these"
            if os.environ.get(VARIABLE)
            else f"install a newer NumPy, or set {VARIABLE}=SkylakeX"
        )
        yield (
            "the processor has AVX-512, and the products do not use it, which about halves their "
            f"speed: {remedy}"
        )
    if has_avx512() and speed < SLOW:
        yield "products are far slower than such a processor's can be: look for what else runs here"
