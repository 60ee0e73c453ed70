"""Shards in processes that share memory.

The arrays lie in anonymous shared memory, which is freed with the last process that uses it. A
worker gets its calls over a socket, and ends when the other end is closed: it never outlives the
training, however that ends.
"""

import contextlib
import json
import mmap
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from charrnn.errors import CharRNNError
from charrnn.machine.blas import one_thread
from charrnn.training.parallel.shard import Shard, ShardingPlan
from charrnn.training.parallel.workers import LocalWorkers
from charrnn.types import Array

ALIGNMENT = 4096
"""Bytes: arrays in shared memory begin at a multiple of this."""

START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from charrnn.training.parallel.processes import serve; "
    "serve(int(sys.argv[2]), int(sys.argv[3]))"
)
"""The program of a worker process."""


def are_possible() -> bool:
    """Whether this system can share memory between processes in the way that is used here."""
    return hasattr(os, "memfd_create") and bool(sys.executable)


class Processes(LocalWorkers):
    """The first shard in this thread, each of the others in a process of its own.

    Raises OSError where the system refuses memory or processes.
    """

    def __init__(self, plan: ShardingPlan) -> None:
        super().__init__(plan)
        self._workers: list[tuple[subprocess.Popen[bytes], Connection]] = []
        memory = os.memfd_create("charrnn")
        try:
            os.ftruncate(memory, _size(plan))
            first, *others = plan.shards_of(plan.rank)
            for index in others:
                self._workers.append(_start(plan, index, memory))
            self.arrays = _mapped(plan, memory)
            self._first = Shard(plan, first, self.arrays)
        except BaseException:
            self.close()
            raise
        finally:
            os.close(memory)

    def _call_all(self, method: str, *arguments: Any) -> list[Any]:
        for _, connection in self._workers:
            _checked(partial(connection.send, (method, arguments)))
        answers: list[Any] = [None]
        try:
            answers[0] = getattr(self._first, method)(*arguments)
        finally:
            # after an error, too: an answer left in the pipe would answer the next call
            replies = [_checked(connection.recv) for _, connection in self._workers]
        for answer, error in replies:
            if error is not None:
                raise error
            answers.append(answer)
        return answers

    def _call_first(self, method: str, *arguments: Any) -> list[Any]:
        return [getattr(self._first, method)(*arguments)]

    def close(self) -> None:
        for _, connection in self._workers:
            connection.close()
        for process, _ in self._workers:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _checked(talk: Callable[[], Any]) -> Any:
    try:
        return talk()
    except (EOFError, OSError) as error:
        raise CharRNNError(
            "a worker process of this training has ended, perhaps for want of memory: go on from "
            "the last checkpoint with `resume`, with fewer `threads` if it happens again"
        ) from error


def _size(plan: ShardingPlan) -> int:
    return sum(_bytes(*spec) for spec in plan.arrays().values())


def _bytes(shape: Sequence[int], dtype: str) -> int:
    return -(-prod(shape) * np.dtype(dtype).itemsize // ALIGNMENT) * ALIGNMENT


def _mapped(plan: ShardingPlan, memory: int) -> dict[str, Array]:
    """The arrays of the plan in the memory of that descriptor; zeros at first."""
    buffer = mmap.mmap(memory, _size(plan))
    arrays: dict[str, Array] = {}
    start = 0
    for name, (shape, dtype) in plan.arrays().items():
        arrays[name] = np.frombuffer(buffer, dtype, prod(shape), start).reshape(shape)
        start += _bytes(shape, dtype)
    return arrays


def search_path() -> list[str]:
    """Where a worker looks for modules: where this process does, but not in the current folder,
    which may hold a text next to a json.py, unless this package itself lies there."""
    package = Path(__file__).resolve().parents[3]
    places = [os.path.abspath(os.fspath(path)) for path in sys.path]  # '' is the current folder
    return [path for path in places if path != os.getcwd() or Path(path).resolve() == package]


def _start(
    plan: ShardingPlan, index: int, memory: int
) -> tuple[subprocess.Popen[bytes], Connection]:
    ours, theirs = Pipe()
    with theirs:
        process = subprocess.Popen(
            [
                # -P: the current folder is no place to import from
                sys.executable, "-P", "-c", START, json.dumps(search_path()),
                str(theirs.fileno()), str(memory),
            ],
            pass_fds=(theirs.fileno(), memory),
            process_group=0,  # what is typed at the terminal is for the training alone
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
    ours.send((plan, index))
    return process, ours


def serve(descriptor: int, memory: int) -> None:
    """The loop of a worker process: call what arrives, until the connection is closed."""
    # a signal to all processes of a training is for the first one, which ends the workers
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # a connection that is closed or fails means that the training has ended
    with Connection(descriptor) as connection, contextlib.suppress(EOFError, OSError), one_thread():
        plan, index = connection.recv()
        shard = Shard(plan, index, _mapped(plan, memory))
        os.close(memory)
        while True:
            method, arguments = connection.recv()
            answer: tuple[Any, Exception | None]
            try:
                answer = getattr(shard, method)(*arguments), None
            except Exception as error:
                answer = None, error
            connection.send(answer)
