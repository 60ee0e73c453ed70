"""Snapshots of weights in one file: whole or not at all, and never those of another training."""

import itertools
import json
import random
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

import damage
from charrnn.checkpoints import snapshot_file
from charrnn.checkpoints.format import is_checkpoint, newest_checkpoint
from charrnn.checkpoints.snapshot_file import (
    add_snapshot,
    listed_snapshots,
    own_snapshots,
    read_snapshots,
    snapshots_path,
)
from charrnn.errors import CheckpointError
from damage import MUTATIONS, Trap, array, entries, npy, packed
from example_checkpoint import written

P = 300


def weights(step: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng([191, step]).normal(size=P).astype(np.float32)


def filled(path: Path, *steps: int) -> dict[int, str]:
    found: dict[int, str] = {}
    for step in steps:
        found = add_snapshot(path, step, weights(step), found)
    return found


def read(path: Path, wanted: dict[int, str]) -> dict[int, Any]:
    return dict(read_snapshots(path, wanted, P))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.snapshots.npz"


def test_weights_come_back_with_eleven_bits(path: Path) -> None:
    found = filled(path, 0, 70, 1000)
    assert listed_snapshots(path) == found
    back = read(path, found)
    assert list(back) == [0, 70, 1000]
    for step, one in back.items():
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, weights(step), rtol=2**-11, atol=1e-7)


def test_one_snapshot_is_read_at_a_time(path: Path) -> None:
    wanted = filled(path, 0, 5)
    snapshots = read_snapshots(path, wanted, P)
    assert next(snapshots)[0] == 0
    whole = path.read_bytes()
    path.write_bytes(whole)  # not replaced: the reader has this very file open
    assert next(snapshots)[0] == 5


def test_weights_beyond_float16_are_as_large_as_it_can_be(path: Path) -> None:
    found = add_snapshot(path, 0, np.array([1e9, -1e9, 1], np.float32), {})
    ((_, back),) = read_snapshots(path, found, 3)
    assert back.tolist() == [65504, -65504, 1]


def test_what_is_not_kept_is_dropped(path: Path) -> None:
    found = filled(path, 0, 10, 20)
    kept = {step: found[step] for step in (0, 20)}
    found = add_snapshot(path, 30, weights(30), kept)
    assert list(found) == list(listed_snapshots(path)) == [0, 20, 30]
    assert list(read(path, found)) == [0, 20, 30]
    again = add_snapshot(path, 20, weights(21), found)
    assert again[20] != found[20], "a step that comes again is written anew"
    np.testing.assert_allclose(read(path, again)[20], weights(21), rtol=1e-3, atol=1e-7)


def test_those_of_another_training_are_not_kept(path: Path) -> None:
    found = filled(path, 0, 10)
    mine = add_snapshot(path, 20, weights(20), {0: found[0], 10: "0" * 64})
    assert list(mine) == list(listed_snapshots(path)) == [0, 20]


def test_the_same_weights_make_the_same_file(tmp_path: Path) -> None:
    filled(tmp_path / "a", 0, 10)
    filled(tmp_path / "b", 0, 7, 10)
    there = listed_snapshots(tmp_path / "b")
    add_snapshot(tmp_path / "b", 10, weights(10), {0: there[0]})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("room", [0, 1, 2, 3])
def test_a_write_that_fails_changes_nothing(
    path: Path, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is room for some entries of four: the header, two that are copied, and the new one."""
    found = filled(path, 0, 10)
    whole = path.read_bytes()
    write, entries = snapshot_file._entry, itertools.count()

    def full(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
        if next(entries) == room:
            raise OSError(28, "No space left on device")
        return write(archive, name)

    monkeypatch.setattr(snapshot_file, "_entry", full)
    with pytest.raises(CheckpointError, match=r"cannot write the snapshots .*: No space left on"):
        add_snapshot(path, 20, weights(20), found)
    assert path.read_bytes() == whole
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_files_with_something_else_stay_as_they_are(path: Path) -> None:
    for content in (b"", b"a text", written(path), packed({"a": b"b"})):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match="is not a file of snapshots"):
            add_snapshot(path, 1, weights(1), {})
        assert path.read_bytes() == content


def test_snapshots_are_no_checkpoint(tmp_path: Path) -> None:
    written(tmp_path / "a.npz")
    filled(snapshots_path(tmp_path / "a.npz"), 0)
    assert not is_checkpoint(tmp_path / "a.snapshots.npz")
    assert newest_checkpoint(tmp_path) == tmp_path / "a.npz"


def test_those_in_the_record(tmp_path: Path) -> None:
    checkpoint, path = tmp_path / "a.npz", tmp_path / "a.snapshots.npz"
    found = filled(path, 0, 10, 20)
    record = {"snapshots": [{"step": 10, "sha256": found[10]}, {"step": 20, "sha256": "0" * 64}]}
    assert own_snapshots(checkpoint, record) == {10: found[10]}
    with pytest.raises(CheckpointError, match="has the snapshots of another training"):
        own_snapshots(checkpoint, {"snapshots": record["snapshots"][1:]})
    nothing: tuple[dict[str, Any], ...] = ({}, {"snapshots": []})
    for none in nothing:
        with pytest.raises(CheckpointError, match=r"has no snapshots .*: train it with `keep`"):
            own_snapshots(checkpoint, none)
    path.unlink()
    with pytest.raises(CheckpointError, match=r"cannot read .*a\.snapshots\.npz: No such file"):
        own_snapshots(checkpoint, record)


def refusal(path: Path, wanted: dict[int, str]) -> str:
    return damage.refusal(path, lambda path: read(path, wanted))


def test_damaged_files_are_refused_in_one_line(path: Path) -> None:
    """Whatever is damaged: what is read is what was written, or nothing is."""
    found = filled(path, 0, 10, 20)
    whole = path.read_bytes()
    expected = read(path, found)
    rng = random.Random(7)
    messages: list[str] = []
    kinds = [each for each in MUTATIONS if "vocabulary" not in each.__name__
             and "network" not in each.__name__ and "number" not in each.__name__]  # fmt: skip
    for n in range(400):
        path.write_bytes(kinds[n % len(kinds)](whole, rng))
        try:
            for step, one in read(path, found).items():
                np.testing.assert_array_equal(one, expected[step])
        except CheckpointError as error:
            messages.append(str(error))
    assert len(messages) > 200
    assert all(message.isprintable() and str(path) in message for message in messages)
    assert not Trap.sprung


@pytest.mark.parametrize("header", [
    {}, {"format": "charrnn"}, {"version": 2}, {"version": "1"}, {"snapshots": 3},
    {"snapshots": [3]}, {"snapshots": [{}]}, {"snapshots": [{"step": -1, "sha256": "x"}]},
    {"snapshots": [{"step": "0", "sha256": "x"}]}, {"snapshots": [{"step": True, "sha256": "x"}]},
])  # fmt: skip
def test_headers_that_lie(path: Path, header: dict[str, Any]) -> None:
    found = filled(path, 0)
    files = entries(path.read_bytes())
    before = json.loads(bytes(array(files["header.npy"])))
    text = json.dumps(before | header if header else []).encode()
    files["header.npy"] = npy(np.frombuffer(text, np.uint8))
    path.write_bytes(packed(files))
    message = refusal(path, found)
    assert ("newer charrnn" in message) == (header == {"version": 2})


def test_weights_that_do_not_fit(path: Path) -> None:
    found = filled(path, 0)
    with pytest.raises(CheckpointError, match=r"has the shape \(300,\), not \(301\)"):
        next(read_snapshots(path, found, P + 1))
    files = entries(path.read_bytes())
    infinite = np.full(P, np.inf, np.float16)
    for wrong, message in (
        (weights(0), "has numbers of type float32"),
        (np.zeros(P, np.float16), "is not what was written"),
        (infinite, "is not what was written"),
    ):
        path.write_bytes(packed(files | {"step-0.npy": npy(wrong)}))
        assert message in refusal(path, found)
