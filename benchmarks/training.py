"""Training speed beside PyTorch's `nn.LSTM`, on this machine, in this run.

    python benchmarks/training.py [--rounds 9] [--layers 2 --hidden-size 256 ...]

Both train the same shape on the same random symbols: one-hot input, LSTM stack, softmax
cross-entropy, clipping by norm, Adam, float32, state carried from window to window. They take
turns, some steps each, because machines are noisy; printed are medians, and the median and
quartiles of the ratio of neighbours. PyTorch is not needed by charrnn: `pip install -e '.[bench]'`.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from charrnn.network import Network, NetworkConfig
from charrnn.optimizers import Adam
from charrnn.options import usable_threads
from charrnn.shards import ShardedNetwork

CLIP, LEARNING_RATE = 1.0, 1e-3


def our_step(shape: argparse.Namespace, threads: int) -> Callable[[Any, Any], None]:
    """One training step of charrnn, on windows (T, B)."""
    config = NetworkConfig(shape.symbols, shape.hidden_size, shape.layers)
    network = Network.create(config, np.random.default_rng(1))
    adam = Adam(network.parameters.flat)
    shards = ShardedNetwork(network, adam, shape.seq_length, shape.batch_size, threads)

    def step(ids: Any, targets: Any) -> None:
        shards.compute_gradient(ids, targets)
        norm = shards.gradient_norm()
        shards.update(LEARNING_RATE, min(1.0, CLIP / norm))

    return step


def torch_step(shape: argparse.Namespace) -> Callable[[Any, Any], None]:
    """The same step by PyTorch."""
    lstm = torch.nn.LSTM(shape.symbols, shape.hidden_size, shape.layers)
    output = torch.nn.Linear(shape.hidden_size, shape.symbols)
    parameters = [*lstm.parameters(), *output.parameters()]
    adam = torch.optim.Adam(parameters, lr=LEARNING_RATE)
    state: Any = None

    def step(ids: Any, targets: Any) -> None:
        nonlocal state
        one_hot = torch.nn.functional.one_hot(torch.from_numpy(ids), shape.symbols).float()
        hidden, state = lstm(one_hot, state)
        state = tuple(part.detach() for part in state)
        logits = output(hidden).reshape(-1, shape.symbols)
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(targets).reshape(-1))
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        adam.step()
        loss.item()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=8, help="steps at a time")
    parser.add_argument("--symbols", type=int, default=87)
    parser.add_argument("--hidden-size", type=int, default=256)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--seq-length", type=int, default=64)
    parser.add_argument("--threads", type=int, default=usable_threads())
    shape = parser.parse_args()
    rng = np.random.default_rng(1)
    ids, targets = rng.integers(0, shape.symbols, (2, shape.seq_length, shape.batch_size))
    torch.set_num_threads(shape.threads)
    contestants = {
        "charrnn": (our_step(shape, shape.threads), 1),
        "charrnn, 1 thread": (our_step(shape, 1), 1),
        "PyTorch": (torch_step(shape), shape.threads),
    }
    speeds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(shape.rounds):
        for name, (step, blas_threads) in contestants.items():
            with threadpool_limits(blas_threads):
                step(ids, targets)
                start = time.perf_counter()
                for _ in range(shape.steps):
                    step(ids, targets)
                elapsed = time.perf_counter() - start
            speeds[name].append(shape.steps * ids.size / elapsed)
    kernels = {info["architecture"] for info in threadpool_info() if "architecture" in info}
    print(
        f"{shape.layers} × {shape.hidden_size}, B {shape.batch_size}, T {shape.seq_length}, "
        f"{shape.threads} threads; NumPy {np.__version__} with kernels for "
        f"{', '.join(sorted(kernels))}; PyTorch {torch.__version__}"
    )
    for name, values in speeds.items():
        print(f"{name:18} {median(values):9,.0f} characters/s")
    for name in ("PyTorch", "charrnn, 1 thread"):
        ratios = [a / b for a, b in zip(speeds["charrnn"], speeds[name], strict=True)]
        low, _, high = quantiles(ratios, n=4)
        print(f"charrnn / {name:18} {median(ratios):5.2f}  (quartiles {low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
