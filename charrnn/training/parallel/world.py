"""The processes that mpiexec has started, as ranks 0 to R − 1: messages between them, by MPI.

Only here is mpi4py known. A library for MPI waits at full speed, for the shortest delay; a rank
that has nothing to do for a second, while another validates or saves, would keep a processor from
its work. So everything here is started without waiting, and asked for until it is done: at full
speed at first, then with sleeps between.
"""

import os
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import OptionError
from charrnn.training.parallel.launch import launched_rank
from charrnn.types import Array, IdArray

Message = NDArray[Any]
"""An array of numbers of any kind."""
EAGER_SECONDS = 2e-3
"""How long a rank asks for a message at full speed."""
PATIENT_SECONDS = 0.2
"""After so long it sleeps longer between two questions."""
SLEEPS = (2e-5, 1e-3)
"""Seconds between two questions before and after that."""


class World:
    """All ranks. What is called `at` one rank, or by `root`, all ranks call at once.

    Raises CharRNNError where MPI is not there, or not the one that has started the processes.
    """

    def __init__(self) -> None:
        try:
            from mpi4py import MPI
        except (ImportError, RuntimeError) as error:  # RuntimeError: no library for MPI
            raise OptionError(
                f"`mpi` needs mpi4py ({error}): install it with pip install 'charrnn-numpy[mpi]'"
            ) from error
        self._mpi, self._comm = MPI, MPI.COMM_WORLD
        self.rank: int = self._comm.rank
        self.size: int = self._comm.size
        launched = launched_rank()
        if launched != (self.rank, self.size):
            raise OptionError(
                f"mpiexec has started {launched[1]} processes, of which mpi4py sees {self.size}: "
                "they belong to different MPI libraries; use the mpiexec of mpi4py's"
            )

        self.is_talking = True
        """Whether a command is under way, so that the others wait for more than the next one."""

    def leave(self) -> None:
        """End the use of MPI; waits for the others."""
        self._mpi.Finalize()

    def abort(self) -> None:
        """End all ranks at once: mpiexec sees to it when one ends without `leave`. MPI's own Abort
        would cut off what is still to be written."""
        os._exit(1)

    def wait(self, request: Any) -> None:
        """Until a message has arrived, or was taken."""
        start = time.monotonic()
        while not request.Test():
            waited = time.monotonic() - start
            if waited < EAGER_SECONDS:
                os.sched_yield()  # to a rank that has work, where there are fewer processors
            else:
                time.sleep(SLEEPS[waited > PATIENT_SECONDS])

    def send_numbers(self, numbers: Message, root: int = 0) -> None:
        """Give all ranks the array of `root`."""
        self.wait(self._comm.Ibcast(numbers, root))

    def gather_numbers(self, numbers: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """The arrays (N,) of all ranks, (R, N), at rank 0."""
        found = np.empty((self.size, len(numbers))) if self.rank == 0 else None
        self.wait(self._comm.Igather(numbers, found))
        return found

    def send_object(self, value: Any) -> Any:
        """Give all ranks what rank 0 has."""
        return self._comm.bcast(value)

    def gather_objects(self, value: Any) -> list[Any] | None:
        """What all ranks have, at rank 0."""
        found: list[Any] | None = self._comm.gather(value)
        return found

    def scatter_objects(self, values: Sequence[Any] | None) -> Any:
        """Give each rank one of the values of rank 0."""
        return self._comm.scatter(values)

    def send_to(self, rank: int, array: IdArray) -> None:
        """Send an array to one rank, which calls `receive`."""
        self.wait(self._comm.Isend(array, rank))

    def receive(self, array: IdArray) -> None:
        """Fill an array with the one that rank 0 sends to this rank."""
        self.wait(self._comm.Irecv(array, 0))

    def exchange(
        self, sent: Message, spans: Sequence[slice], received: Message, places: Sequence[int | None]
    ) -> None:
        """Send rank r the numbers `sent[spans[r]]`, and receive what it sends as row `places[r]` of
        `received`; a rank whose place is None sends nothing, here nor to others."""
        sends = places[self.rank] is not None
        size = received.shape[1]
        counts = [span.stop - span.start if sends else 0 for span in spans]
        self.wait(
            self._comm.Ialltoallv(
                [sent, (counts, [span.start for span in spans])],
                [
                    received,
                    (
                        [0 if place is None else size for place in places],
                        [0 if place is None else place * size for place in places],
                    ),
                ],
            )
        )

    def share(self, array: Message, spans: Sequence[slice]) -> None:
        """Give all ranks the part `spans[r]` of the array (P,) of each rank r."""
        if [span.stop - span.start for span in spans[1:]] == [0] * (self.size - 1):
            self.send_numbers(array)
            return
        self.wait(self._comm.Iallgatherv(self._mpi.IN_PLACE, self._parts(array, spans)))

    def collect(self, array: Array, spans: Sequence[slice]) -> None:
        """Bring the part `spans[r]` of the array (P,) of each rank r to rank 0."""
        own = self._mpi.IN_PLACE if self.rank == 0 else array[spans[self.rank]]
        whole = self._parts(array, spans) if self.rank == 0 else None
        self.wait(self._comm.Igatherv(own, whole))

    def distribute(self, array: Array, spans: Sequence[slice]) -> None:
        """Give each rank r the part `spans[r]` of the array (P,) of rank 0."""
        own = self._mpi.IN_PLACE if self.rank == 0 else array[spans[self.rank]]
        whole = self._parts(array, spans) if self.rank == 0 else None
        self.wait(self._comm.Iscatterv(whole, own))

    @staticmethod
    def _parts(array: Message, spans: Sequence[slice]) -> list[Any]:
        lengths = [span.stop - span.start for span in spans]
        return [array, (lengths, [span.start for span in spans])]
