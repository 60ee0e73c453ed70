"""Threads of the linear algebra library under NumPy."""

from contextlib import AbstractContextManager, nullcontext

MANY_STREAMS = 16
"""From so many streams on, the products of sampling gain by several threads."""


def one_thread() -> AbstractContextManager[object]:
    """A context in which every product of the process runs on the one thread that calls it.

    The batch is shared out among threads of our own, and a product that spreads over all processors
    by itself would only get in their way.
    """
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


def threads_for_sampling(streams: int) -> AbstractContextManager[object]:
    """A context for products with so many columns, one after another: one thread where they are
    over before a second one could begin, else what the library has."""
    return one_thread() if streams < MANY_STREAMS else nullcontext()
