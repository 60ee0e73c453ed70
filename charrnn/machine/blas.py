"""Threads and kernels of the linear algebra library under NumPy."""

from contextlib import AbstractContextManager
from functools import cache


def one_thread() -> AbstractContextManager[object]:
    """A context in which every product of the process runs on the one thread that calls it.

    The batch is shared out among threads of our own, and a product that spreads over all processors
    by itself would only get in their way.
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
