"""Where a text ends."""

import pytest

from charrnn.sampling.stopping import StopRule


def written(text: str, rule: StopRule) -> tuple[str, list[str]]:
    """All that is written of a text, and the pieces in which it comes."""
    pieces = []
    for character in text:
        pieces.append("".join(map(chr, rule.push(ord(character)))))
        if rule.is_over:
            break
    pieces.append("".join(map(chr, rule.finish())))
    return "".join(pieces), pieces


def ids(text: str) -> list[int]:
    return [ord(character) for character in text]


@pytest.mark.parametrize(
    ("text", "stops", "expected"),
    [
        ("hello world", ["world"], "hello "),
        ("hello world", ["worlds"], "hello world"),
        ("aaab", ["aab"], "a"),
        ("ababac", ["abac"], "ab"),
        ("one. two", [". ", "two"], "one"),
        ("one", [""], "one"),
        ("one", [], "one"),
        ("xyz", ["x"], ""),
        ("abcd", ["cd", "bcd"], "ab"),
    ],
)
def test_a_text_ends_before_its_stop(text: str, stops: list[str], expected: str) -> None:
    rule = StopRule([ids(stop) for stop in stops])
    assert written(text, rule)[0] == expected
    assert rule.is_over == (expected != text)


def test_what_cannot_be_a_stop_is_written_at_once() -> None:
    rule = StopRule([ids("END")])
    _, pieces = written("aENxEND", rule)
    assert pieces == ["a", "", "", "ENx", "", "", "", ""]


def test_lines() -> None:
    rule = StopRule([], lines=2, newline=10)
    assert written("one\ntwo\nthree\n", rule)[0] == "one\ntwo\n"
    assert rule.is_over
    assert written("one", StopRule([], lines=2, newline=10))[0] == "one"
    assert written("one\n", StopRule([], lines=1, newline=None))[0] == "one\n", "it knows no lines"


def test_after_its_end_nothing_is_written() -> None:
    rule = StopRule([ids("x")])
    assert written("axb", rule)[0] == "a"
    assert rule.push(5) == []
    assert rule.finish() == []
