"""Ranks beside as many worker processes, on this machine, in this run.

    mpiexec -n 2 python benchmarks/ranks.py [--shape 2x512] [--rounds 9] [--gbits 1] [--delay 0.5]
                                            [--compress | --sync-every 8]

Both train the same network on the same windows, in turns; a figure is the median of the turns, with
the quartiles of their ratio. With --gbits and --delay (milliseconds), the ranks wait after each
message for as long as it would take in a network of that speed and latency, to check the model of
`benchmarks/scale.py`.
"""

import argparse
import math
import time
from collections.abc import Callable
from functools import partial
from statistics import median, quantiles
from typing import Any

import numpy as np

from charrnn.machine.blas import one_thread
from charrnn.nn.network import Network, NetworkConfig
from charrnn.options import TrainingOptions
from charrnn.text.batches import Batches
from charrnn.training.parallel.group import Group, join_ranks
from charrnn.training.parallel.launch import bound_blas
from charrnn.training.parallel.sharded import ShardedNetwork, StartWorkers, start_workers
from charrnn.training.parallel.world import World

STREAMS, STEPS, SYMBOLS = 64, 64, 87
WINDOWS = 40
WINDOWS_A_TURN = 8


def network(
    layers: int, units: int, options: TrainingOptions, start: StartWorkers
) -> ShardedNetwork:
    rng = np.random.default_rng(1)
    config = NetworkConfig(SYMBOLS, units, layers)
    ids = rng.integers(0, SYMBOLS, STREAMS * STEPS * WINDOWS + 1).astype(np.uint8)
    batches = Batches(ids, STREAMS, STEPS)
    return ShardedNetwork.for_training(Network.create(config, rng), options, batches, start)


def turn(sharded: ShardedNetwork, count: int, sync_every: int) -> None:
    for window in range(count):
        sharded.compute_gradient_of_window(window, window)
        sharded.gradient_norm()
        sharded.update(window + 1, 1e-3, 1.0)
        if (window + 1) % sync_every == 0:
            sharded.synchronize()


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(
    group: Group, layers: int, units: int, rounds: int, *, compress: bool, sync_every: int
) -> None:
    options = TrainingOptions(threads=group.size, compress=compress, sync_every=sync_every)
    ranks, processes = (
        network(layers, units, options, start) for start in (group.start, start_workers)
    )
    times: dict[str, list[float]] = {"ranks": [], "processes": []}
    contestants = [("ranks", ranks), ("processes", processes)]
    with ranks, processes, one_thread():
        for _, sharded in contestants:
            turn(sharded, 2, sync_every)
        for round_ in range(rounds):
            for name, sharded in contestants[:: 1 if round_ % 2 == 0 else -1]:
                took = seconds(partial(turn, sharded, WINDOWS_A_TURN, sync_every))
                times[name].append(took / WINDOWS_A_TURN)
    ratio = quantiles([a / b for a, b in zip(times["processes"], times["ranks"], strict=True)], n=4)
    print(
        f"{layers} x {units}: a step {1000 * median(times['ranks']):.1f} ms in ranks, "
        f"{1000 * median(times['processes']):.1f} ms in processes; ranks are "
        f"{ratio[1]:.3f} ({ratio[0]:.3f}-{ratio[2]:.3f}) times as fast"
    )


def slow_down(method: str, seconds: float, seconds_a_byte: float) -> None:
    """Let a message of `World` take the time of a slower network: for its latency, and for the
    bytes that a rank sends to others."""
    usual = getattr(World, method)

    def slow(self: World, array: Any, *rest: Any) -> Any:
        answer = usual(self, array, *rest)
        sent = array.nbytes * (self.size - 1) / self.size
        time.sleep(seconds * math.ceil(math.log2(self.size)) + sent * seconds_a_byte)
        return answer

    setattr(World, method, slow)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shape", action="append", default=[])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--gbits", type=float, default=math.inf)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--compress", action="store_true")
    parser.add_argument("--sync-every", type=int, default=1)
    options = parser.parse_args()
    if options.delay or options.gbits < math.inf:
        for method in ("send_numbers", "gather_numbers", "exchange", "share"):
            slow_down(method, options.delay / 1e3, 8 / (options.gbits * 1e9))
    with join_ranks(print, "") as group:
        for shape in (options.shape or ["2x256", "2x512"]) if group else ():
            layers, units = map(int, shape.split("x"))
            assert group is not None
            compare(
                group,
                layers,
                units,
                options.rounds,
                compress=options.compress,
                sync_every=options.sync_every,
            )


if __name__ == "__main__":
    bound_blas()
    main()
