"""Threads and kernels of NumPy's linear algebra library (BLAS)."""

from contextlib import AbstractContextManager
from functools import cache


def one_thread() -> AbstractContextManager[object]:
    """A context in which every matrix product of the process runs on the calling thread only.

    The batch is divided among charrnn's own workers; products with threads of their own would
    compete with them for the processors.
    """
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


@cache
def has_small_products() -> bool:
    """Whether the library multiplies small matrices without packing them first, as OpenBLAS does on
    processors with AVX-512."""
    from threadpoolctl import threadpool_info

    kinds = {"SkylakeX", "Cooperlake", "SapphireRapids"}
    return any(library.get("architecture") in kinds for library in threadpool_info())


def libraries() -> list[str]:
    """The libraries of linear algebra that are loaded, each with its version and its kernels."""
    from threadpoolctl import threadpool_info

    return [
        f"{library['internal_api']} {library.get('version')} ({library.get('architecture')})"
        for library in threadpool_info()
        if library.get("user_api") == "blas"
    ]
