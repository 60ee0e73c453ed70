"""Where the time of a training step goes, in one worker.

    python benchmarks/parts.py [--layers 2] [--hidden-size 128] [--streams 25] [--steps 50]

Wraps what a step calls with a clock: the products inside the loop over time, what the cells do
there, the products over all steps, and the rest. The clock costs a little itself (about 0.1 µs a
call), which is counted with the rest.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from contestants import ROOT

sys.path.insert(0, str(ROOT))


class Clock:
    """Seconds and calls by name, of the functions that it has wrapped."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = defaultdict(int)
        self._inner = [0.0]

    def wrap(self, owner: Any, function: str, name: str) -> None:
        """Count the time in owner.function, less that of what is wrapped inside it."""
        wrapped: Callable[..., Any] = getattr(owner, function)

        def timed(*arguments: Any, **options: Any) -> Any:
            self._inner.append(0.0)
            start = time.perf_counter()
            result = wrapped(*arguments, **options)
            elapsed = time.perf_counter() - start
            self.seconds[name] += elapsed - self._inner.pop()
            self.calls[name] += 1
            self._inner[-1] += elapsed
            return result

        setattr(owner, function, timed)

    def clear(self) -> None:
        """Forget what was counted."""
        self.seconds.clear()
        self.calls.clear()

    def show(self, rounds: Sequence[float]) -> None:
        """Print what was counted, of rounds that took so many seconds each."""
        for name, seconds in sorted(self.seconds.items(), key=lambda item: -item[1]):
            calls = self.calls[name]
            print(
                f"{name:40}{1000 * seconds / len(rounds):8.2f} ms{seconds / sum(rounds):7.0%}"
                f"{calls / len(rounds):8,.0f} calls of {1e6 * seconds / calls:8.1f} µs"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--hidden-size", type=int, default=128)
    parser.add_argument("--streams", type=int, default=25)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--symbols", type=int, default=87)
    parser.add_argument("--cell", default="lstm")
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    from charrnn.machine.blas import one_thread

    with one_thread():
        measure(options)


def wrapped(cell: type) -> Clock:
    """A clock around all that a step of training with this cell calls."""
    from charrnn.machine.matmul import Product
    from charrnn.nn.layer import Layer
    from charrnn.nn.one_hot_input import OneHotInput
    from charrnn.nn.softmax import SoftmaxCrossEntropy
    from charrnn.nn.workspace import Workspace

    clock = Clock()
    for owner, function, name in (
        (Product, "multiply", "W·h and Wᵀ·da in the loop"),
        (cell, "forward", "cells, forward"),
        (cell, "backward", "cells, backward"),
        (Layer, "forward", "the loop forward beside these"),
        (Layer, "backward", "the loop backward beside these, and dW"),
        (OneHotInput, "forward", "lookup of the input"),
        (OneHotInput, "backward", "its gradient"),
        (SoftmaxCrossEntropy, "forward", "softmax"),
        (SoftmaxCrossEntropy, "backward", "softmax, backward"),
        (Workspace, "losses", "products over all steps, forward"),
        (Workspace, "backward", "products over all steps, backward"),
    ):
        clock.wrap(owner, function, name)
    return clock


def measure(options: argparse.Namespace) -> None:
    import numpy as np

    from charrnn.nn.cells import CELLS
    from charrnn.nn.network import Network, NetworkConfig

    T, B, V = options.steps, options.streams, options.symbols
    config = NetworkConfig(V, options.hidden_size, options.layers, options.cell)
    network = Network.create(config, np.random.default_rng(1))
    ids, targets = np.random.default_rng(1).integers(0, V, (2, T, B))
    clock = wrapped(CELLS[options.cell])
    workspace = network.workspace(T, B, training=True)
    gradient = network.parameters.zeros_like()
    times: list[float] = []
    for round_ in range(options.rounds):
        if round_ == options.rounds // 4:  # the first ones warm up
            clock.clear()
            times.clear()
        start = time.perf_counter()
        workspace.losses(ids, targets)
        workspace.backward(gradient, 1 / ids.size)
        times.append(time.perf_counter() - start)
    whole = median(times)
    flops = 6 * config.size * T * B / whole
    print(
        f"{options.cell} {config.layers} × {config.hidden_size}, {B} streams of {T}: "
        f"{1000 * whole:.2f} ms, {T * B / whole:,.0f} characters/s, {flops / 1e9:.0f} GFLOP/s"
    )
    clock.show(times)


if __name__ == "__main__":
    main()
