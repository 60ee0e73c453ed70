"""Shards in processes of their own: the same to the bit, and nobody left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.errors import CharRNNError
from charrnn.machine.blas import one_thread
from charrnn.nn.network import NetworkConfig
from charrnn.options import TrainingOptions
from charrnn.training.parallel.processes import Processes
from charrnn.training.parallel.shard import ShardingPlan
from charrnn.training.parallel.sharded import ShardedNetwork, start_workers
from charrnn.training.parallel.workers import Threads
from charrnn.types import Array
from reference import random_ids, random_network

pytestmark = pytest.mark.skipif(
    not hasattr(os, "memfd_create"), reason="memory cannot be shared this way here"
)
CONFIG = NetworkConfig(50, 64, 2)
LARGE = NetworkConfig(60, 160, 2)  # so many weights that their update is shared out
STEPS, BATCH = 5, 7


@pytest.fixture(autouse=True, scope="module")
def _products_on_one_thread() -> Iterator[None]:
    with one_thread():
        yield


def train(config: NetworkConfig, threads: int, *, processes: bool) -> dict[str, Any]:
    """Everything that comes out of three steps, from a state that is not zero."""
    rng = np.random.default_rng(51)
    network = random_network(rng, config, np.float32)
    losses: list[float] = []
    norms: list[float] = []
    options = TrainingOptions(batch_size=BATCH, seq_length=STEPS, threads=threads)
    with ShardedNetwork(network, options, start_workers if processes else Threads) as sharded:
        assert isinstance(sharded._workers, Processes if processes and threads > 1 else Threads)
        sharded.state = rng.normal(size=sharded.state.shape).astype(np.float32)
        for step in range(3):
            losses.append(sharded.compute_gradient(*random_ids(rng, config, STEPS, BATCH), step))
            norms.append(sharded.gradient_norm())
            sharded.update(step + 1, 1e-3, 0.7)
        state = sharded.state
        sharded.reset()
        assert not sharded.state.any()
    weights: Array = network.parameters.flat
    return {
        "losses": losses, "norms": norms, "state": state, "weights": weights,
        "moments": sharded.moments,
    }  # fmt: skip


@pytest.mark.parametrize("config", [CONFIG, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("threads", [2, 3])
def test_processes_and_threads_agree_to_the_bit(config: NetworkConfig, threads: int) -> None:
    by_threads, by_processes = (
        train(config, threads, processes=processes) for processes in (False, True)
    )
    for name, value in by_threads.items():
        np.testing.assert_array_equal(by_processes[name], value, err_msg=name)


def plan(shards: int = 2) -> ShardingPlan:
    return ShardingPlan(CONFIG, "float32", STEPS, BATCH, shards, "adam")


def test_workers_end_with_their_training() -> None:
    team = Processes(plan(3))
    processes = [process for process, _ in team._workers]
    assert [process.poll() for process in processes] == [None, None]
    team.close()
    assert [process.returncode for process in processes] == [0, 0]


def test_a_worker_that_dies_is_an_error_that_says_what_to_do() -> None:
    team = Processes(plan())
    process, _ = team._workers[0]
    process.kill()
    process.wait()
    with pytest.raises(CharRNNError, match=r"worker process .* `resume`"):
        team.compute_gradient(0)
    team.close()


def test_an_error_in_a_worker_reaches_the_caller_and_leaves_it_at_work() -> None:
    team = Processes(plan())
    with pytest.raises(AttributeError, match="no_such_method"):
        team._call_all("no_such_method")
    _, connection = team._workers[0]
    connection.send(("update", ()))
    answer, error = connection.recv()
    assert answer is None
    assert isinstance(error, TypeError)
    assert len(team.compute_gradient(0)) == 2
    team.close()


def test_signals_of_the_terminal_do_not_end_a_worker() -> None:
    team = Processes(plan())
    team.compute_gradient(0)  # so that it is past its first moments
    process, _ = team._workers[0]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process.send_signal(number)
    assert len(team.compute_gradient(0)) == 2
    team.close()
    assert process.returncode == 0


CHILD = """
import sys, time
from charrnn.nn.network import NetworkConfig
from charrnn.training.parallel.shard import ShardingPlan
from charrnn.training.parallel.processes import Processes
team = Processes(ShardingPlan(NetworkConfig(9, 8, 1), "float32", 4, 4, 2, "adam"))
team.compute_gradient(0)
print(team._workers[0][0].pid, flush=True)
time.sleep(600)
"""


def test_a_worker_does_not_outlive_a_training_that_was_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert is_running(worker)
        parent.kill()
    deadline = time.monotonic() + 30
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(worker)


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("call", ["memfd_create", "ftruncate"])
def test_without_shared_memory_threads_do_the_work(
    monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    team = start_workers(plan())
    assert isinstance(team, Threads)
    assert len(team.compute_gradient(0)) == 2
    team.close()


def test_one_shard_needs_no_worker() -> None:
    assert isinstance(start_workers(plan(1)), Threads)
