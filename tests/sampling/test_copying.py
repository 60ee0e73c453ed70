"""What is copied from another text: every answer beside that of a plain search."""

import builtins
from typing import Any

import numpy as np
import pytest

from charrnn.errors import CharRNNError
from charrnn.sampling import copying
from charrnn.sampling.copying import CopyLimit, Passage, ReferenceText, copy_report, passages
from charrnn.text.vocabulary import Vocabulary

pytest.importorskip("pydivsufsort", reason="the package that finds copies is not there")


def ids(text: str) -> Any:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.intp)


def plain_copied(source: str, text: str) -> int:
    return max(n for n in range(len(text) + 1) if text[:n] in source)


def plain_following(source: str, text: str) -> list[int]:
    places = [n for n in range(len(source)) if source.startswith(text, n)]
    return sorted({ord(source[n + len(text)]) for n in places if n + len(text) < len(source)})


@pytest.mark.parametrize("letters", ["ab", "abc", "aя", "a\U0001f642b", "\x00\xff"])
def test_random_texts_agree_with_a_plain_search(letters: str) -> None:
    rng = np.random.default_rng(401)
    for _ in range(60):
        text, wanted = (
            "".join(rng.choice(list(letters), size)) for size in rng.integers(1, 30, size=2)
        )
        source = ReferenceText(ids(text))
        assert source.copied(ids(wanted)) == plain_copied(text, wanted)
        for size in range(4):
            found = source.following(ids(wanted[:size])).tolist()
            assert found == plain_following(text, wanted[:size]), (text, wanted[:size])


def test_an_empty_source() -> None:
    source = ReferenceText(ids(""))
    assert source.copied(ids("abc")) == 0
    assert source.following(ids("a")).tolist() == []
    assert passages(source, ids("abc")) == []


def test_the_passages() -> None:
    source = ReferenceText(ids("the cat sat on the mat"))
    found = passages(source, ids("a cat sat on it; the mat"))
    text = "a cat sat on it; the mat"
    spelled = [text[p.start : p.start + p.length] for p in found]
    assert " cat sat on " in spelled
    assert " the mat" in spelled
    assert all(piece in "the cat sat on the mat" for piece in spelled)
    ends = [p.start + p.length for p in found]
    assert ends == sorted(set(ends)), "none is part of another"


def test_a_copy_that_is_longer_than_what_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "LONGEST_COMPARED_PASSAGE", 10)
    source = ReferenceText(ids("abcdefghijklmnopqrstuvwxyz"))
    assert source.copied(ids("abcdefghijklmnopqrstuvwxyz")) == 10
    found = passages(source, ids("abcdefghijklmnopqrstuvwxyz"))
    assert found[0] == Passage(0, 10)
    assert found[-1].start + found[-1].length == 26


def test_a_limit_forbids_what_would_be_too_long() -> None:
    limit = CopyLimit(ReferenceText(ids("abcd abce")), 3, [ids("ab"), ids("")])
    assert limit.forbidden(0).tolist() == [], "only two symbols are there"
    limit.push(0, ord("c"))
    assert limit.forbidden(0).tolist() == [ord("d"), ord("e")]
    assert limit.forbidden(1).tolist() == []
    limit.push(0, ord("x"))
    assert limit.forbidden(0).tolist() == []


def test_without_the_package_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = builtins.__import__

    def missing(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "pydivsufsort":
            raise ImportError(name)
        return usual(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(CharRNNError, match="pip install pydivsufsort"):
        ReferenceText(ids("ab"))


def test_a_report_counts_long_passages_and_names_the_longest() -> None:
    reference = ReferenceText(ids("abcdefghijklmnopqrstuvwxyz0123456789"))
    texts = [ids("##abcdefghijklmnopqrstuvwxyz##"), ids("0123##")]
    report = copy_report(reference, texts, longest=2)
    assert report.symbols == 36
    assert report.share == 26 / 36, "passages of fewer than 20 symbols do not count"
    assert ["".join(map(chr, passage)) for passage in report.longest] == [
        "abcdefghijklmnopqrstuvwxyz",
        "0123",
    ]
    nothing = copy_report(reference, [])
    assert (nothing.symbols, nothing.share, nothing.longest) == (0, 0, [])


def test_the_reference_has_a_symbol_of_its_own_for_what_the_vocabulary_lacks() -> None:
    vocabulary = Vocabulary(np.array([ord("a"), ord("c")], np.uint32))
    reference = ReferenceText.of("abca", vocabulary)
    assert reference.following(np.array([0])).tolist() == [2]
    assert reference.following(np.array([1])).tolist() == [0]
    raw = Vocabulary(np.array([0xA9, 0xC3], np.uint32), is_bytes=True)
    assert ReferenceText.of("é", raw).following(np.array([1])).tolist() == [0]
