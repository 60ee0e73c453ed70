"""A checkpoint is written as a whole or not at all."""

import errno
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from charrnn.checkpoints.atomic_write import save_at_last, write_checkpoint
from charrnn.checkpoints.format import LARGEST_WEIGHT, read_checkpoint
from charrnn.errors import CheckpointError
from example_checkpoint import assert_same, example, written


def fail(*_: Any, **__: Any) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fail_in_the_middle(file: Any, **_: Any) -> NoReturn:
    file.write(b"PK" * 1000)
    fail()


FAILURES = [
    ("numpy.savez", fail),
    ("numpy.savez", fail_in_the_middle),
    ("os.fsync", fail),
    ("os.replace", fail),
]


@pytest.mark.parametrize(("where", "failure"), FAILURES)
def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, failure: Any
) -> None:
    path = tmp_path / "a.npz"
    before = written(path)
    with monkeypatch.context() as patch:
        patch.setattr(where, failure)
        with pytest.raises(CheckpointError) as failed:
            write_checkpoint(path, example(seed=62))
    message = str(failed.value)
    assert message.startswith(f"cannot write the checkpoint {path}: No space left on device")
    assert message.isprintable()
    assert os.listdir(tmp_path) == ["a.npz"], "nothing lies about"
    assert path.read_bytes() == before
    written(path, example(seed=62))
    assert_same(read_checkpoint(path), example(seed=62))


@pytest.mark.parametrize(("where", "failure"), FAILURES)
def test_a_first_write_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, failure: Any
) -> None:
    monkeypatch.setattr(where, failure)
    with pytest.raises(CheckpointError, match="No space left on device"):
        write_checkpoint(tmp_path / "a.npz", example())
    assert os.listdir(tmp_path) == []


def test_an_interrupted_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any, **__: Any) -> NoReturn:
        raise KeyboardInterrupt

    path = tmp_path / "a.npz"
    before = written(path)
    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_checkpoint(path, example(seed=62))
    assert os.listdir(tmp_path) == ["a.npz"]
    assert path.read_bytes() == before


def test_the_file_is_on_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def watched_fsync(descriptor: int) -> None:
        calls.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def watched_replace(source: str, target: Path) -> None:
        calls.append("name")
        assert Path(source).parent == target.parent, "a name in another folder may be a copy"
        assert_same(read_checkpoint(Path(source)), example())
        replace(source, target)

    monkeypatch.setattr("os.fsync", watched_fsync)
    monkeypatch.setattr("os.replace", watched_replace)
    written(tmp_path / "a.npz")
    assert calls == ["file", "name", "folder"]


def test_a_folder_that_cannot_be_synced_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def of_files_only(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        fsync(descriptor)

    monkeypatch.setattr("os.fsync", of_files_only)
    written(tmp_path / "a.npz")
    assert_same(read_checkpoint(tmp_path / "a.npz"), example())


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "models" / "a.npz"
    with pytest.raises(CheckpointError, match="No such file or directory"):
        write_checkpoint(path, example())


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.mkdir()
    with pytest.raises(CheckpointError, match="cannot write the checkpoint"):
        write_checkpoint(path, example())
    assert os.listdir(tmp_path) == ["a.npz"]
    assert os.listdir(path) == []


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "models" / "real.npz", tmp_path / "a.npz"
    real.parent.mkdir()
    written(real)
    link.symlink_to(real)
    written(link, example(seed=62))
    assert link.is_symlink()
    assert_same(read_checkpoint(real), example(seed=62))


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_usual_permissions(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        written(tmp_path / "a.npz")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.npz").stat().st_mode) == 0o666 & ~mask


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o666])
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.npz"
    written(path)
    path.chmod(mode)
    written(path, example(seed=62))
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert_same(read_checkpoint(path), example(seed=62))


def test_permissions_that_cannot_be_set_are_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("os.fchmod", fail)
        written(tmp_path / "a.npz")
    monkeypatch.delattr("os.fchmod")
    written(tmp_path / "b.npz")
    for name in ("a.npz", "b.npz"):
        assert_same(read_checkpoint(tmp_path / name), example())


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    before, model = written(path), example()
    last = model.arrays["last"].copy()
    for value in (np.nan, np.inf, 2 * LARGEST_WEIGHT, -2 * LARGEST_WEIGHT):
        last[3] = value
        with pytest.raises(CheckpointError, match=r"cannot write .*: last has num"):
            write_checkpoint(path, replace(model, arrays=model.arrays | {"last": last}))
    with pytest.raises(CheckpointError, match="not JSON compliant"):
        write_checkpoint(path, replace(model, training={"best_loss": float("nan")}))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.npz"]


# --- the last save of a training


def test_the_last_save_of_a_training_goes_elsewhere_if_it_must(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "temporary"
    other.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(other))
    with pytest.raises(CheckpointError, match=r"the training is saved to .* instead") as failed:
        save_at_last(tmp_path / "gone" / "a.npz", example())
    (folder,) = other.iterdir()
    assert f"{folder / 'a.npz'} instead" in str(failed.value)
    assert_same(read_checkpoint(folder / "a.npz"), example())


def test_a_last_save_that_fails_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("numpy.savez", fail)
    with pytest.raises(CheckpointError) as failed:
        save_at_last(tmp_path / "a.npz", example())
    assert "instead" not in str(failed.value)
    assert os.listdir(tmp_path) == []
