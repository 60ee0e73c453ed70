"""How long a step takes on many machines: a model, from compute times that are measured here.

    python benchmarks/scale.py

A machine is one worker on one processor like this one, in a network of the given speed. Its step
takes the time of its streams, measured here, that of the messages, 2 · 4·P·(R − 1)/R bytes each
way, and five collective calls of log₂ R hops each. The messages do not overlap with the compute.
"""

import math
import time
from statistics import median

import numpy as np

from charrnn.machine.blas import one_thread
from charrnn.nn.network import Network, NetworkConfig
from charrnn.options import TrainingOptions
from charrnn.training.parallel.sharded import ShardedNetwork

STEPS, SYMBOLS = 64, 87
SHAPES = ((2, 256), (2, 512), (3, 1024))
BATCHES = (64, 1024)
"""Streams of a step, shared out among the machines."""
MEASURED_STREAMS = (1, 2, 4, 8, 16, 32, 64)
MACHINES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
GIGABITS = (1, 10, 100)
LATENCY = {1: 50e-6, 10: 30e-6, 100: 5e-6}
"""Seconds of a hop: assumed, those of Ethernet with TCP, and of a fast interconnect."""
MESSAGES = 5


def compute_seconds(config: NetworkConfig, streams: int) -> float:
    """Of a step, the gradient of so many streams, without the update."""
    rng = np.random.default_rng(1)
    ids = rng.integers(0, SYMBOLS, (STEPS, streams))
    options = TrainingOptions(batch_size=streams, seq_length=STEPS)
    with ShardedNetwork(Network.create(config, rng), options) as sharded:
        sharded.compute_gradient(ids, ids, 0)
        times: list[float] = []
        while len(times) < 2 or (sum(times) < 1 and len(times) < 20):
            start = time.perf_counter()
            sharded.compute_gradient(ids, ids, 0)
            times.append(time.perf_counter() - start)
    return median(times)


def message_seconds(weights: int, machines: int, gigabits: float, latency: float) -> float:
    """Of the messages of a step."""
    sent = 2 * 4 * weights * (machines - 1) / machines
    return sent * 8 / (gigabits * 1e9) + MESSAGES * latency * math.ceil(math.log2(machines))


def table(config: NetworkConfig, measured: dict[int, float], batch: int) -> None:
    """The speed in characters a second for each number of machines and each network."""
    print(f"\n| {config.layers} × {config.hidden_size}, batch {batch} |", end="")
    print(" | ".join(f" {g} Gbit/s" for g in GIGABITS), "|")
    print("|---|" + "---|" * len(GIGABITS))
    for machines in MACHINES:
        if machines > batch:
            break
        streams = batch // machines
        most = max(measured)
        work = measured[streams] if streams <= most else measured[most] * streams / most
        cells = []
        for gigabits in GIGABITS:
            talk = message_seconds(config.size, machines, gigabits, LATENCY[gigabits])
            cells.append(f"{batch * STEPS / (work + talk):,.0f} ({work / (work + talk):.0%})")
        print(f"| {machines} | " + " | ".join(cells) + " |")


def main() -> None:
    with one_thread():
        for layers, units in SHAPES:
            config = NetworkConfig(SYMBOLS, units, layers)
            measured = {n: compute_seconds(config, n) for n in MEASURED_STREAMS}
            row = ", ".join(f"{n}: {1000 * s:.1f}" for n, s in measured.items())
            print(f"\n{layers} × {units}: {config.size:,} weights; ms by streams {row}")
            for batch in BATCHES:
                table(config, measured, batch)


if __name__ == "__main__":
    main()
