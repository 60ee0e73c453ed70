"""Symbols to ids and back, against a plain dictionary."""

import random
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from charrnn.errors import UnknownSymbolError
from charrnn.text.corpus import Corpus
from charrnn.text.vocabulary import Vocabulary, symbol_name


def of(text: str | bytes) -> Vocabulary:
    symbols = sorted(set(text)) if isinstance(text, bytes) else sorted(set(map(ord, text)))
    return Vocabulary(np.array(symbols, np.uint32), is_bytes=isinstance(text, bytes))


TEXTS = {
    "ascii": "What is well begun is half done.\n\t",
    "russian": "Все счастливые семьи похожи друг на друга\n",
    "chinese": "床前明月光，疑是地上霜。\n",
    "emoji": "a 🙂 b 👩\u200d🚀 c é e\u0301",
    "verbatim": "\ufeffone\r\ntwo\rthree\n",
    "all planes": "\0\x7f\x80\xff\u0100\ud7ff\ue000\uffff\U00010000\U0010ffff",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_decode_undoes_encode(text: str) -> None:
    vocabulary = of(text)
    ids = vocabulary.encode(text)
    assert ids.dtype == vocabulary.dtype
    assert ids.shape == (len(text),)
    assert vocabulary.decode(ids) == text
    assert vocabulary.decode_bytes(ids) == text.encode()
    assert Vocabulary.from_json(vocabulary.to_json()) == vocabulary


def test_ids_are_places_in_the_sorted_order() -> None:
    vocabulary = of("cab\nя")
    assert vocabulary.symbols.tolist() == [10, 97, 98, 99, 0x44F]
    assert vocabulary.encode("я\nabc").tolist() == [4, 0, 1, 2, 3]
    assert vocabulary.encode("abc").tolist() == [1, 2, 3]
    assert vocabulary.encode("").tolist() == []
    assert vocabulary.decode([3, 1, 2]) == "cab"
    assert vocabulary.decode([]) == ""
    assert [vocabulary.symbol(id) for id in (0, 1, 4)] == [r"'\n'", "'a'", "'я'"]
    assert len(vocabulary) == vocabulary.size == 5


def test_encode_gives_an_array_of_its_own() -> None:
    vocabulary = of("abя")
    for text in ("ab", "aя"):
        ids = vocabulary.encode(text)
        ids[0] = 1
        assert vocabulary.encode(text)[0] == 0


@pytest.mark.parametrize("is_bytes", [False, True], ids=["characters", "bytes"])
def test_agrees_with_a_dictionary(is_bytes: bool) -> None:
    random_ = random.Random(7)
    highest = [0x7F, 0xFF] if is_bytes else [0x7F, 0xFF, 0x7FF, 0xD7FF, 0x1FFFF]
    for _ in range(200):
        top = random_.choice(highest)
        pool = [point for point in (random_.randint(0, top) for _ in range(400))]
        known = sorted({point for point in pool[:300] if not 0xD800 <= point < 0xE000})
        places = {point: place for place, point in enumerate(known)}
        vocabulary = Vocabulary(np.array(known, np.uint32), is_bytes=is_bytes)
        text = [point for point in random_.choices(pool, k=300) if not 0xD800 <= point < 0xE000]
        data = bytes(text) if is_bytes else "".join(map(chr, text))
        expected = [places[point] for point in text if point in places]

        ids = vocabulary.encode(data, unknown="skip")
        assert ids.tolist() == expected
        inside = bytes(known[id] for id in expected) if is_bytes else None
        characters = "".join(chr(known[id]) for id in expected)
        assert vocabulary.decode_bytes(ids) == (characters.encode() if inside is None else inside)
        if len(expected) < len(text):
            with pytest.raises(UnknownSymbolError):
                vocabulary.encode(data)
        else:
            assert_array_equal(vocabulary.encode(data), ids)


@pytest.mark.parametrize(
    ("size", "dtype"),
    [
        (1, np.uint8),
        (255, np.uint8),
        (256, np.uint8),
        (257, np.uint16),
        (65_536, np.uint16),
        (65_537, np.uint32),
    ],
)
def test_ids_take_the_smallest_type(size: int, dtype: type[np.unsignedinteger[Any]]) -> None:
    skip = 0x10000  # beyond the surrogates
    vocabulary = Vocabulary(np.arange(skip, skip + size, dtype=np.uint32))
    assert vocabulary.dtype == dtype
    text = chr(skip) + chr(skip + size - 1)
    ids = vocabulary.encode(text)
    assert ids.dtype == dtype
    assert ids.tolist() == [0, size - 1]
    assert vocabulary.decode(ids) == text


def test_ascii_in_a_large_vocabulary_has_wide_ids() -> None:
    vocabulary = Vocabulary(np.arange(97, 97 + 300, dtype=np.uint32))
    assert vocabulary.encode("abc").dtype == np.uint16


def test_bytes() -> None:
    vocabulary = of("é\n".encode() + b"\xff")
    assert vocabulary.is_bytes
    assert vocabulary.symbols.tolist() == [0x0A, 0xA9, 0xC3, 0xFF]
    assert vocabulary.encode(b"\xc3\xa9").tolist() == [2, 1]
    assert vocabulary.encode("é").tolist() == [2, 1], "a str is its UTF-8 bytes"
    assert vocabulary.encode("\udcff").tolist() == [3], "a byte of the command line"
    assert vocabulary.decode([2, 1, 3, 0]) == "é\ufffd\n"
    assert vocabulary.decode_bytes([2, 1, 3, 0]) == b"\xc3\xa9\xff\n"
    assert [vocabulary.symbol(id) for id in (0, 1)] == [r"'\n'", "0xA9"]


def test_all_bytes() -> None:
    everything = bytes(range(256))
    vocabulary = of(everything)
    assert vocabulary.dtype == np.uint8
    assert vocabulary.encode(everything).tolist() == list(everything)


def test_characters_do_not_take_bytes() -> None:
    with pytest.raises(TypeError, match="encodes str, not bytes"):
        of("ab").encode(b"ab")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a\x1b[2Jb", r"'\x1b', '2', 'J', '['"),
        ("aéb\néb", r"'\n', 'é'"),
        ("ae\u0301", "'e', U+0301"),
        ("a\u202eb\ud800", "U+202E, U+D800"),
        ("ab😀c", "'c', '😀'"),
    ],
)
def test_unknown_characters_are_named(text: str, names: str) -> None:
    with pytest.raises(UnknownSymbolError) as caught:
        of("abя").encode(text)
    message = str(caught.value)
    assert f"characters that the model does not know: {names}; leave them out" in message
    assert "set `unknown` to skip" in message
    assert message.isprintable()


def test_ten_unknown_symbols_are_named_and_the_rest_counted() -> None:
    with pytest.raises(UnknownSymbolError, match=r": 'A', .* 'I', 'J' and 16 more; leave"):
        of("ab").encode("ABCDEFGHIJKLMNOPQRSTUVWXYZ" * 2)
    with pytest.raises(UnknownSymbolError, match=r": 'A', .* 'I', 'J'; leave"):
        of("ab").encode("ABCDEFGHIJ")


def test_unknown_bytes_are_named() -> None:
    with pytest.raises(UnknownSymbolError, match=r"bytes that .*: '\\n', 0xC3, 0xFF; leave"):
        of(b"ab").encode(b"a\xff\xc3\n")
    with pytest.raises(UnknownSymbolError, match=r"lone surrogate U\+D800"):
        of(b"ab").encode("a\ud800")


@pytest.mark.parametrize("beyond", ["c", "é", "ю", "😀", "\ud800"])
def test_unknown_symbols_are_skipped(beyond: str) -> None:
    vocabulary = of("abя")
    text = beyond + "a" + beyond * 3 + "bя" + beyond
    assert vocabulary.decode(vocabulary.encode(text, unknown="skip")) == "abя"


def test_unknown_takes_two_words() -> None:
    with pytest.raises(ValueError, match="'error' or 'skip', not 'drop'"):
        of("ab").encode("ab", unknown="drop")  # type: ignore[arg-type]  # the point of the test


def test_equality_and_hash() -> None:
    assert of("abc") == of("cba")
    assert hash(of("abc")) == hash(of("cba"))
    assert of("abc") != of("abd")
    assert of("abc") != of("ab")
    assert of("abc") != of(b"abc")
    assert of("abc") != "abc"
    assert repr(of("abc")) == "<Vocabulary of 3 characters>"
    assert len({of("abc"), of("abc"), of(b"abc")}) == 2


def test_the_symbols_cannot_be_changed() -> None:
    given = np.array([97, 98], np.uint32)
    vocabulary = Vocabulary(given)
    given[0] = 0
    assert vocabulary.symbols.tolist() == [97, 98]
    with pytest.raises(ValueError, match="read-only"):
        vocabulary.symbols[0] = 0


def test_decode_refuses_ids_beyond_the_vocabulary() -> None:
    with pytest.raises(IndexError):
        of("abc").decode([3])


def test_symbol_names_are_distinct_and_printable() -> None:
    points = [point for point in range(0x3000) if not 0xD800 <= point < 0xE000]
    names = {symbol_name(point) for point in points}
    assert len(names) == len(points)
    assert all(name.isprintable() for name in names)


@pytest.mark.parametrize(
    ("symbols", "is_bytes", "message"),
    [
        ([], False, "at least one symbol"),
        ([98, 97], False, "strictly increasing"),
        ([97, 97], False, "strictly increasing"),
        ([97, 0x110000], False, "outside 0 to 0x10ffff"),
        ([0, 256], True, "outside 0 to 0xff"),
        ([97, 0xD800], False, r"surrogate U\+D800"),
        ([97, 0xDFFF, 0xE000], False, r"surrogate U\+DFFF"),
        ([[97, 98]], False, "one row of integers"),
    ],
)
def test_symbols_are_checked(symbols: list[Any], is_bytes: bool, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Vocabulary(np.array(symbols, np.uint32), is_bytes=is_bytes)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "characters",
        {},
        {"kind": "characters"},
        {"symbols": [97]},
        {"kind": "words", "symbols": [97]},
        {"kind": ["bytes"], "symbols": [97]},
        {"kind": "bytes", "symbols": "ab"},
        {"kind": "bytes", "symbols": [97.0]},
        {"kind": "bytes", "symbols": [True]},
        {"kind": "bytes", "symbols": [-1]},
        {"kind": "bytes", "symbols": [256]},
        {"kind": "characters", "symbols": [2**40]},
        {"kind": "characters", "symbols": [[97]]},
        {"kind": "characters", "symbols": []},
        {"kind": "characters", "symbols": [98, 97]},
        {"kind": "characters", "symbols": [97], "more": 1},
    ],
)
def test_from_json_refuses_what_to_json_never_writes(data: object) -> None:
    with pytest.raises(ValueError, match="vocabulary"):
        Vocabulary.from_json(data)


def test_to_json() -> None:
    assert of("ba").to_json() == {"kind": "characters", "symbols": [97, 98]}
    assert of(b"ba").to_json() == {"kind": "bytes", "symbols": [97, 98]}


# Two vocabularies


def test_a_vocabulary_includes_another() -> None:
    small, large, raw = (Corpus.from_text(text).vocabulary for text in ("ab", "abc\u00fc", b"ab"))
    assert large.includes(small)
    assert small.includes(small)
    assert not small.includes(large)
    assert not large.includes(raw), "which are bytes"


def test_the_union_of_two() -> None:
    one, two, raw = (Corpus.from_text(text).vocabulary for text in ("bd", "ad\u00fc", b"ab"))
    assert one.union(two) == Corpus.from_text("abd\u00fc").vocabulary
    with pytest.raises(ValueError, match="either bytes or characters"):
        one.union(raw)
