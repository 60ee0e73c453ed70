"""What may happen to a training: kills, other trainings, disks and folders, clocks."""

import os
import re
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoints.format import read_checkpoint
from charrnn.errors import CheckpointError, OptionError
from charrnn.training.events import Event, NotSaved, Report, Saved
from charrnn.training.plan import plan_resumed, plan_training
from charrnn.training.trainer import Trainer
from cli_helpers import (
    SMALL,
    header,
    only_line,
    process,
    refuse,
    run,
    same_training,
    succeed,
    write,
)
from helpers import NO_REGULARISATION, corpus
from kills import kill_trainings

resource = pytest.importorskip("resource", reason="no limits on this system")
LONG = (*SMALL, "--epochs", "1000000")


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    write("a.txt")


# Kills


def test_trainings_that_are_killed() -> None:
    tally = kill_trainings(Path.cwd(), kills=4, seed=5, threads=2)
    assert tally.kills == 4
    assert tally.trainings >= 1


@pytest.mark.parametrize("patience", [0, 1])
def test_a_training_killed_before_its_losses_are_measured(tmp_path: Path, patience: int) -> None:
    """Between the save after its last step and its end: it has only to be measured then."""
    output, whole = tmp_path / "a.npz", tmp_path / "whole.npz"
    options = {"patience": patience, "test_fraction": 0.1, "learning_rate": 0.5}
    for _ in begun(whole, **options).run():
        pass
    last = header(whole)["training"]["step"]
    events = begun(output, **options).run()
    for event in events:
        if isinstance(event, Saved) and event.step == last:
            events.close()  # type: ignore[attr-defined]
            break
    assert header(output)["training"]["test_loss"] is None
    text = corpus(Path("a.txt").read_text())
    resumed = Trainer(plan_resumed(read_checkpoint(output), text, {}, output=output))
    for _ in resumed.run():
        pass
    same_training(output, whole)
    assert header(output)["training"]["test_loss"] is not None
    with pytest.raises(OptionError, match=r"used up its budget|stopped early"):
        Trainer(plan_resumed(read_checkpoint(output), corpus(Path("a.txt").read_text()), {}))


def test_what_a_killed_training_left_is_cleared_away() -> None:
    for name in (".a.npz.lock", ".a.npz.x1.partial", ".b.npz.x2.partial"):
        write(name, b"999999999")
    succeed("train", "a.txt", *SMALL, "--epochs", "0.2", "-q")
    assert sorted(os.listdir()) == [".b.npz.x2.partial", "a.npz", "a.txt"]


# Two trainings


def test_a_second_training_to_the_same_output_is_refused() -> None:
    with process("train", "a.txt", *LONG) as first:
        assert first.stderr
        for line in first.stderr:
            if line.startswith(b"step "):
                break
        for words in (("--resume",), ("--force", *SMALL), ("--force", *SMALL, "-o", "./a.npz")):
            message = only_line(run("train", "a.txt", *words, "-q").errors)
            assert re.fullmatch(
                rf"another training \(process {first.pid}\) is writing a.npz: .*--output", message
            )
        assert run("train", "a.txt", *SMALL, "--epochs", "0.2", "-o", "b.npz", "-q").code == 0
        first.send_signal(signal.SIGINT)
        first.communicate()
    assert first.returncode == 130


# A disk that is full, a folder that goes away


def begun(output: Path, **options: Any) -> Trainer:
    given = NO_REGULARISATION | {"batch_size": 4, "seq_length": 8, "epochs": 5.0} | options
    sizes = {"hidden_size": 8, "layers": 1}
    return Trainer(plan_training(corpus(Path("a.txt").read_text()), given | sizes, output=output))


def test_a_save_that_fails_is_told_and_tried_again(tmp_path: Path) -> None:
    output = tmp_path / "models" / "a.npz"
    output.parent.mkdir()
    trainer, events = begun(output), []
    for event in trainer.run():
        events.append(event)
        if isinstance(event, Report) and event.validated:
            validations = sum(isinstance(event, Report) and event.validated for event in events)
            if validations == 3:
                output.parent.rename(tmp_path / "away")
            if validations == 6:
                (tmp_path / "away").rename(output.parent)
    failed = [event for event in events if isinstance(event, NotSaved)]
    assert len(failed) == 3
    assert "No such file or directory" in failed[0].reason
    whole = begun(tmp_path / "whole.npz")
    for _ in whole.run():
        pass
    same_training(output, tmp_path / "whole.npz")


def run_without_folder(trainer: Trainer, events: list[Event]) -> None:
    """Train, while the folder of the output is deleted again and again."""
    assert trainer.plan.output
    for event in trainer.run():
        events.append(event)
        shutil.rmtree(trainer.plan.output.parent, ignore_errors=True)


def test_a_folder_that_was_deleted_loses_no_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuge = tmp_path / "refuge"
    refuge.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(refuge))
    output = tmp_path / "models" / "a.npz"
    output.parent.mkdir()
    events: list[Event] = []
    with pytest.raises(CheckpointError) as failed:
        run_without_folder(begun(output), events)
    assert any(isinstance(event, NotSaved) for event in events)
    (saved,) = refuge.glob("*/a.npz")
    assert str(failed.value).endswith(f"the training is saved to {saved} instead")
    for _ in begun(tmp_path / "whole.npz").run():
        pass
    same_training(saved, tmp_path / "whole.npz")


def test_where_nothing_can_be_written_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    output = tmp_path / "models" / "a.npz"
    output.parent.mkdir()
    with pytest.raises(CheckpointError, match="No such file or directory") as failed:
        run_without_folder(begun(output), [])
    assert "instead" not in str(failed.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir(mode=0o555)
    assert "Permission denied" in refuse("train", "a.txt", *SMALL, "-o", str(folder / "a.npz"))


# Time


def test_nothing_depends_on_the_time_of_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that jumps does no harm: only the one that never goes back is read."""
    used = [
        path.name
        for path in Path(sys.modules["charrnn"].__file__ or "").parent.rglob("*.py")
        if re.search(r"\btime\.time\(|datetime", path.read_text())
    ]
    assert used == []


def test_a_checkpoint_from_the_future_is_the_newest() -> None:
    succeed("train", "a.txt", *SMALL, "--epochs", "0.2", "-q")
    shutil.copy("a.npz", "b.npz")
    os.utime("b.npz", (2e10, 2e10))
    assert "b.npz" in succeed("sample", "-n", "3").errors


# A text that changes


def test_a_text_that_changes_while_it_is_learned() -> None:
    events = begun(Path("a.npz")).run()
    next(events)
    write("a.txt", "another text, of other symbols: 0123456789\n" * 9)
    for _ in events:
        pass
    write("b.txt")
    shutil.copy("b.txt", "a.txt")
    for _ in begun(Path("b.npz")).run():
        pass
    with np.load("a.npz") as one, np.load("b.npz") as other:
        assert np.array_equal(one["last"], other["last"])
    write("a.txt", "another text\n" * 99)
    assert "this training was on another text" in refuse("train", "a.txt", "--resume")
