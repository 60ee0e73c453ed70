"""Local steps of ranks that mpiexec has started, in float64, as a program; and their naive
reference: networks that are trained one by one, and averaged.

    mpiexec -n 3 python tests/local_steps.py RESULT.npz WORKERS
"""

import math
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from charrnn.nn.network import Network, NetworkConfig
from charrnn.optim.optimizers import Adam
from charrnn.options import TrainingOptions
from charrnn.text.batches import Batches
from charrnn.training.parallel.group import Group, join_ranks
from charrnn.training.parallel.sharded import ShardedNetwork
from charrnn.types import Array, IdArray
from reference import random_network

CONFIG = NetworkConfig(9, 6, 2)
STREAMS, STEPS, WINDOWS = 7, 4, 8  # 7 streams: three ranks have 2, 2 and 3 of them
SYNC_EVERY = 3
RATE, CLIP, LIMIT, DECAY, DROPOUT, SEED = 0.01, 0.4, 0.05, 0.1, 0.3, 5


def text() -> IdArray:
    return np.random.default_rng(61).integers(0, 9, STREAMS * STEPS * WINDOWS + 1)


def fresh_network() -> Network:
    return random_network(np.random.default_rng(62), CONFIG, np.float64)


def train(group: Group, workers: int) -> dict[str, Array]:
    """All windows of the text, with an averaging after every `SYNC_EVERY` of them."""
    network = fresh_network()
    losses, norms = [], []
    options = TrainingOptions(
        batch_size=STREAMS, seq_length=STEPS, threads=group.size * workers, weight_decay=DECAY,
        dropout=DROPOUT, seed=SEED, sync_every=SYNC_EVERY, clip=CLIP,
    )  # fmt: skip
    with ShardedNetwork(network, options, group.start) as sharded:
        sharded._workers.load_text(Batches(text(), STREAMS, STEPS))
        for step in range(WINDOWS):
            losses.append(sharded.compute_gradient_of_window(step, step))
            norms.append(sharded.gradient_norm())
            sharded.update(step + 1, RATE, 1.0, LIMIT)
            if (step + 1) % SYNC_EVERY == 0:
                sharded.synchronize()
        sharded.synchronize()
        return {
            "losses": np.array(losses), "norms": np.array(norms), "state": sharded.state,
            "weights": network.parameters.flat.copy(), "moments": sharded.moments.copy(),
        }  # fmt: skip


class Apart:
    """One network with its own streams `part` of the text: a plain training."""

    def __init__(self, part: slice, shard: int) -> None:
        length = (len(text()) - 1) // STREAMS
        ids = text()[part.start * length : part.stop * length + 1]
        self.streams = part.stop - part.start
        self.batches = Batches(ids, self.streams, STEPS)
        self.network = fresh_network()
        self.weights = self.network.parameters.flat
        self.optimizer = Adam(self.weights, weight_decay=DECAY)
        self.workspace = self.network.workspace(STEPS, self.streams, training=True, dropout=DROPOUT)
        self.shard = shard

    def step(self, step: int) -> tuple[float, float]:
        """The loss (nats, in all) and the norm of the gradient."""
        seeds = [SEED, step, self.shard]
        self.workspace.draw_dropout_masks(np.random.Generator(np.random.SFC64(seeds)))
        total = self.workspace.losses(*self.batches.window(step)).sum()
        gradient = self.network.parameters.zeros_like()
        self.workspace.backward(gradient, 1 / (STEPS * self.streams))
        norm = float(np.linalg.norm(gradient.flat))
        clipped = np.clip(gradient.flat * min(1, CLIP / norm), -LIMIT, LIMIT)
        self.optimizer.update(
            step + 1, self.weights, clipped, RATE, slice(None), np.empty_like(clipped)
        )
        return float(total), norm


def reference(ranks: int) -> dict[str, Array]:
    """The same, by so many networks with one worker each."""
    borders = [STREAMS * rank // ranks for rank in range(ranks + 1)]
    parts = [slice(a, b) for a, b in pairwise(borders)]
    networks = [Apart(part, shard) for shard, part in enumerate(parts)]
    shares = [each.streams / STREAMS for each in networks]
    losses, norms = [], []
    for step in range(WINDOWS):
        totals, own_norms = zip(*(each.step(step) for each in networks), strict=True)
        losses.append(sum(totals) / (STEPS * STREAMS))
        norms.append(math.sqrt(sum(norm**2 for norm in own_norms) / ranks))
        if (step + 1) % SYNC_EVERY == 0 or step + 1 == WINDOWS:
            weights, moments = (
                sum(share * array for share, array in zip(shares, arrays, strict=True))
                for arrays in (
                    [each.weights for each in networks],
                    [each.optimizer.state for each in networks],
                )
            )
            for each in networks:
                each.weights[:], each.optimizer.state[:] = weights, moments
    state = np.concatenate([each.workspace.state for each in networks], axis=-1)
    return {
        "losses": np.array(losses), "norms": np.array(norms), "state": state,
        "weights": networks[0].weights, "moments": networks[0].optimizer.state,
    }  # fmt: skip


def main(path: Path, workers: int) -> None:
    with join_ranks(sys.stderr.write, "") as group:
        if group is not None:
            np.savez(path, allow_pickle=False, **train(group, workers))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
