"""The ranks of a training from their start to their end."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from charrnn.machine.blas import one_thread
from charrnn.training.parallel.heartbeat import SILENCE, heartbeats
from charrnn.training.parallel.machines import (
    Machine,
    check_versions,
    differences,
    shortages,
    usual_threads,
)
from charrnn.training.parallel.rank_shards import serve
from charrnn.training.parallel.ranks import Ranks, send_command
from charrnn.training.parallel.shard import ShardingPlan
from charrnn.training.parallel.world import World


class Group:
    """All ranks, as rank 0 sees them. It starts the workers of trainings."""

    def __init__(self, world: World, machines: Sequence[Machine]) -> None:
        self._world = world
        self._machines = machines
        self.size = world.size
        """R"""
        self.usual_threads = usual_threads(machines)
        """The workers of each rank, unless told."""

    def start(self, plan: ShardingPlan) -> Ranks:
        """Workers for all shards of a plan, on all ranks."""
        return Ranks(self._world, plan)

    def notices(self, shards: int) -> list[str]:
        """What the user should know of the machines, for so many shards."""
        R = self.size
        counts = [shards * (r + 1) // R - shards * r // R for r in range(R)]
        return [*differences(self._machines), *shortages(self._machines, counts)]


@contextmanager
def join_ranks(say: Callable[[str], object], version: str) -> Iterator[Group | None]:
    """Join the ranks that mpiexec has started, all of the same `version` of charrnn. Rank 0 gets
    the group of all; the others get None, when rank 0 is done and their work with it.

    Where the ranks lose each other, all end at once; `say` is told why before. Raises CharRNNError.
    """
    world = World()
    try:
        machines = world.gather_objects(Machine.here(version))
        with heartbeats(world, lambda rank: _give_up(world, machines, rank, say)):
            world.is_talking = False
            if machines is None:
                with one_thread():
                    serve(world)
                yield None
            else:
                yield from _led(world, machines)
    except BaseException as error:
        if world.rank > 0 or world.is_talking:
            say(f"rank {world.rank}: {error or type(error).__name__}")
            world.abort()
        raise
    finally:
        world.leave()


def _give_up(
    world: World, machines: Sequence[Machine] | None, rank: int, say: Callable[[str], object]
) -> None:
    """End all ranks, one of which is dead."""
    host = machines[rank].host if machines else ""
    say(f"rank {rank} on {host} has given no sign of life for {SILENCE} seconds")
    world.abort()


def _led(world: World, machines: Sequence[Machine]) -> Iterator[Group]:
    """The group, for the time of a training; the other ranks end with it."""
    try:
        check_versions(machines)
        yield Group(world, machines)
    finally:
        if not world.is_talking:
            send_command(world, "end")
