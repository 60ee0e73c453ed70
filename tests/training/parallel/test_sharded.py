"""One batch over several threads: the same mathematics, and repeatable."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from charrnn.machine.blas import one_thread
from charrnn.nn.cells import CELLS
from charrnn.nn.network import Network, NetworkConfig
from charrnn.optim.optimizers import Adam
from charrnn.options import TrainingOptions
from charrnn.training.parallel import shard
from charrnn.training.parallel.sharded import ShardedNetwork, start_workers
from charrnn.training.parallel.workers import Threads
from charrnn.types import Array
from reference import random_ids, random_network

STEPS, BATCH = 5, 7  # 7 streams: no two shards of three, or of two, are alike
SMALL = NetworkConfig(6, 5, 2)  # fewer weights than one block
LARGE = NetworkConfig(50, 64, 2)  # three blocks, the last one not full


@pytest.fixture(autouse=True, scope="module")
def _products_on_one_thread() -> Iterator[None]:
    """As in training: the threads are those of the shards, not those of BLAS."""
    with one_thread():
        yield


@dataclass
class Outcome:
    losses: list[float]
    norms: list[float]
    gradient: Array
    weights: Array
    state: Array
    moments: Array


def train(
    config: NetworkConfig,
    threads: int,
    dtype: type[np.floating] = np.float64,
    *,
    scale: float = 0.9,
    processes: bool = False,
) -> Outcome:
    """Five steps of training from a random network; the last step's gradient."""
    rng = np.random.default_rng(41)
    network = random_network(rng, config, dtype)
    losses, norms = [], []
    options = TrainingOptions(batch_size=BATCH, seq_length=STEPS, threads=threads)
    with ShardedNetwork(network, options, start_workers if processes else Threads) as sharded:
        for step in range(5):
            losses.append(sharded.compute_gradient(*random_ids(rng, config, STEPS, BATCH), step))
            norms.append(sharded.gradient_norm())
            gradient = sharded.gradient.flat.copy()
            sharded.update(step + 1, 1e-3, scale)
        weights = network.parameters.flat.copy()
        return Outcome(losses, norms, gradient, weights, sharded.state, sharded.moments.copy())


def sharded_network(network: Network, steps: int, batch: int, threads: int) -> ShardedNetwork:
    """With Adam, in this process."""
    options = TrainingOptions(batch_size=batch, seq_length=steps, threads=threads)
    return ShardedNetwork(network, options, Threads)


@pytest.mark.parametrize("config", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("threads", [2, 3])
def test_threads_agree_in_float64(config: NetworkConfig, threads: int) -> None:
    one, many = train(config, 1), train(config, threads)
    np.testing.assert_allclose(many.losses, one.losses, rtol=1e-12)
    np.testing.assert_allclose(many.norms, one.norms, rtol=1e-12)
    np.testing.assert_allclose(many.gradient, one.gradient, rtol=0, atol=1e-12)
    np.testing.assert_allclose(many.weights, one.weights, rtol=0, atol=1e-12)
    np.testing.assert_allclose(many.state, one.state, rtol=0, atol=1e-12)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_agree_in_float32_to_its_rounding(threads: int) -> None:
    one, many = train(SMALL, 1, np.float32), train(SMALL, threads, np.float32)
    assert many.weights.dtype == many.gradient.dtype == np.float32
    np.testing.assert_allclose(many.losses, one.losses, rtol=1e-5)
    np.testing.assert_allclose(many.norms, one.norms, rtol=1e-5)
    np.testing.assert_allclose(many.gradient, one.gradient, rtol=0, atol=1e-5)
    np.testing.assert_allclose(many.weights, one.weights, rtol=0, atol=1e-5)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_run_repeats_to_the_bit(threads: int) -> None:
    first, again = (train(LARGE, threads, np.float32) for _ in range(2))
    assert first.losses == again.losses
    assert first.norms == again.norms
    np.testing.assert_array_equal(first.gradient, again.gradient)
    np.testing.assert_array_equal(first.weights, again.weights)
    np.testing.assert_array_equal(first.state, again.state)


@pytest.mark.parametrize("block", [1, 64, 10**6])
def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    expected = train(SMALL, 2)
    monkeypatch.setattr(shard, "UPDATE_BLOCK", block)
    outcome = train(SMALL, 2)
    np.testing.assert_array_equal(outcome.weights, expected.weights)
    np.testing.assert_allclose(outcome.norms, expected.norms, rtol=1e-12)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_loss_and_gradient_are_means_over_the_window(threads: int) -> None:
    rng = np.random.default_rng(42)
    network = random_network(rng, LARGE)
    ids, targets = random_ids(rng, LARGE, STEPS, BATCH)
    workspace, expected = (
        network.workspace(STEPS, BATCH, training=True),
        network.parameters.zeros_like(),
    )
    losses = workspace.losses(ids, targets).copy()
    workspace.backward(expected, 1 / losses.size)
    with sharded_network(network, STEPS, BATCH, threads) as sharded:
        assert sharded.compute_gradient(ids, targets, 0) == pytest.approx(losses.mean(), rel=1e-12)
        norm = sharded.gradient_norm()
    np.testing.assert_allclose(sharded.gradient.flat, expected.flat, rtol=0, atol=1e-13)
    assert norm == pytest.approx(np.linalg.norm(expected.flat), rel=1e-12)


@pytest.mark.parametrize("threads", [1, 3])
def test_an_update_is_a_step_of_the_optimizer_along_the_scaled_gradient(threads: int) -> None:
    rng = np.random.default_rng(43)
    network = random_network(rng, LARGE)
    weights = network.parameters.flat.copy()
    by_hand = Adam(weights)
    with sharded_network(network, STEPS, BATCH, threads) as sharded:
        for step in range(2):
            sharded.compute_gradient(*random_ids(rng, LARGE, STEPS, BATCH), step)
            sharded.gradient_norm()
            by_hand.update(
                step + 1,
                weights,
                1e-7 * sharded.gradient.flat,
                0.01,
                slice(None),
                np.empty_like(weights),
            )
            sharded.update(step + 1, 0.01, 1e-7)  # so small that Adam's ε makes the scale matter
            np.testing.assert_allclose(network.parameters.flat, weights, rtol=0, atol=1e-14)


@pytest.mark.parametrize("threads", [1, 3])
def test_numbers_of_the_scaled_gradient_are_clipped(threads: int) -> None:
    rng = np.random.default_rng(49)
    network = random_network(rng, LARGE)
    before = network.parameters.flat.copy()
    options = TrainingOptions(batch_size=BATCH, seq_length=STEPS, threads=threads, optimizer="sgd")
    with ShardedNetwork(network, options, Threads) as sharded:
        sharded.compute_gradient(*random_ids(rng, LARGE, STEPS, BATCH), 0)
        sharded.gradient_norm()
        scaled = 0.5 * sharded.gradient.flat
        limit = float(np.abs(scaled).mean())
        sharded.update(1, 0.01, 0.5, limit)
    expected = before - 0.01 * np.clip(scaled, -limit, limit)
    np.testing.assert_allclose(network.parameters.flat, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_state_is_a_copy_and_comes_back_as_it_was_set(threads: int) -> None:
    rng = np.random.default_rng(44)
    network = random_network(rng, SMALL)
    ids, targets = random_ids(rng, SMALL, STEPS, BATCH)
    with sharded_network(network, STEPS, BATCH, threads) as sharded:
        state: Array = rng.normal(size=sharded.state.shape)
        assert state.shape == (2, 2, 5, BATCH)
        sharded.state = state
        copy = sharded.state
        np.testing.assert_array_equal(copy, state)
        first = sharded.compute_gradient(ids, targets, 0)
        np.testing.assert_array_equal(copy, state)
        assert sharded.compute_gradient(ids, targets, 0) != first
        sharded.state = copy
        assert sharded.compute_gradient(ids, targets, 0) == first


def test_a_state_travels_between_different_numbers_of_threads() -> None:
    rng = np.random.default_rng(45)
    network = random_network(rng, SMALL)
    ids, targets = random_ids(rng, SMALL, STEPS, BATCH)
    with (
        sharded_network(network, STEPS, BATCH, 1) as one,
        sharded_network(network, STEPS, BATCH, 3) as three,
    ):
        one.compute_gradient(ids, targets, 0)
        three.state = one.state
        loss = one.compute_gradient(ids, targets, 0)
        assert three.compute_gradient(ids, targets, 0) == pytest.approx(loss, rel=1e-12)


@pytest.mark.parametrize("threads", [1, 3])
def test_reset_makes_every_state_zero(threads: int) -> None:
    rng = np.random.default_rng(46)
    network = random_network(rng, SMALL)
    ids, targets = random_ids(rng, SMALL, STEPS, BATCH)
    with sharded_network(network, STEPS, BATCH, threads) as sharded:
        first = sharded.compute_gradient(ids, targets, 0)
        assert sharded.state.all()
        sharded.reset()
        assert not sharded.state.any()
        assert sharded.compute_gradient(ids, targets, 0) == first


@pytest.mark.parametrize(("asked", "given"), [(1, 1), (3, 3), (4, 3), (100, 3)])
def test_there_are_no_more_threads_than_streams(asked: int, given: int) -> None:
    rng = np.random.default_rng(47)
    network = random_network(rng, SMALL)
    ids, targets = random_ids(rng, SMALL, STEPS, 3)
    with sharded_network(network, STEPS, 3, asked) as sharded:
        assert sharded.threads == given
        loss = sharded.compute_gradient(ids, targets, 0)
    assert loss == pytest.approx(network.workspace(STEPS, 3).losses(ids, targets).mean(), rel=1e-12)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_in_a_thread_reaches_the_caller(threads: int) -> None:
    rng = np.random.default_rng(48)
    network = random_network(rng, SMALL)
    ids, targets = random_ids(rng, SMALL, STEPS, BATCH)
    with (
        sharded_network(network, STEPS, BATCH, threads) as sharded,
        pytest.raises(ValueError, match="shape"),
    ):
        sharded.compute_gradient(ids[1:], targets, 0)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_a_text_can_be_learned_by_heart(cell: str, threads: int) -> None:
    text = b"the cat sat on the mat, and then the rat"
    ids = np.unique(np.frombuffer(text + b".", np.uint8), return_inverse=True)[1].reshape(-1, 1)
    streams = np.hstack([ids, ids[::-1]])  # forwards and backwards, one a stream
    config = NetworkConfig(int(ids.max()) + 1, 32, 1, cell)
    network = Network.create(config, np.random.default_rng(35))
    with sharded_network(network, len(text), 2, threads) as sharded:
        for step in range(250):
            sharded.reset()
            loss = sharded.compute_gradient(streams[:-1], streams[1:], step)
            sharded.update(step + 1, 0.01, min(1.0, 5 / sharded.gradient_norm()))
    assert loss < 0.05


@pytest.mark.parametrize("V", [50, 1000])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_a_training_step_allocates_nothing_of_the_size_of_a_batch(
    cell: str, threads: int, V: int
) -> None:
    # NumPy buffers up to three operands of a ufunc, 8192 numbers each, for each thread: 192 KiB.
    # One (B, H) array is more than that, and T·B indices of 8 bytes are no less.
    T, B, H = 16, 4096, 32
    rng = np.random.default_rng(36)
    config = NetworkConfig(V, H, 2, cell)
    network = random_network(rng, config, np.float32)
    ids, targets = (x.astype(np.uint16) for x in random_ids(rng, config, T, B))
    with sharded_network(network, T, B, threads) as sharded:

        def step() -> None:
            sharded.compute_gradient(ids, targets, 0)
            sharded.update(1, 1e-3, min(1.0, 5 / sharded.gradient_norm()))

        tracemalloc.start()
        try:
            for _ in range(2):
                step()
            tracemalloc.reset_peak()
            start, _ = tracemalloc.get_traced_memory()
            step()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    allocated, one_array = peak - start, H * B * 4
    assert allocated < one_array
