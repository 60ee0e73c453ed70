"""The losses at the end of a run: exact, within the time that there is, and to be interrupted."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoints.format import read_checkpoint
from charrnn.nn.network import Network
from charrnn.nn.reading import sum_losses_of_groups
from charrnn.training import evaluation, final_losses
from charrnn.training.evaluation import Evaluation
from charrnn.training.events import Event, Finished, Measuring, Step
from charrnn.training.final_losses import evenly, measure_parts
from helpers import TEXT, assert_same_training, finish, resume, start

PARTS: dict[str, Any] = {"validation_fraction": 0.2, "test_fraction": 0.1}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "EVALUATION_WARM_UP", 10**6)
    monkeypatch.setattr("os.fsync", lambda _: None)


def measured(
    seconds: float | None = None, *, stop_after: int = 1000
) -> tuple[list[Measuring], Any, Any]:
    """The events and the losses of an untrained network, and its plan."""
    plan = start(TEXT * 3, **PARTS).plan
    events: list[Measuring] = []
    work = measure_parts(
        plan.network,
        plan,
        sum_losses_of_groups,
        seconds=seconds,
        is_stopped=lambda: len(events) >= stop_after,
    )
    while True:
        try:
            events.append(next(work))
        except StopIteration as end:
            return events, end.value, plan


def test_pieces_together_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    events, losses, plan = measured()
    assert [(event.part, event.done) for event in events] == [("validation", 1.0), ("test", 1.0)]
    train, held_out, test = plan.split()
    assert (losses["validation"].symbols, losses["test"].symbols) == (len(held_out), len(test))
    exact = Evaluation(train, held_out).loss(plan.network)
    assert losses["validation"].mean == pytest.approx(exact, rel=1e-6)
    monkeypatch.setattr(final_losses, "PIECE_SYMBOLS", 100)
    events, in_pieces, _ = measured()
    assert [event.done for event in events if event.part == "validation"] == [0.25, 0.5, 0.75, 1]
    for name in ("validation", "test"):
        assert in_pieces[name].symbols == losses[name].symbols
        assert in_pieces[name].mean == pytest.approx(losses[name].mean, rel=1e-5)


def test_a_part_is_measured_where_the_time_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    loss = Evaluation.loss

    def slow(self: Evaluation, network: Network, *_: object) -> float:
        nonlocal now
        now += 10
        return loss(self, network)

    monkeypatch.setattr(Evaluation, "loss", slow)
    monkeypatch.setattr(final_losses, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(final_losses, "PIECE_SYMBOLS", 60)
    events, losses, _ = measured(seconds=35)
    assert sum(event.part == "validation" for event in events) == 3
    assert losses["validation"].symbols == 3 * 60
    assert now == 60, "as long for the test part"
    _, losses, _ = measured(seconds=1)
    assert losses["validation"].symbols == 60, "one piece at least"


def test_what_is_measured_is_spread_evenly() -> None:
    pieces = [(n, n + 1) for n in range(10)]
    assert evenly(pieces, 10) == evenly(pieces, 99) == pieces
    assert evenly(pieces, 2) == [(2, 3), (7, 8)]
    assert evenly(pieces, 0) == evenly(pieces, -1) == []


def test_it_ends_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(final_losses, "PIECE_SYMBOLS", 100)
    events, losses, _ = measured(stop_after=2)
    assert losses is None
    assert len(events) == 2


def test_a_run_that_is_stopped_meanwhile_is_only_measured_when_it_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(final_losses, "PIECE_SYMBOLS", 40)
    whole, parts = tmp_path / "whole.npz", tmp_path / "parts.npz"
    finish(start(output=whole, **PARTS))
    trainer = start(output=parts, **PARTS)
    events: list[Event] = []
    for event in trainer.run():
        events.append(event)
        if isinstance(event, Measuring):
            trainer.request_stop()
    assert sum(isinstance(event, Measuring) for event in events) == 1
    end = events[-1]
    assert isinstance(end, Finished)
    assert end.stopped
    assert not read_checkpoint(parts).training["finished"]
    again = finish(resume(parts))
    assert not any(isinstance(event, Step) for event in again)
    assert_same_training(whole, parts)
    assert np.isfinite(read_checkpoint(parts).training["test_loss"])
