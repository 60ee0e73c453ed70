"""Signs of life: who is silent for too long is known, and nobody else."""

import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from charrnn.training.parallel import heartbeat
from charrnn.training.parallel.heartbeat import beat, heartbeats, listen


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "INTERVAL", 0.02)
    monkeypatch.setattr(heartbeat, "SILENCE", 10)


@pytest.fixture
def channel() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        yield found


class Sender:
    """Ranks that beat until they are stopped."""

    def __init__(self, address: Any, ranks: tuple[int, ...]) -> None:
        self._ends = {rank: threading.Event() for rank in ranks}
        self._threads = [threading.Thread(target=self._beat, args=(r, address)) for r in ranks]
        for thread in self._threads:
            thread.start()

    def _beat(self, rank: int, address: Any) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            beat(channel, rank, address, self._ends[rank])

    def stop(self, *ranks: int) -> None:
        for rank in ranks or self._ends:
            self._ends[rank].set()

    def join(self) -> None:
        self.stop()
        for thread in self._threads:
            thread.join()


def test_the_rank_that_falls_silent_is_named(channel: socket.socket) -> None:
    found: list[int] = []
    senders = Sender(channel.getsockname(), (1, 2, 3))
    while channel.recv(16) != b"2":
        pass
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rank:  # its last sign, to be heard
        rank.sendto(b"2", channel.getsockname())
    senders.stop(2)
    watch = threading.Thread(target=listen, args=(channel, 4, threading.Event(), found.append))
    watch.start()
    watch.join(timeout=60)
    senders.join()
    assert found == [2]


def test_ranks_that_beat_are_left_alone(channel: socket.socket) -> None:
    found: list[int] = []
    senders, end = Sender(channel.getsockname(), (1, 2)), threading.Event()
    watch = threading.Thread(target=listen, args=(channel, 3, end, found.append))
    watch.start()
    watch.join(timeout=1)  # five times as long as a silence
    assert watch.is_alive()
    end.set()
    watch.join()
    senders.join()
    assert found == []


def test_where_nothing_passes_there_is_no_watch(channel: socket.socket) -> None:
    found: list[int] = []
    end = threading.Event()
    watch = threading.Thread(target=listen, args=(channel, 3, end, found.append))
    watch.start()
    watch.join(timeout=0.5)
    assert watch.is_alive()
    end.set()
    watch.join()
    assert found == []


def test_what_is_no_sign_of_life_is_passed_over(channel: socket.socket) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"hello", channel.getsockname())
        stranger.sendto(b"1", channel.getsockname())
    found: list[int] = []
    watch = threading.Thread(target=listen, args=(channel, 2, threading.Event(), found.append))
    watch.start()
    watch.join(timeout=60)
    assert found == [1]


def test_a_rank_ends_where_mpiexec_is_gone(
    channel: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    parents = iter([100, 100, 1])
    monkeypatch.setattr(os, "getppid", lambda: next(parents))

    def end(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", end)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own,
        pytest.raises(SystemExit) as ended,
    ):
        beat(own, 7, channel.getsockname(), threading.Event())
    assert ended.value.code == 1
    assert channel.recv(16) == b"7", "it has beaten before"


class OneRank:
    """A world of one."""

    rank, size = 0, 1

    def send_object(self, value: Any) -> Any:
        return value


def test_the_watch_ends_with_its_context() -> None:
    before = threading.active_count()
    with heartbeats(OneRank(), pytest.fail):  # type: ignore[arg-type]
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
