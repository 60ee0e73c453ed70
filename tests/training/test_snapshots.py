"""Snapshots of the weights in the course of a training."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoints.format import read_checkpoint
from charrnn.checkpoints.snapshot_file import listed_snapshots, read_snapshots, snapshots_path
from charrnn.errors import CheckpointError, OptionError
from charrnn.options import TrainingOptions
from charrnn.training.events import NotSaved, Step
from charrnn.training.session import open_training
from charrnn.training.snapshots import MOST_SNAPSHOTS, stride
from charrnn.training.trainer import Trainer
from helpers import NO_REGULARISATION, SMALL, STEPS, corpus, finish, resume, start, stop_after


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "a.npz"


def kept(output: Path) -> dict[int, Any]:
    """The weights in the snapshots that the checkpoint names."""
    checkpoint = read_checkpoint(output)
    record = {each["step"]: each["sha256"] for each in checkpoint.training["snapshots"]}
    path = snapshots_path(output)
    assert record.items() <= listed_snapshots(path).items()
    return dict(read_snapshots(path, record, checkpoint.config.size))


def test_there_are_never_too_many() -> None:
    for every in (1, 3, 7):
        for step in range(600):
            width = stride(every, step)
            steps = range(0, step + 1, width)
            assert len(steps) <= MOST_SNAPSHOTS
            assert width == every or len(range(0, step + 1, width // 2)) > MOST_SNAPSHOTS
            assert width % every == 0


def weights_by_step(trainer: Trainer) -> dict[int, Any]:
    """Run; the weights after each step, of the last time that it came."""
    seen = {0: trainer.network.parameters.flat.copy()}

    def note(event: Step) -> None:
        seen[event.step] = trainer.network.parameters.flat.copy()

    finish(trainer, note)
    return seen


def test_the_weights_of_every_few_steps(output: Path) -> None:
    seen = weights_by_step(start(output=output, keep=5, keep_at=(3, 31)))
    found = kept(output)
    assert list(found) == [0, 3, 5, 10, 15, 20, 25, 30, 31, 35]
    for step, weights in found.items():
        np.testing.assert_allclose(weights, seen[step], rtol=2**-11, atol=1e-7)


def test_every_second_one_is_dropped(output: Path) -> None:
    finish(start(output=output, keep=1, keep_at=(1, 5)))
    assert STEPS == 37
    assert list(kept(output)) == sorted([*range(0, 37, 2), 1, 5])


def test_without_the_wish_there_is_no_file(output: Path) -> None:
    finish(start(output=output))
    assert [path.name for path in output.parent.iterdir()] == ["a.npz"]
    assert read_checkpoint(output).training["snapshots"] == []


def test_they_do_not_change_the_training(tmp_path: Path) -> None:
    for name, every in (("a.npz", 0), ("b.npz", 4)):
        finish(start(output=tmp_path / name, keep=every))
    a, b = (read_checkpoint(tmp_path / name) for name in ("a.npz", "b.npz"))
    assert a.weights.tobytes() == b.weights.tobytes()


def test_after_a_kill_they_are_the_same(tmp_path: Path) -> None:
    """The file is ahead of the checkpoint, even by a thinning."""
    whole, parts, earlier = tmp_path / "w.npz", tmp_path / "p.npz", tmp_path / "earlier"
    finish(start(output=whole, keep=1))
    stop_after(start(output=parts, keep=1), 20)
    shutil.copy(parts, earlier)
    stop_after(resume(parts), 31)
    shutil.copy(earlier, parts)
    finish(resume(parts))
    assert snapshots_path(whole).read_bytes() == snapshots_path(parts).read_bytes()
    assert kept(whole).keys() == kept(parts).keys()


def test_after_a_divergence_there_are_none_of_the_lost_steps(output: Path) -> None:
    trainer = start(output=output, keep=2)

    def spoil(event: Step) -> None:
        seen[event.step] = trainer.network.parameters.flat.copy()
        if event.step == 13 and not trainer.state.recoveries:
            trainer.network.parameters["W0"][0, 0] = np.nan

    seen = {0: trainer.network.parameters.flat.copy()}
    finish(trainer, spoil)
    assert trainer.state.recoveries == 1
    found = kept(output)
    assert list(found) == list(range(0, STEPS, 2))
    for step, weights in found.items():
        np.testing.assert_allclose(weights, seen[step], rtol=2**-11, atol=1e-7)


def test_a_training_goes_on_without_a_file_that_it_cannot_write(output: Path) -> None:
    trainer, path = start(output=output, keep=5), snapshots_path(output)
    events = []
    for event in trainer.run():
        events.append(event)
        if type(event) is Step and event.step == 12:
            path.write_text("mine")
    failures = [event for event in events if isinstance(event, NotSaved)]
    assert [event.step for event in failures] == [15, 20, 25, 30, 35]
    assert failures[0].path == path
    assert "is not a file of snapshots" in failures[0].reason
    assert path.read_text() == "mine"
    assert trainer.state.finished


def run_session(output: Path, **options: Any) -> None:
    session = {name: options.pop(name, False) for name in ("resume", "overwrite")}
    given = NO_REGULARISATION | SMALL | {"hidden_size": 8, "layers": 1} | options
    if session["resume"]:
        given = options
    with open_training(corpus, given, output=output, **session) as trainer:
        finish(trainer)


def test_snapshots_of_another_training_are_not_overwritten(output: Path) -> None:
    run_session(output, keep=5)
    path = snapshots_path(output)
    before = path.read_bytes()
    output.unlink()
    with pytest.raises(CheckpointError, match="has the snapshots of another training: move it"):
        run_session(output, keep=5, seed=2)
    assert path.read_bytes() == before
    run_session(output, seed=2)  # without snapshots of its own
    with pytest.raises(CheckpointError, match="has the snapshots of another training: move it"):
        run_session(output, resume=True, keep=5, epochs=3.0)
    assert path.read_bytes() == before
    run_session(output, keep=9, seed=2, overwrite=True)
    assert list(kept(output)) == [0, 9, 18, 27, 36]


def test_a_file_that_is_not_ours_is_never_overwritten(output: Path) -> None:
    snapshots_path(output).write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(CheckpointError, match="is not a file of snapshots"):
            run_session(output, keep=5, overwrite=overwrite)
        assert not output.exists()
    assert snapshots_path(output).read_text() == "mine"


def test_a_training_that_was_killed_before_its_first_checkpoint_can_begin_again(
    output: Path,
) -> None:
    trainer = start(output=output, keep=5)
    trainer.snapshots.keep(trainer.network.parameters.flat)
    assert not output.exists()
    run_session(output, keep=5)
    assert len(kept(output)) == 8


def test_a_resumed_training_goes_on_with_them(output: Path) -> None:
    run_session(output, keep=5)
    run_session(output, resume=True, epochs=3.0)
    assert list(kept(output)) == list(range(0, 49, 5))
    run_session(output, resume=True, epochs=4.0, keep=0)
    assert list(kept(output)) == list(range(0, 49, 5)), "no more are added, none is lost"
    snapshots_path(output).unlink()
    run_session(output, resume=True, epochs=5.0, keep=10)
    assert list(kept(output)) == [70, 80]


def test_options_that_make_no_sense() -> None:
    for wrong in (-1, 1.5, True, "3"):
        with pytest.raises(OptionError, match="`keep` must be a whole number of at least 0"):
            TrainingOptions(keep=wrong)  # type: ignore[arg-type]
    for steps in ((-1,), (1.5,), (True,), "12", 3, tuple(range(25))):
        with pytest.raises(OptionError, match="`keep_at` must be at most 24 whole numbers"):
            TrainingOptions(keep_at=steps)  # type: ignore[arg-type]
    assert TrainingOptions(keep_at=[9, 3, 3]).keep_at == (3, 9)  # type: ignore[arg-type]
    with (
        pytest.raises(OptionError, match="`keep_at` needs an `output`"),
        open_training(corpus, SMALL | {"keep_at": (3,)}, output=None),
    ):
        pass
