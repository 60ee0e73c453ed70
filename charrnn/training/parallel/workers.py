"""Shards at work side by side: in this thread, in threads, or in processes.

Processes are the faster way. Threads have to take turns in the interpreter between the products,
which costs a tenth of the time at 2 × 256 and more in smaller networks, where the turns are more
frequent. Where processes cannot share memory as it is done here, threads take their place.

The arrays lie in memory without a name that vanishes with the last process that holds it. A worker
is told what to do over a socket, and ends when the other end is closed: it never outlives the
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
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import prod
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Protocol

import numpy as np

from charrnn.errors import CharRNNError
from charrnn.machine.blas import one_thread
from charrnn.training.parallel.shard import Plan, Shard
from charrnn.types import Array

ALIGNMENT = 4096
"""Of arrays in shared memory, in bytes."""

START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from charrnn.training.parallel.workers import serve; serve(int(sys.argv[2]), int(sys.argv[3]))"
)
"""What a worker process runs: with our search path, whoever we are."""


class Workers(Protocol):
    """The shards of a plan, at work on common `arrays`."""

    arrays: dict[str, Array]

    def call(self, method: str, *arguments: Any) -> list[Any]:
        """The method on every shard at once; what each of them returned."""
        ...

    def call_first(self, method: str, *arguments: Any) -> list[Any]:
        """The method on the first shard alone, without a word to the others."""
        ...

    def close(self) -> None: ...


def hire(plan: Plan, *, processes: bool = True) -> Workers:
    """Workers for all shards of the plan, the fastest there are."""
    if plan.shards > 1 and processes and hasattr(os, "memfd_create") and sys.executable:
        # without enough of such memory, or of processes, threads will do
        with contextlib.suppress(OSError):
            return Processes(plan)
    return Threads(plan)


class Threads:
    """All shards in this process; a single one in this thread."""

    def __init__(self, plan: Plan) -> None:
        self.arrays: dict[str, Array] = {
            name: np.zeros(shape, dtype) for name, (shape, dtype) in plan.arrays().items()
        }
        self._shards = [Shard(plan, index, self.arrays) for index in range(plan.shards)]
        self._pool = ThreadPoolExecutor(plan.shards) if plan.shards > 1 else None

    def call(self, method: str, *arguments: Any) -> list[Any]:
        if self._pool is None:
            return self.call_first(method, *arguments)
        return list(self._pool.map(lambda shard: shard.call(method, *arguments), self._shards))

    def call_first(self, method: str, *arguments: Any) -> list[Any]:
        return [self._shards[0].call(method, *arguments)]

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()


class Processes:
    """The first shard in this thread, each of the others in a process of its own."""

    def __init__(self, plan: Plan) -> None:
        self._workers: list[tuple[subprocess.Popen[bytes], Connection]] = []
        memory = os.memfd_create("charrnn")
        try:
            os.ftruncate(memory, _size(plan))
            for index in range(1, plan.shards):
                self._workers.append(_start(plan, index, memory))
            self.arrays = _mapped(plan, memory)
        except BaseException:
            self.close()
            raise
        finally:
            os.close(memory)
        self._first = Shard(plan, 0, self.arrays)

    def call(self, method: str, *arguments: Any) -> list[Any]:
        for _, connection in self._workers:
            _checked(partial(connection.send, (method, arguments)))
        answers: list[Any] = [None]
        try:
            answers[0] = self._first.call(method, *arguments)
        finally:
            # whatever happened here, an answer that is left in the pipe would be taken for another
            replies = [_checked(connection.recv) for _, connection in self._workers]
        for answer, error in replies:
            if error is not None:
                raise error
            answers.append(answer)
        return answers

    def call_first(self, method: str, *arguments: Any) -> list[Any]:
        return [self._first.call(method, *arguments)]

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
            "the last checkpoint with --resume, with fewer --threads if it happens again"
        ) from error


def _size(plan: Plan) -> int:
    return sum(_bytes(*spec) for spec in plan.arrays().values())


def _bytes(shape: Sequence[int], dtype: str) -> int:
    return -(-prod(shape) * np.dtype(dtype).itemsize // ALIGNMENT) * ALIGNMENT


def _mapped(plan: Plan, memory: int) -> dict[str, Array]:
    """The arrays of the plan in the memory of that descriptor; zeros at first."""
    buffer = mmap.mmap(memory, _size(plan))
    arrays: dict[str, Array] = {}
    start = 0
    for name, (shape, dtype) in plan.arrays().items():
        arrays[name] = np.frombuffer(buffer, dtype, prod(shape), start).reshape(shape)
        start += _bytes(shape, dtype)
    return arrays


def _start(plan: Plan, index: int, memory: int) -> tuple[subprocess.Popen[bytes], Connection]:
    ours, theirs = Pipe()
    with theirs:
        process = subprocess.Popen(
            [
                sys.executable, "-c", START, json.dumps(sys.path),
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
    """The life of a worker process: do what the messages say until nobody sends any."""
    # what a signal to all processes of a training means, the first one decides
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # an end of the pipe that fails is the end of the training
    with Connection(descriptor) as connection, contextlib.suppress(EOFError, OSError), one_thread():
        plan, index = connection.recv()
        shard = Shard(plan, index, _mapped(plan, memory))
        os.close(memory)
        while True:
            method, arguments = connection.recv()
            answer: tuple[Any, Exception | None]
            try:
                answer = shard.call(method, *arguments), None
            except Exception as error:
                answer = None, error
            connection.send(answer)
