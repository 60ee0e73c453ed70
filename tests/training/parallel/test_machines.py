"""What ranks run on: how many workers suit them, and what the user is told."""

import numpy as np
import pytest

from charrnn.errors import OptionError
from charrnn.training.parallel.machines import (
    Machine,
    check_versions,
    differences,
    shortages,
    usual_threads,
)


def machine(
    host: str = "a", processors: int = 4, first: int = 0, *, version: str = "1", numpy: str = "2.4"
) -> Machine:
    numbers = frozenset(range(first, first + processors))
    return Machine(host, numbers, version, numpy, "openblas 0.3 (Haswell)")


@pytest.mark.parametrize(
    ("machines", "threads"),
    [
        ([machine()], 4),
        ([machine()] * 2, 2),
        ([machine()] * 3, 1),
        ([machine()] * 9, 1),
        ([machine("a"), machine("b")], 4),
        ([machine("a", 8), machine("b", 2)], 2),
        ([machine("a", 1), machine("a", 1, first=1)], 1),  # bound to a processor each
    ],
)
def test_ranks_share_the_processors_of_their_machine(machines: list[Machine], threads: int) -> None:
    assert usual_threads(machines) == threads
    assert shortages(machines, [threads] * len(machines)) == (
        [] if len(machines) < 9 else shortages(machines, [1] * 9)
    )


def test_too_few_processors_are_told_once_for_each_machine() -> None:
    (notice,) = shortages([machine("a", 2)] * 3 + [machine("b", 2)], [1, 1, 1, 2])
    assert notice.startswith("on a 3 ranks have 3 workers for 2 processors")
    (notice,) = shortages([machine("a", 8), machine("b", 1)], [2, 2])
    assert notice.startswith("on b rank 1 has 2 workers for 1 processor")
    assert "`threads`" in notice
    assert "-bind-to none" in notice


def test_another_library_is_told() -> None:
    assert differences([machine(), machine("b", 2)]) == []
    (notice,) = differences([machine(), machine("b"), machine("c", numpy="2.0")])
    assert notice.startswith("rank 2 on c has NumPy 2.0, rank 0 has 2.4")
    assert "to the bit" in notice


def test_another_version_is_an_error() -> None:
    check_versions([machine(), machine("b")])
    with pytest.raises(OptionError, match=r"rank 1 on b has charrnn 2, rank 0 on a has 1: install"):
        check_versions([machine(), machine("b", version="2")])


def test_this_machine() -> None:
    here = Machine.here("1")
    assert here.numpy.startswith(np.__version__)
    assert here.processors
    assert "openblas" in here.blas or here.blas
