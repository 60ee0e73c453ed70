"""Files of n-grams: there and back, and every damage is one line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import damage
from charrnn.checkpoints.format import newest_checkpoint
from charrnn.checkpoints.ngram_file import SavedNgrams, is_ngram_file, read_ngrams, write_ngrams
from charrnn.errors import CheckpointError
from charrnn.ngram.model import NgramModel
from charrnn.text.corpus import Corpus

CORPUS = Corpus.from_text("so she sells sea shells on the sea shore, she does. " * 9 + "\u5b57\n")


def example(order: int = 6) -> SavedNgrams:
    model = NgramModel.of(CORPUS.ids, CORPUS.vocabulary.size, order)
    return SavedNgrams(model, CORPUS.vocabulary, "shells.txt")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A written file."""
    write_ngrams(tmp_path / "a.npz", example())
    return tmp_path / "a.npz"


@pytest.mark.parametrize("order", [1, 2, 6])
def test_there_and_back(order: int, tmp_path: Path) -> None:
    saved, path = example(order), tmp_path / "b.npz"
    write_ngrams(path, saved)
    found = read_ngrams(path)
    assert is_ngram_file(path)
    assert (found.text, found.vocabulary) == ("shells.txt", CORPUS.vocabulary)
    for one, other in zip(found.model.counts, saved.model.counts, strict=True):
        assert np.array_equal(one.codes, other.codes)
        assert np.array_equal(one.counts, other.counts)
    p, expected = (
        model.probabilities(model.contexts(CORPUS.ids)) for model in (found.model, saved.model)
    )
    assert np.array_equal(p, expected)


def test_it_is_no_checkpoint(path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        newest_checkpoint(path.parent)


def refusal(path: Path) -> str:
    return damage.refusal(path, read_ngrams)


def changed(path: Path, **arrays: Any) -> Path:
    with np.load(path) as file:
        entries = dict(file) | arrays
    np.savez_compressed(path, **{name: x for name, x in entries.items() if x is not None})
    return path


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("followers2", None, "followers2.npy"),
        ("followers2", np.array([1, 2], np.uint8), "shape"),
        ("symbols3", np.zeros(0, np.uint8), "shape"),
        ("counts1", np.zeros(3, np.uint8), "shape"),
        ("counts1", np.zeros(3, np.float32), "type float32"),
        ("header", np.zeros(3, np.uint8), "not a file of n-grams"),
        ("header", None, "no header"),
    ],
)
def test_other_arrays(path: Path, name: str, value: Any, told: str) -> None:
    assert told in refusal(changed(path, **{name: value}))


def test_numbers_out_of_range(path: Path) -> None:
    with np.load(path) as file:
        symbols, counts, followers = (
            file[f"{name}2"] for name in ("symbols", "counts", "followers")
        )
    assert "range" in refusal(changed(path, symbols2=np.full_like(symbols, 255)))
    assert "not in order" in refusal(changed(path, symbols2=np.zeros_like(symbols)))
    changed(path, symbols2=symbols)
    assert "range" in refusal(changed(path, counts2=np.zeros_like(counts)))
    changed(path, counts2=counts)
    assert "do not go together" in refusal(changed(path, followers2=followers * 0))


@pytest.mark.parametrize("unigrams", [[0], [0, 2]])
def test_n_grams_of_no_text(path: Path, unigrams: list[int]) -> None:
    """The bigram (0, 1) and the trigram (0, 1, 0), where 1 is no unigram."""
    arrays = {
        "followers1": [len(unigrams)], "symbols1": unigrams, "counts1": [1] * len(unigrams),
        "followers2": [1, 0][: len(unigrams)], "symbols2": [1], "counts2": [1],
        "followers3": [1], "symbols3": [0], "counts3": [1],
    }  # fmt: skip
    with np.load(path) as file:
        header = json.loads(file["header"].tobytes()) | {"order": 3}
    changed(
        path,
        header=np.frombuffer(json.dumps(header).encode(), np.uint8),
        **{name: np.array(value, np.uint8) for name, value in arrays.items()},
    )
    assert "no 1-gram" in refusal(path)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "charrnn"}, {"version": 2}, {"order": 0}, {"order": 99}, {"order": "6"},
        {"text": 1}, {"vocabulary": None}, {"order": 7},
    ],
)  # fmt: skip
def test_other_headers(path: Path, change: dict[str, Any]) -> None:
    with np.load(path) as file:
        header = json.loads(file["header"].tobytes()) | change
    changed(path, header=np.frombuffer(json.dumps(header).encode(), np.uint8))
    message = refusal(path)
    assert ("newer charrnn" in message) == (change == {"version": 2})


def test_what_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("text")
    assert "not a file of n-grams" in refusal(tmp_path / "text.txt")
    assert "cannot read" in refusal(tmp_path / "none.npz")
    assert not is_ngram_file(tmp_path / "text.txt")
    assert not is_ngram_file(tmp_path / "none.npz")


def test_truncated_files(path: Path) -> None:
    whole = path.read_bytes()
    for size in range(0, len(whole), len(whole) // 40):
        path.write_bytes(whole[:size])
        refusal(path)


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot write"):
        write_ngrams(tmp_path / "no" / "a.npz", example())
