"""What mpiexec tells the processes that it starts, to be asked before NumPy is loaded."""

import os
from collections.abc import Mapping

RANK_VARIABLES = (("PMI_RANK", "PMI_SIZE"), ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"))
"""Environment variables in which mpiexec (MPICH and its kin, Open MPI) tells a process its rank,
and the number of ranks."""
BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


def launched_rank(environment: Mapping[str, str] = os.environ) -> tuple[int, int]:
    """The rank of this process and the number of ranks, as mpiexec says; (0, 1) without it."""
    for rank, size in RANK_VARIABLES:
        if environment.get(rank, "").isdigit() and environment.get(size, "").isdigit():
            return int(environment[rank]), int(environment[size])
    return 0, 1


def bound_blas() -> None:
    """Let BLAS start no threads, which would all compete for the processors of a machine. It reads
    this when NumPy is loaded."""
    for name in BLAS_VARIABLES:
        os.environ.setdefault(name, "1")
