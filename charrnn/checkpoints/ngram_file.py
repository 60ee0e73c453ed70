"""The file of an n-gram model: one compressed `.npz`, of 1 to 3 bytes an n-gram.

| entry      | what, for k = 1 … n                                                               |
|------------|-----------------------------------------------------------------------------------|
| header     | JSON as bytes: format, version, vocabulary, order, and the text that was counted    |
| followersk | the number of different symbols that followed each (k − 1)-gram                    |
| symbolsk   | these symbols, one (k − 1)-gram after another, in the order of the ids             |
| countsk    | the count of each k-gram that they form                                            |

(K-grams are sorted by their codes, so that these three arrays are all that is needed.) The arrays
are unsigned integers of 1 to 8 bytes.
"""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.checkpoints.archive import has_format, read_array, read_header, reading
from charrnn.checkpoints.atomic_write import replace_file
from charrnn.errors import CheckpointError
from charrnn.ngram.codes import Codes, largest_order
from charrnn.ngram.counts import MOST_NGRAMS, Counts
from charrnn.ngram.model import NgramModel
from charrnn.text.vocabulary import Vocabulary

FORMAT = "charrnn n-grams"
VERSION = 1
LARGEST_RATIO = 1100.0
"""No deflated data becomes more than 1,032 times as large."""
UNSIGNED = [np.dtype(f"<u{size}") for size in (1, 2, 4, 8)]


@dataclass(frozen=True)
class SavedNgrams:
    """An n-gram model, the vocabulary of its ids, and the name of the text that was counted."""

    model: NgramModel
    vocabulary: Vocabulary
    text: str


def write_ngrams(path: Path, saved: SavedNgrams) -> None:
    """Write `path` atomically. Raises CheckpointError where it cannot be written."""
    V = saved.vocabulary.size
    header = {
        "format": FORMAT,
        "version": VERSION,
        "vocabulary": saved.vocabulary.to_json(),
        "order": saved.model.order,
        "text": saved.text,
    }
    entries: dict[str, Any] = {
        "header": np.frombuffer(json.dumps(header).encode("ascii"), np.uint8)
    }
    contexts: Codes = np.zeros(1, np.int64)
    for k, of_order in enumerate(saved.model.counts, start=1):
        followers = np.diff(np.searchsorted(of_order.codes // V, np.append(contexts, V**k)))
        entries[f"followers{k}"] = _smallest(followers)
        entries[f"symbols{k}"] = _smallest(of_order.codes % V)
        entries[f"counts{k}"] = _smallest(of_order.counts)
        contexts = of_order.codes
    try:
        replace_file(path, lambda file: np.savez_compressed(file, **entries))
    except OSError as error:
        raise CheckpointError(f"cannot write {path}: {error.strerror or error}") from error


def _smallest(numbers: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """The numbers in the smallest unsigned type that has them."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))).newbyteorder("<"))


def is_ngram_file(path: Path) -> bool:
    """Whether `path` has the header of a file of n-grams; the rest may be damaged."""
    return has_format(path, FORMAT)


def read_ngrams(path: Path) -> SavedNgrams:
    """The n-gram model in `path`. Raises CheckpointError for a file that is none, or damaged."""
    with reading(path, "a file of n-grams") as archive:
        return _read(archive, path)


def _read(archive: zipfile.ZipFile, path: Path) -> SavedNgrams:
    header = read_header(archive, FORMAT, VERSION, path)
    vocabulary = Vocabulary.from_json(header["vocabulary"])
    order, text = header["order"], header["text"]
    if type(order) is not int or not 1 <= order <= largest_order(vocabulary.size):
        raise ValueError(f"its order is {order!r}")
    if not isinstance(text, str):
        raise ValueError("the name of its text is not a text")
    counts: list[Counts] = []
    contexts: Codes = np.zeros(1, np.int64)
    for k in range(1, order + 1):
        counts.append(_counts(archive, k, contexts, vocabulary.size))
        contexts = counts[-1].codes
    return SavedNgrams(NgramModel(vocabulary.size, counts), vocabulary, text)


def _counts(archive: zipfile.ZipFile, k: int, contexts: Codes, V: int) -> Counts:
    """The k-grams, where `contexts` are the codes of the (k − 1)-grams."""

    def array(name: str, length: int | None) -> NDArray[np.int64]:
        size = archive.getinfo(f"{name}{k}.npy").file_size
        if size > 8 * MOST_NGRAMS + 10**4:
            raise ValueError(f"{name}{k} is larger than any could be")
        found = read_array(archive, f"{name}{k}", (length,), UNSIGNED, most_unpacked=LARGEST_RATIO)
        if len(found) and int(found.max()) >= 2**62:
            raise ValueError(f"{name}{k} has numbers that are too large")
        return found.astype(np.int64)

    symbols = array("symbols", None)
    followers, counts = array("followers", len(contexts)), array("counts", len(symbols))
    if followers.max() > V or followers.sum() != len(symbols):
        raise ValueError(f"followers{k} and symbols{k} do not go together")
    if len(symbols) == 0 or symbols.max() >= V or counts.min() < 1 or counts.max() > 2**48:
        raise ValueError(f"symbols{k} or counts{k} are out of their range")
    codes = np.repeat(contexts, followers) * V + symbols
    if (np.diff(codes) <= 0).any():
        raise ValueError(f"symbols{k} are not in order")
    return Counts(codes, _smallest(counts))
