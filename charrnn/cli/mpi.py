"""The command line in several processes at once, which mpiexec has started: rank 0 speaks."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

import charrnn
from charrnn.errors import OptionError
from charrnn.options import TrainingOptions
from charrnn.training.parallel.launch import bound_blas, launched_rank

if TYPE_CHECKING:
    from charrnn.training.parallel.group import Group

DEFAULTS = TrainingOptions()


def mpi_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a training that several processes share."""
    mpi = click.option(
        "--mpi",
        is_flag=True,
        help="Share each batch with the other processes that mpiexec has started, on this machine "
        "or several; --threads is then the number of workers of each.",
    )
    sync_every = click.option(
        "--sync-every",
        type=int,
        default=DEFAULTS.sync_every,
        help="With --mpi, for slow networks: each process takes this many steps on its own streams "
        "before the weights of all are averaged (local SGD).",
    )
    compress = click.option(
        "--compress/--no-compress",
        default=DEFAULTS.compress,
        help="With --mpi, for slow networks: the processes send each other gradients in 16 bits "
        "(bfloat16), half the bytes.",
    )
    return mpi(sync_every(compress(command)))


@contextlib.contextmanager
def only_rank_0_speaks() -> Iterator[None]:
    """Send the standard error of the other ranks to nowhere: what is wrong with a command line is
    said once."""
    if launched_rank()[0] == 0:
        yield
        return
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        yield


def say(message: str) -> None:
    """A line on standard error, of any rank."""
    if sys.__stderr__ is not None:
        sys.__stderr__.write(f"charrnn: {' '.join(message.split())}\n")
        sys.__stderr__.flush()


@contextlib.contextmanager
def ranks(*, mpi: bool) -> Iterator["Group | None"]:
    """The group of all ranks, at rank 0; None without `mpi`. The other ranks serve rank 0, and
    exit."""
    rank, size = launched_rank()
    if not mpi:
        if size > 1:
            raise OptionError(
                f"mpiexec has started {size} trainings, which would all write one output: give "
                "`mpi` to let them share one training"
            )
        yield None
        return
    bound_blas()
    if rank > 0:  # signals are for rank 0, which ends the others
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    from charrnn.training.parallel.group import join_ranks

    with join_ranks(say, charrnn.__version__) as group:
        if group is not None:
            yield group
            return
    sys.exit(0)
