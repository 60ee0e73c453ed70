"""What the ranks of a training run on: whether all compute alike, and have the processors."""

import os
import socket
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from charrnn.errors import OptionError
from charrnn.machine.activation import numpy_instructions
from charrnn.machine.blas import libraries


@dataclass(frozen=True)
class Machine:
    """The machine of a rank, and what it computes with."""

    host: str
    processors: frozenset[int]
    """Those that the rank may use."""
    version: str
    """Of charrnn."""
    numpy: str
    """Its version, and the instructions that it uses."""
    blas: str
    """The library of matrix products, its version and its kernels."""

    @classmethod
    def here(cls, version: str) -> "Machine":
        """That of this process."""
        affinity = getattr(os, "sched_getaffinity", None)
        numbers = affinity(0) if affinity else range(os.cpu_count() or 1)
        return cls(
            socket.gethostname(),
            frozenset(numbers),
            version,
            f"{np.__version__} ({numpy_instructions()})",
            ", ".join(
                sorted(f"{each.name} {each.version} ({each.kernels})" for each in libraries())
            ),
        )


def usual_threads(machines: Sequence[Machine]) -> int:
    """The workers of each rank, so that the ranks of a machine share its processors evenly."""
    return min(share(machine, machines) for machine in machines)


def share(machine: Machine, machines: Sequence[Machine]) -> int:
    """The processors of a machine for each of the ranks that may use them, at least 1."""
    ranks = Counter((each.host, each.processors) for each in machines)
    return max(1, len(machine.processors) // ranks[machine.host, machine.processors])


def check_versions(machines: Sequence[Machine]) -> None:
    """Raise OptionError where the ranks run different versions of charrnn."""
    for rank, machine in enumerate(machines):
        if machine.version != machines[0].version:
            raise OptionError(
                f"rank {rank} on {machine.host} has charrnn {machine.version}, rank 0 on "
                f"{machines[0].host} has {machines[0].version}: install the same on all machines"
            )


def differences(machines: Sequence[Machine]) -> list[str]:
    """Notices of what keeps the ranks from computing the same to the bit; one for each difference
    from rank 0."""
    first, notices = machines[0], []
    for what in ("numpy", "blas"):
        name = {"numpy": "NumPy", "blas": "BLAS"}[what]
        for rank, machine in enumerate(machines):
            mine, yours = getattr(first, what), getattr(machine, what)
            if mine != yours:
                notices.append(
                    f"rank {rank} on {machine.host} has {name} {yours}, rank 0 has {mine}: the "
                    "training works, but one process would not compute the same to the bit"
                )
                break
    return notices


def shortages(machines: Sequence[Machine], counts: Sequence[int]) -> list[str]:
    """Notices of ranks that have fewer processors than workers; `counts` are the workers of each
    rank. One for each machine."""
    notices: dict[str, str] = {}
    for rank, (machine, count) in enumerate(zip(machines, counts, strict=True)):
        sharing = [
            (each, n)
            for each, n in zip(machines, counts, strict=True)
            if (each.host, each.processors) == (machine.host, machine.processors)
        ]
        workers, there = sum(n for _, n in sharing), len(machine.processors)
        if workers > there and machine.host not in notices:
            who = (
                f"rank {rank} has {count}"
                if len(sharing) == 1
                else f"{len(sharing)} ranks have {workers}"
            )
            notices[machine.host] = (
                f"on {machine.host} {who} workers for {there} processors, which makes each step "
                "slower: start fewer ranks there, give fewer `threads`, or let mpiexec bind them "
                "to more processors (-bind-to none)"
            )
    return list(notices.values())
