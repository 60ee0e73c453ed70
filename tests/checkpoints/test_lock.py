"""One training at a time for one output, whatever locks the system has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from charrnn.checkpoints import lock as module
from charrnn.checkpoints.lock import only_training
from charrnn.errors import CheckpointError
from cli_helpers import SMALL, call, environment, succeed, write

HOLD = """
import sys
from pathlib import Path
from charrnn.checkpoints import lock
if sys.argv[2] == "exclusive":
    lock.fcntl = None
with lock.only_training(Path(sys.argv[1])):
    print("taken", flush=True)
    sys.stdin.read()
"""
"""A process that holds the lock until its standard input ends."""


@pytest.fixture(params=["flock", "exclusive"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The system's own locks, or none, as on Windows."""
    if request.param == "exclusive":
        monkeypatch.setattr(module, "fcntl", None)
    elif not hasattr(os, "fork"):
        pytest.skip("no flock on this system")
    name: str = request.param
    return name


def holder(output: Path, kind: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(output), kind],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.readline() == "taken\n"
    return process


@pytest.mark.usefixtures("kind")
def test_a_lock_is_taken_once_and_given_back(tmp_path: Path) -> None:
    output = tmp_path / "a.npz"
    with only_training(output):
        with pytest.raises(CheckpointError, match=f"process {os.getpid()}"), only_training(output):
            pass
        with only_training(tmp_path / "b.npz"):
            pass
    assert os.listdir(tmp_path) == []
    with only_training(output):
        assert os.listdir(tmp_path) == [".a.npz.lock"]


@pytest.mark.usefixtures("kind")
def test_the_blocks_of_one_lock_nest(tmp_path: Path) -> None:
    lock = only_training(tmp_path / "a.npz")
    for _ in range(2):
        with lock:
            with lock:
                pass
            with pytest.raises(CheckpointError), only_training(lock.output):
                pass
        with only_training(lock.output):
            pass


def test_another_process_is_refused_and_named(tmp_path: Path, kind: str) -> None:
    output = tmp_path / "a.npz"
    with holder(output, kind) as process:
        with pytest.raises(CheckpointError, match=rf"\(process {process.pid}\)"):
            only_training(output).__enter__()
        process.communicate()
    assert os.listdir(tmp_path) == []
    with only_training(output):
        pass


def test_the_lock_of_a_process_that_was_killed_is_in_nobodys_way(tmp_path: Path, kind: str) -> None:
    output = tmp_path / "a.npz"
    with holder(output, kind) as process:
        process.kill()
        process.communicate()
    assert os.listdir(tmp_path) == [".a.npz.lock"]
    with only_training(output):
        pass
    assert os.listdir(tmp_path) == []


def test_a_lock_without_a_process_is_left_to_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no `flock`: a process may be about to write its number there."""
    monkeypatch.setattr(module, "fcntl", None)
    lock = tmp_path / ".a.npz.lock"
    for content in ("", "x", "0", "-5"):
        lock.write_text(content)
        with pytest.raises(CheckpointError, match=r"if there is none, remove .*a.npz.lock$"):
            only_training(tmp_path / "a.npz").__enter__()
        assert lock.exists()


def test_on_windows_a_lock_that_can_be_removed_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, `os.kill(…, 0)` is no question, and a file that is open cannot be removed."""
    monkeypatch.setattr(module, "fcntl", None)
    monkeypatch.setattr(module, "_is_running", None)
    path = tmp_path / ".a.npz.lock"
    path.write_text(str(os.getpid()))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(module, "ON_WINDOWS", True)
        patch.setattr(Path, "unlink", refuse)
        with pytest.raises(CheckpointError, match="another training"):
            only_training(tmp_path / "a.npz").__enter__()
    monkeypatch.setattr(module, "ON_WINDOWS", True)
    with only_training(tmp_path / "a.npz"):
        pass
    assert not path.exists()


@pytest.mark.usefixtures("kind")
def test_a_training_takes_the_lock_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.txt")
    with only_training(Path("a.npz")):
        assert "another training" in call("train", "a.txt", *SMALL, "--epochs", "0.2").errors
    succeed("train", "a.txt", *SMALL, "--epochs", "0.2", "-q")
    assert sorted(os.listdir()) == ["a.npz", "a.txt"]


@pytest.mark.usefixtures("kind")
def test_a_link_and_its_file_have_one_lock(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    output, link = tmp_path / "a.npz", tmp_path / "folder" / "link.npz"
    link.symlink_to(output)
    with only_training(output), pytest.raises(CheckpointError), only_training(link):
        pass


def test_where_no_lock_can_be_made_there_is_none(tmp_path: Path) -> None:
    with only_training(tmp_path / "nowhere" / "a.npz"):
        pass


@pytest.mark.usefixtures("kind")
def test_what_killed_trainings_left_is_removed(tmp_path: Path) -> None:
    """Unfinished checkpoints of this output, and of others where nobody has written for an hour."""
    names = {
        ".a.npz.abcdefgh.partial": (0, False),
        ".b.npz.abcdefgh.partial": (0, True),  # may be being written
        ".c.npz.abcdefgh.partial": (7200, False),
        ".download.partial": (7200, True),  # somebody else's
        "c.npz.abcdefgh.partial": (7200, True),
        "a.npz": (7200, True),
    }
    kept = {name for name, (_, stays) in names.items() if stays}
    for name, (age, _) in names.items():
        path = tmp_path / name
        path.write_bytes(b"")
        time = path.stat().st_mtime - age
        os.utime(path, (time, time))
    with only_training(tmp_path / "a.npz"):
        assert set(os.listdir(tmp_path)) == {*kept, ".a.npz.lock"}
