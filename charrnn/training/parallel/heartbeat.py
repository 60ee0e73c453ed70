"""Signs of life: how rank 0 learns that a machine is gone.

A rank that dies is seen by mpiexec, which ends the others. A machine that loses its power or its
network says nothing, and the others would wait for its messages for ever. So each rank sends rank 0
a datagram every second, and rank 0 ends all where one was silent for `SILENCE` of its own seconds:
the time in which rank 0 itself was suspended does not count.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator

from charrnn.training.parallel.world import World

SILENCE = 20
"""Seconds without a sign of life after which a rank counts as dead."""
INTERVAL = 1.0


@contextlib.contextmanager
def heartbeats(world: World, on_silence: Callable[[int], object]) -> Iterator[None]:
    """Send signs of life from all ranks to rank 0 in the course of the context, which all of them
    enter at once. `on_silence` is called at rank 0, with the rank that is silent."""
    end = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        if world.rank == 0:
            channel.bind(("", 0))
        port = channel.getsockname()[1] if world.rank == 0 else 0
        address = world.send_object((socket.gethostname(), port))
        if world.rank == 0:
            thread = threading.Thread(target=listen, args=(channel, world.size, end, on_silence))
        else:
            thread = threading.Thread(target=beat, args=(channel, world.rank, address, end))
        thread.daemon = True
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()


def beat(channel: socket.socket, rank: int, address: tuple[str, int], end: threading.Event) -> None:
    """Send the number of this rank to an address, every second."""
    parent = os.getppid()
    while not end.wait(INTERVAL):
        if os.getppid() != parent:  # mpiexec is gone, and nobody would end this rank
            os._exit(1)
        with contextlib.suppress(OSError):  # a name that cannot be resolved now, a full buffer
            channel.sendto(str(rank).encode(), address)


def listen(
    channel: socket.socket, ranks: int, end: threading.Event, on_silence: Callable[[int], object]
) -> None:
    """Count the seconds since the last sign of each rank that has given one: where datagrams do not
    pass, there is no watch."""
    silent: dict[int, int] = {}
    channel.settimeout(INTERVAL / 10)
    while not end.wait(INTERVAL):
        silent = {rank: seconds + 1 for rank, seconds in silent.items()}
        with contextlib.suppress(OSError, ValueError):
            for _ in range(10 * ranks):
                silent[int(channel.recv(16))] = 0
        for rank, seconds in silent.items():
            if seconds > SILENCE:
                on_silence(rank)
                return
