"""What is measured: each contestant is a process that works when it is told to, and says how long.

    python benchmarks/contestants.py '{"name": "charrnn-training", "threads": 2, ...}'

It says `ready` after its first turn, or else why it cannot run. A line with a count on standard
input is answered by the seconds that so many turns took, the word `memory` by the peak of the
resident memory in bytes, its own worker processes' included. Being processes, the contestants share
neither threads nor memory; being told when to work, they can take turns on a noisy machine.
"""

import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from frameworks import jax_training, keras_training

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

READY = "ready"
CLIP, LEARNING_RATE = 1.0, 1e-3
Turn = Callable[[], object]


def symbols(shape: dict[str, Any]) -> Any:
    """Random ids and targets, (2, T, B)."""
    size = (2, shape["seq_length"], shape["batch_size"])
    return np.random.default_rng(1).integers(0, shape["symbols"], size)


def charrnn_training(shape: dict[str, Any]) -> Turn:
    """A training step: gradient, clipping, Adam."""
    from charrnn.nn.network import Network, NetworkConfig
    from charrnn.options import TrainingOptions
    from charrnn.training.parallel.sharded import ShardedNetwork

    config = NetworkConfig(
        shape["symbols"], shape["hidden_size"], shape["layers"], shape.get("cell", "lstm")
    )
    network = Network.create(config, np.random.default_rng(1))
    sizes = {name: shape[name] for name in ("seq_length", "batch_size", "threads")}
    shards = ShardedNetwork(network, TrainingOptions(**sizes))
    ids, targets = symbols(shape)

    steps = itertools.count()

    def turn() -> None:
        step = next(steps)
        shards.compute_gradient(ids, targets, step)
        shards.update(step + 1, LEARNING_RATE, min(1.0, CLIP / shards.gradient_norm()))

    return turn


def torch_training(shape: dict[str, Any]) -> Turn:
    """The same step by PyTorch: one-hot input, or an embedding where the vocabulary is large."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(shape["threads"])
    V, H, L = shape["symbols"], shape["hidden_size"], shape["layers"]
    is_small = V <= 256
    embedding = torch.nn.Embedding(V, H)
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}
    recurrent = kind[shape.get("cell", "lstm")](V if is_small else H, H, L)
    output = torch.nn.Linear(H, V)
    parameters = [*recurrent.parameters(), *output.parameters()]
    parameters += [] if is_small else [*embedding.parameters()]
    adam = torch.optim.Adam(parameters, lr=LEARNING_RATE)
    ids, targets = (torch.from_numpy(x) for x in symbols(shape))
    state: Any = None

    def loss() -> Any:
        nonlocal state
        x = functional.one_hot(ids, V).float() if is_small else embedding(ids)
        hidden, state = recurrent(x, state)
        return functional.cross_entropy(output(hidden).reshape(-1, V), targets.reshape(-1))

    def turn() -> None:
        nonlocal state
        if shape.get("bfloat16"):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                value = loss()
        else:
            value = loss()
        is_pair = isinstance(state, tuple)
        state = tuple(part.detach() for part in state) if is_pair else state.detach()
        adam.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        adam.step()
        value.item()

    return turn


def charrnn_sampling(shape: dict[str, Any]) -> Turn:
    """A character in each stream, drawn and fed."""
    from charrnn.nn.network import Network, NetworkConfig
    from charrnn.sampling.generator import TextGenerator
    from charrnn.sampling.options import SamplingOptions
    from charrnn.text.vocabulary import Vocabulary

    config = NetworkConfig(shape["symbols"], shape["hidden_size"], shape["layers"])
    network = Network.create(config, np.random.default_rng(1))
    vocabulary = Vocabulary(np.arange(32, 32 + shape["symbols"], dtype=np.uint32))
    generator = TextGenerator(network, vocabulary, SamplingOptions(length=None))
    primes = [np.zeros(0, np.intp)] * shape["batch_size"]
    return generator.steps(primes, [np.random.default_rng(1)]).__next__


def torch_sampling(shape: dict[str, Any]) -> Turn:
    """The same with `LSTMCell`s, which are much faster here than an `LSTM`."""
    import torch

    torch.set_num_threads(shape["threads"])
    torch.set_grad_enabled(False)
    V, H, L, B = (shape[key] for key in ("symbols", "hidden_size", "layers", "batch_size"))
    one_hot = torch.eye(V)
    cells = [torch.nn.LSTMCell(V if layer == 0 else H, H) for layer in range(L)]
    output = torch.nn.Linear(H, V)
    states = [(torch.zeros(B, H), torch.zeros(B, H)) for _ in range(L)]
    ids = torch.zeros(B, dtype=torch.long)

    def turn() -> None:
        nonlocal ids
        with torch.inference_mode():
            x = one_hot[ids]
            for layer, cell in enumerate(cells):
                states[layer] = cell(x, states[layer])
                x = states[layer][0]
            p = torch.softmax(output(x), 1)
            ids = torch.multinomial(p, 1)[:, 0]
            ids.tolist()

    return turn


def min_char_rnn(shape: dict[str, Any]) -> Turn:
    """What Karpathy's script of 2015 computes, in our words: a vanilla RNN on one stream of 25
    steps, matrix-vector products one by one, the gradient clipped by value, Adagrad."""
    V, H, T = shape["symbols"], shape["hidden_size"], shape["seq_length"]
    rng = np.random.default_rng(1)
    sizes = {"U": (H, V), "W": (H, H), "V": (V, H), "b": (H, 1), "c": (V, 1)}
    weights = {name: 0.01 * rng.standard_normal(size) for name, size in sizes.items()}
    memory = {name: np.zeros(size) for name, size in sizes.items()}
    ids, targets = rng.integers(0, V, (2, T))
    carried = np.zeros((H, 1))

    def turn() -> None:
        nonlocal carried
        xs, hs, ps = [], [carried], []
        for t in range(T):
            x = np.zeros((V, 1))
            x[ids[t]] = 1
            h = np.tanh(weights["U"] @ x + weights["W"] @ hs[-1] + weights["b"])
            p = np.exp(weights["V"] @ h + weights["c"])
            xs.append(x)
            hs.append(h)
            ps.append(p / p.sum())
        gradient = {name: np.zeros_like(value) for name, value in weights.items()}
        dh_next = np.zeros((H, 1))
        for t in reversed(range(T)):
            dy = ps[t].copy()
            dy[targets[t]] -= 1
            gradient["V"] += dy @ hs[t + 1].T
            gradient["c"] += dy
            da = (1 - hs[t + 1] ** 2) * (weights["V"].T @ dy + dh_next)
            gradient["b"] += da
            gradient["U"] += da @ xs[t].T
            gradient["W"] += da @ hs[t].T
            dh_next = weights["W"].T @ da
        for name, d in gradient.items():
            np.clip(d, -5, 5, out=d)
            memory[name] += d * d
            weights[name] -= 0.1 * d / np.sqrt(memory[name] + 1e-8)
        carried = hs[-1]

    return turn


def product(shape: dict[str, Any]) -> Turn:
    """One square float32 product, over all threads of BLAS."""
    a, b = np.random.default_rng(1).standard_normal((2, shape["size"], shape["size"]), np.float32)
    out = np.empty_like(a)
    return lambda: np.matmul(a, b, out=out)


CONTESTANTS = {
    "charrnn-training": charrnn_training,
    "charrnn-sampling": charrnn_sampling,
    "torch-training": torch_training,
    "torch-sampling": torch_sampling,
    "jax-training": lambda shape: jax_training(shape, *symbols(shape)),
    "keras-training": lambda shape: keras_training(shape, *symbols(shape)),
    "min-char-rnn": min_char_rnn,
    "product": product,
}


def peak_memory() -> int:
    """Peak resident bytes of this process and its children, what they share counted once."""
    own = os.getpid()
    children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
    private, files, shared = 0, [0], [0]
    for pid in [own, *map(int, children)]:
        status = Path(f"/proc/{pid}/status").read_text()
        peak, libraries, common = (
            1024 * int(status.partition(name + ":")[2].split()[0])
            for name in ("VmHWM", "RssFile", "RssShmem")
        )
        private += peak - libraries - common
        files.append(libraries)
        shared.append(common)
    return private + max(files) + max(shared)


@contextmanager
def blas_threads(name: str) -> Iterator[None]:
    """One for our training, as it does itself."""
    from charrnn.machine.blas import one_thread

    if name == "charrnn-training":
        with one_thread():
            yield
    else:
        yield


def main() -> None:
    shape = json.loads(sys.argv[1])
    with blas_threads(shape["name"]):
        try:
            turn = CONTESTANTS[shape["name"]](shape)
            turn()
        except Exception as error:  # whatever a library raises where it cannot do what is asked
            print(" ".join(f"{type(error).__name__}: {error}".split()), flush=True)
            return
        print(READY, flush=True)
        for line in sys.stdin:
            if line.strip() == "memory":
                print(peak_memory(), flush=True)
                continue
            start = time.perf_counter()
            for _ in range(int(line)):
                turn()
            print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
