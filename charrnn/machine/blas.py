"""Threads and kernels of NumPy's linear algebra library (BLAS)."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache


def one_thread() -> AbstractContextManager[object]:
    """A context in which every matrix product of the process runs on the calling thread only.

    The batch is divided among charrnn's own workers; products with threads of their own would
    compete with them for the processors.
    """
    import numpy  # noqa: F401  # only libraries that are loaded can be limited
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


@dataclass(frozen=True)
class Library:
    """A library of linear algebra that is loaded: its version, the processor that its kernels are
    made for, where it says so, and its threads."""

    name: str
    version: str
    kernels: str
    threads: int


def libraries() -> list[Library]:
    """Those that are loaded and known: not Accelerate on macOS, for example."""
    from threadpoolctl import threadpool_info

    return [
        Library(
            found["internal_api"],
            found.get("version") or "",
            found.get("architecture") or "",
            found["num_threads"],
        )
        for found in threadpool_info()
        if found["user_api"] == "blas"
    ]


@cache
def has_small_products() -> bool:
    """Whether the library multiplies small matrices without packing them first, as OpenBLAS does on
    processors with AVX-512."""
    kinds = {"SkylakeX", "Cooperlake", "SapphireRapids"}
    return any(library.kernels in kinds for library in libraries())
