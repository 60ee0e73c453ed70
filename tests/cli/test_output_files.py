"""Files that a command writes: whole, or as they were."""

import os
import threading
from pathlib import Path

import pytest

from charrnn.cli.output_files import check_writable, write_file
from charrnn.errors import CharRNNError


def test_a_file_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    write_file(path, b"old")

    def fail(*arguments: object) -> None:
        assert path.read_bytes() == b"old"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(CharRNNError, match=r"cannot write .*a: No space left on device"):
        write_file(path, b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]
    assert path.read_bytes() == b"old"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "file")
    write_file(link, b"text")
    assert link.is_symlink()
    assert (tmp_path / "file").read_bytes() == b"text"


def test_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    write_file(path, b"text")
    reader.join()
    assert read == [b"text"]
    assert path.is_fifo()


def test_a_check_leaves_nothing_behind(tmp_path: Path) -> None:
    check_writable(None)
    check_writable(Path("-"))
    check_writable(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "old").write_bytes(b"text")
    check_writable(tmp_path / "old")
    assert (tmp_path / "old").read_bytes() == b"text"
    with pytest.raises(CharRNNError, match=r"cannot write .*: No such file or directory"):
        check_writable(tmp_path / "no" / "such")
