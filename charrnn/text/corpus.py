"""A corpus: the text of files, folders or standard input as ids.

The bytes are read once, in segments, and decoded twice: the first pass collects the symbols and
counts their occurrences in all, the second one turns them into ids and frees each segment. The text
is taken verbatim: line ends and byte order marks are symbols like all others.
"""

import codecs
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np

from charrnn.errors import CorpusError, OptionError
from charrnn.text.sources import (
    STDIN,
    STDIN_NAME,
    file_segments,
    memory_for_text,
    printable_name,
    stdin_segments,
    unreadable,
)
from charrnn.text.vocabulary import Ids, Vocabulary, code_points

BYTES_DECODED_AT_ONCE = 2**17
"""Bytes that are decoded at a time."""

_MOST_NAMED = 3  # sources that the name of a corpus spells out
_OTHER_ENCODING = "name its encoding (`encoding`), or learn from the raw bytes (`as_bytes`)"


@dataclass(frozen=True, eq=False)
class Corpus:
    """A text as ids (N,), read-only, with what identifies it.

    `sha256` is the digest of the raw bytes of all sources in order; `name` is short and printable,
    for messages. `sources` are the absolute paths that were read, empty where a part of the text is
    not from a file; `encoding` is None for bytes.
    """

    ids: Ids
    vocabulary: Vocabulary
    sha256: str
    name: str
    encoding: str | None = None
    sources: tuple[str, ...] = ()

    def split(self, validation_fraction: float, test_fraction: float = 0.0) -> tuple[Ids, Ids, Ids]:
        """The training, validation and test parts of the text, in this order; the last two are
        the given fractions of it.

        All are views, and the training part has at least 2 symbols. Raises OptionError for
        fractions that are not in [0, 1), or leave nothing to train on.
        """
        for fraction in (validation_fraction, test_fraction, validation_fraction + test_fraction):
            if not 0 <= fraction < 1:
                raise OptionError(
                    f"`validation_fraction` {validation_fraction} and `test_fraction` "
                    f"{test_fraction} make no sense: give 0 or more, and together less than 1"
                )
        count = len(self.ids)
        end = max(count - round(count * test_fraction), 2)
        front = max(end - round(count * validation_fraction), 2)
        return self.ids[:front], self.ids[front:end], self.ids[end:]

    def recoded(self, vocabulary: Vocabulary) -> "Corpus":
        """The same text in the ids of a vocabulary that includes its own."""
        if vocabulary == self.vocabulary:
            return self
        place = np.searchsorted(vocabulary.symbols, self.vocabulary.symbols)
        ids = place.astype(vocabulary.dtype)[self.ids]
        ids.flags.writeable = False
        return replace(self, ids=ids, vocabulary=vocabulary)

    @classmethod
    def from_text(cls, text: str | bytes, name: str = "text") -> Self:
        """The corpus of a text in memory: of its bytes for `bytes`, of its characters for `str`.

        Raises CorpusError where there is nothing to learn, or a lone surrogate in it.
        """
        if isinstance(text, bytes):
            return cls._from_sources([_Source(name, [text])], name, None)
        try:
            raw = text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise _surrogate(name) from error
        return cls._from_sources([_Source(name, [raw])], name, "utf-8")

    @classmethod
    def _from_sources(cls, sources: Sequence["_Source"], name: str, encoding: str | None) -> Self:
        """Decode the `sources` twice; they are empty afterwards. The encoding None means bytes."""
        digest = hashlib.sha256()
        symbols = _Symbols()
        length = 0
        for source in sources:
            for segment in source.segments:
                digest.update(segment)
            for piece in _pieces(source.name, source.segments, encoding):
                symbols.add(piece)
                length += len(piece)
            symbols.check_surrogates(source.name)
        if length < 2:
            unit = "characters" if encoding else "bytes"
            what = "is empty" if length == 0 else "has only one symbol"
            raise CorpusError(f"{name} {what}: a text of at least 2 {unit} is needed")
        vocabulary = symbols.vocabulary(is_bytes=encoding is None)
        if len(vocabulary) < 2:
            raise CorpusError(
                f"nothing to learn: {name} has only the symbol {vocabulary.symbol(0)}, "
                "over and over; give a text of at least 2 different symbols"
            )
        ids = np.empty(length, vocabulary.dtype)
        start = 0
        for source in sources:
            for piece in _pieces(source.name, _consumed(source.segments), encoding):
                ids[start : start + len(piece)] = vocabulary.encode(piece)
                start += len(piece)
        ids.flags.writeable = False
        return cls(ids, vocabulary, digest.hexdigest(), name, encoding)


def read_corpus(
    sources: Sequence[str | os.PathLike[str]],
    *,
    encoding: str = "utf-8",
    as_bytes: bool = False,
    stdin: BinaryIO | None = None,
) -> Corpus:
    """Read files, folders (their `*.txt`, by name) and `-`, one after the other.

    `-` stands for `stdin`, by default the standard input of the process, and may occur once. With
    `as_bytes` the symbols are bytes, and `encoding` is ignored.

    Memory: the larger of the raw bytes and the ids, and one `SEGMENT`.

    Raises CorpusError where a source cannot be read or decoded, or there is nothing to learn.
    """
    if not as_bytes:
        _check_encoding(encoding)
    if not sources:
        raise CorpusError("no text is given: name a file, a folder, or `-` for standard input")
    paths = [os.fspath(source) for source in sources]
    if paths.count(STDIN) > 1:
        raise CorpusError("standard input can be read only once: give `-` a single time")
    read: list[_Source] = []
    left = memory_for_text()
    for path in (path for source in paths for path in text_files(source)):
        if path == STDIN:
            read.append(_Source(STDIN_NAME, stdin_segments(stdin, most=left)))
        else:
            read.append(_Source(printable_name(path), file_segments(path, left)))
        left -= sum(map(len, read[-1].segments))
    corpus = Corpus._from_sources(read, _short_name(paths), None if as_bytes else encoding)
    if STDIN in paths:
        return corpus
    return replace(corpus, sources=tuple(os.path.abspath(path) for path in paths))


@dataclass(frozen=True)
class _Source:
    """The raw bytes of one file, and its name in messages."""

    name: str
    segments: list[bytes]


class _Symbols:
    """The set of symbols seen so far."""

    def __init__(self) -> None:
        self._seen = np.zeros(sys.maxunicode + 1, np.bool_)
        self._known = b""  # those found in bytes and ASCII text

    def add(self, piece: str | bytes) -> None:
        if isinstance(piece, str):
            if not piece.isascii():
                self._seen[code_points(piece)] = True
                return
            piece = piece.encode("ascii")
        if new := bytes(set(piece.translate(None, self._known))):
            self._known += new
            self._seen[list(new)] = True

    def check_surrogates(self, name: str) -> None:
        if self._seen[0xD800:0xE000].any():
            raise _surrogate(name)

    def vocabulary(self, *, is_bytes: bool) -> Vocabulary:
        return Vocabulary(np.flatnonzero(self._seen).astype(np.uint32), is_bytes=is_bytes)


def _pieces(
    name: str, segments: Iterable[bytes], encoding: str | None
) -> Iterator[str] | Iterator[bytes]:
    chunks = (
        segment[start : start + BYTES_DECODED_AT_ONCE]
        for segment in segments
        for start in range(0, len(segment), BYTES_DECODED_AT_ONCE)
    )
    return chunks if encoding is None else _decoded(name, chunks, encoding)


def _decoded(name: str, chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    read = 0
    try:
        for chunk in chunks:
            read += len(chunk)
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        # its object is what was left over from the chunk before, and this chunk
        offset = read - len(error.object) + error.start
        raise CorpusError(
            f"{name} is not valid {encoding} at byte {offset} ({error.reason}): {_OTHER_ENCODING}"
        ) from error
    except UnicodeError as error:
        raise CorpusError(f"{name} is not valid {encoding} ({error}): {_OTHER_ENCODING}") from error


def _consumed(segments: list[bytes]) -> Iterator[bytes]:
    """The segments in order; each is removed from the list, so that its memory can be freed."""
    segments.reverse()
    while segments:
        yield segments.pop()


def text_files(source: str) -> list[str]:
    """The `*.txt` of a folder, or the source itself."""
    if source == STDIN or not os.path.isdir(source):
        return [source]
    try:
        names = sorted(os.listdir(source))
    except OSError as error:
        raise unreadable(printable_name(source), error) from error
    # a shell's *.txt has no hidden files either
    texts = [name for name in names if name.endswith(".txt") and not name.startswith(".")]
    files = [path for name in texts if not os.path.isdir(path := os.path.join(source, name))]
    if not files:
        raise CorpusError(
            f"the folder {printable_name(source)} has no *.txt: name the files themselves"
        )
    return files


def _check_encoding(encoding: str) -> None:
    advice = "see https://docs.python.org/3/library/codecs.html#standard-encodings"
    try:
        b"text".decode(encoding)
    except UnicodeError:
        pass  # a text encoding, in which these bytes mean nothing
    except (LookupError, ValueError) as error:  # ValueError: a null character in the name
        raise CorpusError(f"{printable_name(encoding)} is not an encoding: {advice}") from error


def _short_name(paths: Sequence[str]) -> str:
    names = [
        STDIN_NAME
        if path == STDIN
        else printable_name(Path(path).name or Path(path).resolve().name)
        for path in paths
    ]
    if len(names) <= _MOST_NAMED:
        return ", ".join(names)
    return f"{', '.join(names[:_MOST_NAMED])} and {len(names) - _MOST_NAMED} more"


def _surrogate(name: str) -> CorpusError:
    return CorpusError(f"{name} has lone surrogates, which are not characters: leave them out")
