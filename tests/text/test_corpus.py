"""Files, folders and standard input to ids; every error names its file and the way out."""

import builtins
import hashlib
import os
import random
import threading
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from charrnn.errors import CorpusError, OptionError
from charrnn.text import corpus as corpus_module
from charrnn.text import sources
from charrnn.text.corpus import Corpus, read_corpus
from charrnn.text.vocabulary import Vocabulary

TEXTS = {
    "ascii": "What is well begun is half done.\n\t",
    "russian": "Все счастливые семьи похожи друг на друга\n",
    "chinese": "床前明月光，疑是地上霜。\n",
    "emoji": "a 🙂 b 👩\u200d🚀 c é e\u0301",
    "verbatim": "\ufeffone\r\ntwo\rthree\n",
    "wide": "".join(map(chr, range(32, 0x800))),
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sequence of bytes straddles the border of a chunk, and of a segment."""
    monkeypatch.setattr(corpus_module, "BYTES_DECODED_AT_ONCE", 3)
    monkeypatch.setattr(sources, "SEGMENT", 7)


def write(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def text_of(corpus: Corpus) -> str:
    return corpus.vocabulary.decode(corpus.ids)


def refusal(*sources: str | Path, **options: Any) -> str:
    """The message with which the `sources` are refused."""
    with pytest.raises(CorpusError) as caught:
        read_corpus(sources, **options)
    message = str(caught.value)
    assert message.isprintable(), "one line, harmless on a terminal"
    return message


# What is read


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_file_is_read_verbatim(tmp_path: Path, text: str) -> None:
    corpus = read_corpus([write(tmp_path / "a.txt", text)])
    assert text_of(corpus) == text
    assert len(corpus.vocabulary) == len(set(text))
    assert corpus.ids.dtype == corpus.vocabulary.dtype
    assert corpus.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert corpus.name == "a.txt"


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.usefixtures("small")
def test_chunks_leave_no_trace(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "a.txt", text)
    assert text_of(read_corpus([path])) == text
    raw = read_corpus([path], as_bytes=True)
    assert raw.vocabulary.decode_bytes(raw.ids) == text.encode()
    assert text_of(Corpus.from_text(text)) == text


def test_exact_ids(tmp_path: Path) -> None:
    corpus = read_corpus([write(tmp_path / "a.txt", "béb\na")])
    assert corpus.vocabulary.symbols.tolist() == [10, 97, 98, 233]
    assert corpus.ids.tolist() == [2, 3, 2, 0, 1]


def test_bytes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.bin", b"\xff\x00\xff\xc3")
    corpus = read_corpus([path], as_bytes=True, encoding="no such encoding")
    assert corpus.vocabulary.is_bytes
    assert corpus.ids.tolist() == [2, 0, 2, 1]


@pytest.mark.parametrize(("symbols", "dtype"), [(256, np.uint8), (257, np.uint16)])
def test_ids_take_the_smallest_type(symbols: int, dtype: type[np.unsignedinteger[Any]]) -> None:
    text = "".join(map(chr, range(symbols))) * 2
    corpus = Corpus.from_text(text)
    assert corpus.ids.dtype == dtype
    assert corpus.ids.tolist() == list(range(symbols)) * 2


def test_the_ids_are_read_only() -> None:
    corpus = Corpus.from_text("abc")
    with pytest.raises(ValueError, match="read-only"):
        corpus.ids[0] = 1


@pytest.mark.usefixtures("small")
def test_files_are_concatenated(tmp_path: Path) -> None:
    texts = ["Первый\n", "", "second", "三"]
    paths = [write(tmp_path / f"{place}.txt", text) for place, text in enumerate(texts)]
    corpus = read_corpus(paths)
    assert text_of(corpus) == "".join(texts)
    assert corpus.sha256 == hashlib.sha256("".join(texts).encode()).hexdigest()
    assert corpus.name == "0.txt, 1.txt, 2.txt and 1 more"
    whole = Corpus.from_text("".join(texts))
    assert whole.sha256 == corpus.sha256
    assert whole.vocabulary == corpus.vocabulary
    assert_array_equal(whole.ids, corpus.ids)


def test_a_folder_is_its_txt_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    (folder / "c.txt").mkdir(parents=True)
    write(folder / "c.txt" / "inside.txt", "not recursive")
    for name in ("b", "10", "a", "9"):
        write(folder / f"{name}.txt", f"{name};")
    write(folder / ".hidden.txt", "hidden")
    write(folder / "a.md", "other")
    assert text_of(read_corpus([folder])) == "10;9;a;b;"
    corpus = read_corpus([f"{folder}/", folder / "b.txt"])
    assert text_of(corpus) == "10;9;a;b;b;"
    assert corpus.name == "notes, b.txt"


def test_the_current_folder_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.txt", "ab")
    monkeypatch.chdir(tmp_path)
    assert read_corpus(["."]).name == tmp_path.name
    assert read_corpus(["a.txt"]).name == "a.txt"


@pytest.mark.parametrize("segment", [5, 2**26])
def test_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, segment: int) -> None:
    monkeypatch.setattr(sources, "SEGMENT", segment)
    path = write(tmp_path / "a.txt", "файл;")
    corpus = read_corpus([path, "-", path], stdin=BytesIO("stdin 🙂;".encode()))
    assert text_of(corpus) == "файл;stdin 🙂;файл;"
    assert corpus.name == "a.txt, standard input, a.txt"


def test_stdin_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=BytesIO(b"ab")))
    assert text_of(read_corpus(["-"])) == "ab"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
def test_a_fifo_is_a_file(tmp_path: Path) -> None:
    text = "через трубу\n" * 20_000  # more than a pipe holds
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = threading.Thread(target=write, args=(path, text), daemon=True)
    writer.start()
    corpus = read_corpus([path])
    writer.join()
    assert text_of(corpus) == text


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="no /dev/fd on this system")
def test_process_substitution() -> None:
    reading, writing = os.pipe()
    try:
        os.write(writing, b"ab")
        os.close(writing)
        assert text_of(read_corpus([f"/dev/fd/{reading}"])) == "ab"
    finally:
        os.close(reading)


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-be", "utf-32", "latin-1", "cp1251", "gb18030"]
)
@pytest.mark.usefixtures("small")
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    text = {"latin-1": "façade naïve\r\n", "cp1251": "Мир и война\r\n"}.get(encoding, "a я 霜 🙂 z")
    paths = [write(tmp_path / f"{place}.txt", text.encode(encoding)) for place in range(2)]
    assert text_of(read_corpus(paths, encoding=encoding)) == text * 2


def test_utf_8_sig_drops_the_mark(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "\ufeffab")
    assert text_of(read_corpus([path], encoding="utf-8-sig")) == "ab"


def test_random_texts_agree_with_a_dictionary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random_ = random.Random(11)
    for round_ in range(150):
        monkeypatch.setattr(corpus_module, "BYTES_DECODED_AT_ONCE", random_.randint(1, 40))
        monkeypatch.setattr(sources, "SEGMENT", random_.randint(1, 90))
        top = random_.choice([0x7F, 0xFF, 0x7FF, 0xD7FF, 0x10FFFF])
        pool = [chr(p) for p in (random_.randint(0, top) for _ in range(400)) if p >> 11 != 27]
        text = "".join(random_.choices(pool, k=random_.randint(50, 400)))
        places = {symbol: place for place, symbol in enumerate(sorted(set(text)))}
        corpus = read_corpus([write(tmp_path / f"{round_}.txt", text)])
        assert corpus.ids.tolist() == [places[symbol] for symbol in text]
        assert text_of(corpus) == text


def test_from_text() -> None:
    corpus = Corpus.from_text("Ёлка", name="a tree")
    assert (text_of(corpus), corpus.name) == ("Ёлка", "a tree")
    raw = Corpus.from_text(b"ab\xff")
    assert raw.vocabulary.is_bytes
    assert (raw.ids.tolist(), raw.name) == ([0, 1, 2], "text")
    with pytest.raises(CorpusError, match=r"^text has lone surrogates"):
        Corpus.from_text("ab\ud800")


# The split


def test_split_is_contiguous_views() -> None:
    corpus = Corpus.from_text("abcdefghij")
    train, validation, test = corpus.split(0.2)
    assert train.tolist() == list(range(8))
    assert validation.tolist() == [8, 9]
    assert len(test) == 0
    assert np.shares_memory(train, corpus.ids)
    assert np.shares_memory(validation, corpus.ids)


@pytest.mark.parametrize(
    ("length", "fraction", "front"),
    [(10, 0, 10), (10, 0.04, 10), (10, 0.06, 9), (10, 0.99, 2), (2, 0.9, 2), (3, 0.5, 2)],
)
def test_split_leaves_enough_to_train(length: int, fraction: float, front: int) -> None:
    train, validation, _ = Corpus.from_text("abcdefghij"[:length]).split(fraction)
    assert (len(train), len(validation)) == (front, length - front)


@pytest.mark.parametrize("fraction", [-0.1, 1, 1.5, float("nan"), float("inf")])
def test_split_refuses_other_fractions(fraction: float) -> None:
    with pytest.raises(OptionError, match=r"`validation_fraction` .* give 0 or more"):
        Corpus.from_text("abc").split(fraction)
    with pytest.raises(OptionError, match=r"`test_fraction` .* make no sense"):
        Corpus.from_text("abc").split(0.1, fraction)


def test_split_with_a_test_part() -> None:
    corpus = Corpus.from_text("abcdefghij")
    train, validation, test = corpus.split(0.2, 0.1)
    assert (train.tolist(), validation.tolist(), test.tolist()) == (list(range(7)), [7, 8], [9])
    assert np.shares_memory(test, corpus.ids)
    with pytest.raises(OptionError, match="together less than 1"):
        corpus.split(0.5, 0.5)


# The same text in a larger vocabulary


def test_recoded_ids_stand_for_the_same_text() -> None:
    corpus = Corpus.from_text("banana")
    larger = Vocabulary(np.array([ord(c) for c in "abcnz"], np.uint32))
    recoded = corpus.recoded(larger)
    assert recoded.vocabulary == larger
    assert larger.decode(recoded.ids) == "banana"
    assert (recoded.ids.dtype, recoded.sha256) == (larger.dtype, corpus.sha256)
    assert not recoded.ids.flags.writeable
    assert corpus.recoded(corpus.vocabulary) is corpus


# What is refused


def test_nothing_given() -> None:
    assert "no text is given: name a file" in refusal()


def test_a_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "no.txt"
    assert refusal(path) == f"{path} does not exist: check the name of the file"
    assert refusal("") == "'' does not exist: check the name of the file"


def test_a_name_is_printed_harmlessly(tmp_path: Path) -> None:
    assert r"\x1b[2J\n" in refusal(tmp_path / "\x1b[2J\n")
    assert "null" in refusal("a\0b")
    assert Corpus.from_text("ab").name == "text"
    assert read_corpus([write(tmp_path / "a\nb", "ab")]).name == r"'a\nb'"


def test_a_folder_without_texts(tmp_path: Path) -> None:
    write(tmp_path / "a.md", "other")
    assert refusal(tmp_path) == f"the folder {tmp_path} has no *.txt: name the files themselves"


def denied(*_: object, **__: object) -> NoReturn:
    raise PermissionError(13, "Permission denied")


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.txt", "ab")
    monkeypatch.setattr(builtins, "open", denied)
    assert f"{path} cannot be read (Permission denied)" in refusal(path)


def test_an_unreadable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "listdir", denied)
    assert f"{tmp_path} cannot be read (Permission denied)" in refusal(tmp_path)


class Breaking(BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        if self.tell() >= 4:
            raise OSError(5, "Input/output error")
        return super().read(4)


def test_an_error_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.txt", "abcdefgh")
    expected = "cannot be read (Input/output error)"
    assert f"standard input {expected}" in refusal("-", stdin=Breaking(b"abcdefgh"))
    monkeypatch.setattr(builtins, "open", lambda *_: Breaking(b"abcdefgh"))
    assert f"{path} {expected}" in refusal(path)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no /dev/zero on this system")
def test_a_device() -> None:
    assert refusal("/dev/zero").startswith("/dev/zero is a device, which may never end: give")


def test_stdin_twice() -> None:
    message = refusal("-", "-", stdin=BytesIO(b"ab"))
    assert message == "standard input can be read only once: give `-` a single time"


def test_stdin_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = BytesIO(b"ab")
    closed.close()
    assert "standard input cannot be read" in refusal("-", stdin=closed)
    monkeypatch.setattr("sys.stdin", None)
    assert refusal("-") == "standard input is closed: name a file instead of `-`"


def test_stdin_without_data_yet() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    try:
        with open(reading, "rb") as stdin:
            assert "standard input cannot be read (it is in non-blocking" in refusal(
                "-", stdin=stdin
            )
    finally:
        os.close(writing)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "a.txt is empty: a text of at least 2 characters is needed"),
        ("a", "a.txt has only one symbol: a text of at least 2 characters is needed"),
        ("я", "a.txt has only one symbol: a text of at least 2 characters is needed"),
        ("aaaa", "nothing to learn: a.txt has only the symbol 'a', over and over"),
        ("\n\n\n", r"nothing to learn: a.txt has only the symbol '\n', over and over"),
        ("яя", "nothing to learn: a.txt has only the symbol 'я', over and over"),
    ],
)
def test_nothing_to_learn(tmp_path: Path, data: str, message: str) -> None:
    assert refusal(write(tmp_path / "a.txt", data)).startswith(message)


def test_nothing_to_learn_from_bytes(tmp_path: Path) -> None:
    assert "at least 2 bytes" in refusal(write(tmp_path / "a", ""), as_bytes=True)
    assert "only the symbol 0xFF" in refusal(write(tmp_path / "a", b"\xff" * 9), as_bytes=True)


def test_two_files_of_one_symbol_each_are_enough(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, name) for name in "ab"]
    assert text_of(read_corpus(paths)) == "ab"


@pytest.mark.parametrize("encoding", ["utf-9", "hex", "rot13", "", "a\0b", "\x1b"])
def test_an_unknown_encoding(tmp_path: Path, encoding: str) -> None:
    message = refusal(write(tmp_path / "a.txt", "ab"), encoding=encoding)
    assert "is not an encoding: see https://" in message


def test_the_wrong_encoding_names_the_ways_out(tmp_path: Path) -> None:
    good = write(tmp_path / "good.txt", "x" * 100)
    bad = write(tmp_path / "bad.txt", "Мир".encode("cp1251"))
    assert refusal(good, bad) == (
        f"{bad} is not valid utf-8 at byte 0 (invalid continuation byte): "
        "name its encoding (`encoding`), or learn from the raw bytes (`as_bytes`)"
    )
    message = refusal("-", stdin=BytesIO(b"abc\xff"))
    assert message.startswith("standard input is not valid utf-8 at byte 3 (invalid start byte)")


def test_a_sequence_does_not_go_on_in_the_next_file(tmp_path: Path) -> None:
    first, second = "aя".encode()[:2], "aя".encode()[2:]
    paths = [write(tmp_path / "1.txt", first), write(tmp_path / "2.txt", second)]
    assert "1.txt is not valid utf-8 at byte 1 (unexpected end of data)" in refusal(*paths)


def test_utf_16_without_its_mark(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "ab".encode("utf-16-le"))
    message = refusal(path, encoding="utf-16")
    assert f"{path} is not valid utf-16" in message
    assert "(`encoding`)" in message


def test_utf_8_sig_counts_its_mark(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", b"\xef\xbb\xbfab\xff")
    assert "at byte 5 " in refusal(path, encoding="utf-8-sig")


def test_lone_surrogates(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", rb"ab\ud800")
    assert f"{path} has lone surrogates" in refusal(path, encoding="raw_unicode_escape")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-32-be", "ascii", "gb18030"])
def test_the_byte_of_an_error_is_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    random_ = random.Random(13)
    seen = 0
    for round_ in range(150):
        monkeypatch.setattr(corpus_module, "BYTES_DECODED_AT_ONCE", random_.randint(1, 12))
        monkeypatch.setattr(sources, "SEGMENT", random_.randint(1, 30))
        alphabet = "ab" if encoding == "ascii" else "abяé霜🙂"
        data = bytearray("".join(random_.choices(alphabet, k=30)).encode(encoding))
        damage = random_.randrange(3)
        place = random_.randrange(len(data))
        if damage == 0:
            data[place] = random_.choice([0x80, 0xC0, 0xD8, 0xE9, 0xF8, 0xFF])
        elif damage == 1:
            del data[place]
        else:
            del data[place:]
        data[:0] = "ab".encode(encoding)  # there is always something to learn
        path = write(tmp_path / f"{round_}.txt", bytes(data))
        offset = None
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            offset = error.start
        if offset is None:
            assert text_of(read_corpus([path], encoding=encoding)) == text
        else:
            seen += 1
            message = refusal(path, encoding=encoding)
            assert f"{path} is not valid {encoding} at byte {offset} (" in message
    assert seen > 30
