"""Dropout: what is left out, what comes of the gradient, and that a training repeats."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.nn.dropout import OutputDropout, WeightDropout
from charrnn.nn.network import Network, NetworkConfig
from charrnn.nn.workspace import Workspace
from charrnn.options import TrainingOptions
from charrnn.training.parallel.sharded import ShardedNetwork, start_workers
from charrnn.training.parallel.workers import Threads
from helpers import assert_same_training, finish, resume, start, stop_after
from reference import directional_derivative, random_ids, random_network
from toy_cells import ALL_CELLS

pytestmark = pytest.mark.usefixtures("toy_cells")

RATES: dict[str, Any] = {"dropout": 0.4, "recurrent_dropout": 0.3}


def masked_workspace(
    network: Network, steps: int, batch: int, rng: np.random.Generator, **rates: float
) -> Workspace:
    workspace = network.workspace(steps, batch, training=True, **rates)
    workspace.draw_dropout_masks(rng)
    return workspace


@pytest.mark.parametrize("rates", [{"dropout": 0.4}, {"recurrent_dropout": 0.3}, RATES])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", ALL_CELLS)
def test_gradient_with_masks(cell: str, layers: int, rates: dict[str, float]) -> None:
    rng = np.random.default_rng(51)
    config = NetworkConfig(5, 6, layers, cell)
    network = random_network(rng, config)
    ids, targets = random_ids(rng, config, 7, 3)
    workspace = masked_workspace(network, 7, 3, rng, **rates)
    state = rng.normal(0, 0.8, workspace.state.shape)

    def loss() -> float:
        workspace.state = state
        return float(workspace.losses(ids, targets).sum())

    direction = rng.normal(size=network.parameters.size)
    direction *= 10 / np.linalg.norm(direction)
    measured = directional_derivative(loss, network.parameters.flat, direction)
    gradient = network.parameters.zeros_like()
    gradient.flat[:] = np.nan
    loss()
    workspace.backward(gradient, 1.0)
    assert float(gradient.flat @ direction) == pytest.approx(measured, rel=1e-7)


def test_without_masks_nothing_is_left_out() -> None:
    rng = np.random.default_rng(52)
    config = NetworkConfig(5, 6, 2)
    network = random_network(rng, config)
    ids, targets = random_ids(rng, config, 4, 3)
    plain = network.workspace(4, 3).losses(ids, targets)
    fresh = network.workspace(4, 3, training=True, **RATES)
    np.testing.assert_array_equal(fresh.losses(ids, targets), plain)
    fresh.draw_dropout_masks(rng)
    assert not np.allclose(fresh.losses(ids, targets), plain)


def test_a_window_has_one_mask_for_all_its_steps() -> None:
    rng = np.random.default_rng(53)
    H, T, B, p = 400, 5, 30, 0.3
    dropout = OutputDropout(p, H, T, B, np.float64)
    h = rng.uniform(0.5, 1, (T * B, H + 1))
    h[:, H] = 1
    dropout.draw(rng)
    seen = dropout.forward(h).copy()
    np.testing.assert_array_equal(seen[:, H], 1, "the bias is never left out")
    share = (seen[:, :H] / h[:, :H]).reshape(T, B, H)
    np.testing.assert_allclose(share, np.broadcast_to(share[:1], share.shape))
    kept = share[0] > 0
    np.testing.assert_allclose(share[0][kept], 1 / (1 - p))
    assert kept.mean() == pytest.approx(1 - p, abs=4 * (p * (1 - p) / kept.size) ** 0.5)
    for axis in (0, 1):
        assert kept.mean(axis=axis).std() > 0, "streams and units have masks of their own"
    dropout.draw(rng)
    assert not np.array_equal(dropout.forward(h) > 0, seen > 0)


def test_dropped_weights_are_the_same_on_average() -> None:
    rng = np.random.default_rng(54)
    W = rng.normal(size=(40, 10))
    dropout = WeightDropout(0.25, W.shape, np.float64)
    total = np.zeros_like(W)
    for _ in range(4000):
        dropout.draw(rng)
        total += dropout.forward(W)
    np.testing.assert_allclose(total / 4000, W, atol=0.05 * np.abs(W).max())


def losses(threads: int, seed: int, *, processes: bool) -> list[float]:
    rng = np.random.default_rng(55)
    config = NetworkConfig(7, 8, 2)
    network = random_network(rng, config)
    ids, targets = random_ids(rng, config, 5, 6)
    options = TrainingOptions(batch_size=6, seq_length=5, threads=threads, seed=seed, **RATES)
    sharded = ShardedNetwork(network, options, start_workers if processes else Threads)
    found = []
    with sharded:
        for step in range(3):
            sharded.reset()
            found.append(sharded.compute_gradient(ids, targets, step))
            sharded.gradient_norm()
            sharded.update(step + 1, 0.0, 1.0)  # a step that moves nothing: only the masks change
    return found


def test_masks_follow_from_the_seed_and_the_step() -> None:
    by_threads = losses(2, 1, processes=False)
    assert len(set(by_threads)) == 3
    assert losses(2, 1, processes=True) == by_threads
    assert not set(losses(2, 2, processes=False)) & set(by_threads)


def test_shards_have_masks_of_their_own() -> None:
    """Two streams with the same text, one in each shard, lose different outputs."""
    rng = np.random.default_rng(56)
    config = NetworkConfig(7, 8, 1)
    network = random_network(rng, config)
    options = TrainingOptions(batch_size=2, seq_length=5, threads=2, dropout=0.5)
    with ShardedNetwork(network, options, Threads) as sharded:
        # its windows are full of the first symbol
        one, other = sharded._workers.compute_gradient(0)
    assert one != other


@pytest.mark.parametrize("threads", [1, 2])
def test_a_resumed_training_with_dropout_is_the_same_to_the_bit(
    tmp_path: Path, threads: int
) -> None:
    whole, parts = tmp_path / "whole.npz", tmp_path / "parts.npz"
    options = {"layers": 2, "threads": threads, **RATES}
    finish(start(output=whole, **options))
    stop_after(start(output=parts, **options), 11)
    finish(resume(parts))
    assert_same_training(whole, parts)


def test_the_held_out_text_is_read_without_masks() -> None:
    trainer = start(**RATES, layers=2, learning_rate=1e-12)
    without = start(layers=2, learning_rate=1e-12)
    for one in (trainer, without):
        finish(one)
    assert trainer.state.validation_loss == pytest.approx(without.state.validation_loss, rel=1e-6)
