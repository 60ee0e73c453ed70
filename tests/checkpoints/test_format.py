"""Models on disk: whole or not at all, never pickled, and every damage is one line."""

import json
import os
import re
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import damage
from charrnn.checkpoints.format import (
    GOOD,
    TRAINING_ARRAYS,
    Checkpoint,
    is_checkpoint,
    newest_checkpoint,
    read_checkpoint,
)
from charrnn.errors import CheckpointError
from charrnn.text.vocabulary import Vocabulary
from example_checkpoint import CONFIG, TINY, assert_same, example, written


def refusal(path: Path) -> str:
    return damage.refusal(path, read_checkpoint)


def entries(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def changed(path: Path, **arrays: Any) -> Path:
    """Write the example with other arrays; None leaves one out."""
    written(path)
    changes = entries(path) | arrays
    np.savez(path, **{name: array for name, array in changes.items() if array is not None})
    return path


def changed_header(path: Path, **changes: Any) -> Path:
    """Write the example with other entries in its header; None leaves one out."""
    written(path)
    header = json.loads(entries(path)["header"].tobytes()) | changes
    kept = {name: value for name, value in header.items() if value is not None}
    return changed(path, header=np.frombuffer(json.dumps(kept).encode(), np.uint8))


# --- there and back


def test_everything_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    written(path)
    assert_same(read_checkpoint(path), example())
    assert is_checkpoint(path)


def test_a_model_of_bytes_comes_back(tmp_path: Path) -> None:
    model = example()
    vocabulary = Vocabulary(np.array([0, 10, 13, 127, 255], np.uint32), is_bytes=True)
    model = Checkpoint(CONFIG, vocabulary, model.weights, {}, {})
    path = tmp_path / "a.npz"
    written(path, model)
    assert_same(read_checkpoint(path), model)


def test_the_network_has_the_best_weights() -> None:
    checkpoint = example()
    network = checkpoint.network()
    assert network.config == CONFIG
    np.testing.assert_array_equal(network.parameters.flat, checkpoint.weights)


def test_a_file_is_written_the_same_each_time(tmp_path: Path) -> None:
    """Apart from the times in the archive."""
    one, other = tmp_path / "a.npz", tmp_path / "b.npz"
    written(one)
    written(other, read_checkpoint(one))
    for a, b in zip(entries(one).items(), entries(other).items(), strict=True):
        assert a[0] == b[0]
        np.testing.assert_array_equal(a[1], b[1])


def test_plain_numpy_reads_it(tmp_path: Path) -> None:
    """As the README says."""
    path = tmp_path / "a.npz"
    written(path)
    with np.load(path) as file:
        header = json.loads(file["header"].tobytes())
        weights = file["weights"]
        assert set(file.files) == {"header", "weights", *TRAINING_ARRAYS}
    np.testing.assert_array_equal(weights, example().weights)
    assert header["format"] == "charrnn"
    assert header["network"] == CONFIG.to_dict()
    assert header["vocabulary"]["symbols"] == [10, 97, 0xE9, 0x5E8A, 0x1F642]
    assert header["training"] == example().training


def test_nothing_in_the_file_is_pickled(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    written(path)
    for array in entries(path).values():
        assert array.dtype.kind in "fu"


# --- what is none


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a.npz").startswith("cannot read ")


def test_a_folder(tmp_path: Path) -> None:
    assert "directory" in refusal(tmp_path)
    assert not is_checkpoint(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"P", b"PK\x03\x04", b"text\n" * 100, b"\x93NUMPY", b"\x80\x04K\x01."]
)
def test_a_file_of_another_kind(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    assert "is not a charrnn checkpoint" in refusal(path)
    assert not is_checkpoint(path)


def test_an_array_that_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    assert "is not a charrnn checkpoint" in refusal(path)
    assert not is_checkpoint(path)


def test_somebody_elses_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    for arrays in (
        {},
        {"x": np.zeros(3)},
        {"header": np.zeros(3)},
        {"header": np.frombuffer(b"[1, 2]", np.uint8)},
        {"header": np.frombuffer(b'{"format": "theirs"}', np.uint8)},
        {"header": np.frombuffer(b"\xff\xfe", np.uint8)},
        {"header": np.frombuffer(b"[" * 10**5, np.uint8)},
    ):
        np.savez(path, **arrays)
        assert "is not a charrnn checkpoint" in refusal(path)
        assert not is_checkpoint(path)


class Trap:
    """What a pickle may do to those who load it."""

    sprung = False

    def __reduce__(self) -> tuple[Any, ...]:
        return setattr, (Trap, "sprung", True)


@pytest.mark.parametrize("name", ["header", "weights", "last"])
def test_a_pickle_is_refused_and_not_loaded(tmp_path: Path, name: str) -> None:
    path = changed(tmp_path / "a.npz", **{name: np.array([Trap()], dtype=object)})
    assert ("not a vector of bytes" if name == "header" else "type object") in refusal(path)
    if name == "header":
        assert not is_checkpoint(path)
    assert not Trap.sprung


def test_a_plain_pickle_is_refused_and_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.array([Trap()], dtype=object).dump(path)
    assert "is not a charrnn checkpoint" in refusal(path)
    assert not is_checkpoint(path)
    assert not Trap.sprung


# --- what is damaged


def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    whole = written(path, example(TINY))
    for length in [*range(0, len(whole), 29), len(whole) - 1]:
        path.write_bytes(whole[:length])
        assert "is not a charrnn checkpoint, or it is damaged" in refusal(path)
        assert not is_checkpoint(path)


def read_or_refused(path: Path) -> Checkpoint | None:
    try:
        return read_checkpoint(path)
    except CheckpointError:
        refusal(path)
        return None


@pytest.mark.parametrize(("bits", "start"), [(0x01, 0), (0x20, 1), (0xFF, 2)])
def test_a_changed_byte_is_noticed_or_means_nothing(tmp_path: Path, bits: int, start: int) -> None:
    path = tmp_path / "a.npz"
    expected = example(TINY)
    whole = written(path, expected)
    places = range(start, len(whole), 5)
    unnoticed = 0
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ bits]) + whole[place + 1 :])
        is_checkpoint(path)  # does not fail
        if (read := read_or_refused(path)) is None:
            continue
        # a time, or the like; or the archive's directory now ends before the training
        arrays = expected.arrays if read.arrays else {}
        assert_same(read, replace(expected, arrays=arrays))
        unnoticed += 1
    assert unnoticed < len(places) / 3


def test_a_number_that_the_archive_says_is_another_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    whole = written(path)
    number = example().weights[7].tobytes()
    assert whole.count(number) == 1
    path.write_bytes(whole.replace(number, number[::-1]))
    assert "Bad CRC-32" in refusal(path)


@pytest.mark.parametrize("name", ["weights", *TRAINING_ARRAYS])
def test_an_array_that_is_missing(tmp_path: Path, name: str) -> None:
    assert "or it is damaged" in refusal(changed(tmp_path / "a.npz", **{name: None}))


def test_a_model_without_its_training_can_be_read(tmp_path: Path) -> None:
    path = changed(tmp_path / "a.npz", **dict.fromkeys(TRAINING_ARRAYS))
    assert read_checkpoint(path).arrays == {}
    np.testing.assert_array_equal(read_checkpoint(path).weights, example().weights)


def test_the_weights_to_go_back_to_come_back(tmp_path: Path) -> None:
    model, path = example(), tmp_path / "a.npz"
    good = model.arrays["last"] + np.float32(1)
    written(path, replace(model, arrays=model.arrays | {GOOD: good}))
    np.testing.assert_array_equal(read_checkpoint(path).arrays[GOOD], good)
    assert "good has the shape (3,)" in refusal(changed(path, good=good[:3]))
    changed(path, good=good, **dict.fromkeys(TRAINING_ARRAYS))
    assert "a part of its training is missing" in refusal(path)


@pytest.mark.parametrize("name", ["weights", *TRAINING_ARRAYS])
@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32, ">f4", np.complex64, "S4"])
def test_an_array_of_another_type(tmp_path: Path, name: str, dtype: Any) -> None:
    before = example().arrays.get(name, example().weights)
    with warnings.catch_warnings(action="ignore", category=np.exceptions.ComplexWarning):
        path = changed(tmp_path / "a.npz", **{name: before.astype(dtype)})
    assert "instead of float32" in refusal(path)


@pytest.mark.parametrize("name", ["weights", "last"])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (CONFIG.size - 1,), (CONFIG.size, 1)])
def test_a_vector_of_another_shape(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    path = changed(tmp_path / "a.npz", **{name: np.zeros(shape, np.float32)})
    assert f"{name} has the shape {shape}, not ({CONFIG.size})" in refusal(path)


@pytest.mark.parametrize(
    "shape", [(), (CONFIG.size,), (2, CONFIG.size - 1), (CONFIG.size, 2), (2, CONFIG.size, 1)]
)
def test_moments_of_another_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = changed(tmp_path / "a.npz", moments=np.zeros(shape, np.float32))
    assert f"moments has the shape {shape}, not (" in refusal(path)


@pytest.mark.parametrize(
    "shape", [(), (1,), (2, 2, 3), (1, 2, 3, 4), (2, 1, 3, 4), (2, 2, 4, 4), (2, 2, 3, 4, 1)]
)
def test_a_state_of_another_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = changed(tmp_path / "a.npz", state=np.zeros(shape, np.float32))
    assert f"state has the shape {shape}, not (2, 2, 3" in refusal(path)


@pytest.mark.parametrize("name", ["weights", *TRAINING_ARRAYS])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none(tmp_path: Path, name: str, value: float) -> None:
    array = example().arrays.get(name, example().weights).copy()
    array.flat[5] = value
    assert "has numbers that are not finite" in refusal(
        changed(tmp_path / "a.npz", **{name: array})
    )


@pytest.mark.parametrize("value", [3e38, -3e38, 2e30])
@pytest.mark.parametrize("name", ["weights", "last"])
def test_weights_that_would_overflow(tmp_path: Path, name: str, value: float) -> None:
    """Finite, but the outputs of such a network are not."""
    array = example().arrays.get(name, example().weights).copy()
    array[-1] = value
    assert f"{name} has numbers beyond ±1e+30" in refusal(
        changed(tmp_path / "a.npz", **{name: array})
    )


@pytest.mark.parametrize("version", [2, 10**30])
def test_a_newer_format_says_to_upgrade(tmp_path: Path, version: int) -> None:
    message = refusal(changed_header(tmp_path / "a.npz", version=version))
    assert f"written by a newer charrnn (format {version}, this one reads up to 1)" in message
    assert "upgrade charrnn" in message


@pytest.mark.parametrize("version", [0, -1, None, "1", 1.5, [1], True, 1.0])
def test_a_format_that_never_was(tmp_path: Path, version: Any) -> None:
    assert "format version" in refusal(changed_header(tmp_path / "a.npz", version=version))


def test_a_vocabulary_that_does_not_fit(tmp_path: Path) -> None:
    for symbols in ([97, 98], [1, 2, 3, 4, 5, 6]):
        path = tmp_path / "a.npz"
        changed_header(path, vocabulary={"kind": "characters", "symbols": symbols})
        assert "the vocabulary does not fit the network" in refusal(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": None},
        {"network": None},
        {"network": []},
        {"network": CONFIG.to_dict() | {"hidden_size": 0}},
        {"network": CONFIG.to_dict() | {"hidden_size": 10**9}},
        {"network": CONFIG.to_dict() | {"layers": 10**9}},
        {"network": CONFIG.to_dict() | {"layers": "2"}},
        {"network": CONFIG.to_dict() | {"cell": "perceptron"}},
        {"network": CONFIG.to_dict() | {"cell": []}},
        {"network": CONFIG.to_dict() | {"dropout": 0.5}},
        {"vocabulary": None},
        {"vocabulary": {"kind": "words", "symbols": [1, 2, 3, 4, 5]}},
        {"vocabulary": {"kind": "characters", "symbols": [5, 4, 3, 2, 1]}},
        {"vocabulary": {"kind": "characters", "symbols": [1, 2, 3, 4, 2**40]}},
        {"training": None},
        {"training": []},
    ],
    ids=repr,
)
def test_a_header_that_makes_no_sense(tmp_path: Path, changes: dict[str, Any]) -> None:
    message = refusal(changed_header(tmp_path / "a.npz", **changes))
    assert re.search("is damaged|is not a charrnn checkpoint", message)


def test_an_encrypted_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    whole = written(path)
    # bit 0 of the flags in the header of each entry, and in the directory
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for found in re.finditer(re.escape(mark), whole):
            place = found.start() + offset
            whole = whole[:place] + bytes([whole[place] | 1]) + whole[place + 1 :]
    path.write_bytes(whole)
    assert "encrypted" in refusal(path)
    assert not is_checkpoint(path)


def test_a_compressed_archive_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    written(path)
    np.savez_compressed(path, **entries(path))
    with zipfile.ZipFile(path) as archive:
        assert all(info.compress_type == zipfile.ZIP_DEFLATED for info in archive.infolist())
    assert_same(read_checkpoint(path), example())


# --- the newest


def aged(path: Path, seconds: int) -> Path:
    """Give a file the time of so many seconds after some day."""
    os.utime(path, (10**9 + seconds,) * 2)
    return path


def test_the_newest_checkpoint_is_the_one_written_last(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.npz" for name in "bca"]
    for seconds, path in enumerate(paths):
        written(path)
        aged(path, seconds)
    assert newest_checkpoint(tmp_path) == tmp_path / "a.npz"
    aged(tmp_path / "c.npz", 9)
    assert newest_checkpoint(tmp_path) == tmp_path / "c.npz"


def test_what_is_no_checkpoint_is_passed_over(tmp_path: Path) -> None:
    ours = tmp_path / "ours.npz"
    whole = written(ours)
    aged(ours, 0)
    np.savez(tmp_path / "theirs.npz", x=np.zeros(3))
    (tmp_path / "text.npz").write_text("no archive")
    (tmp_path / "cut.npz").write_bytes(whole[:-100])
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "broken.npz").symlink_to(tmp_path / "nothing")
    (tmp_path / "other.zip").write_bytes(whole)
    below = tmp_path / "below"
    below.mkdir()
    (below / "a.npz").write_bytes(whole)
    assert newest_checkpoint(tmp_path) == ours


def test_a_folder_without_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "theirs.npz", x=np.zeros(3))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError) as refused:
        newest_checkpoint(Path())
    message = str(refused.value)
    assert message.startswith(f"there is no checkpoint in {tmp_path}: ")
    assert "charrnn train" in message
