"""What a rule may look at."""

import numpy as np
import pytest

from charrnn.neurons.explain.columns import (
    LAST_CHARACTERS,
    LONGEST_COUNT,
    Column,
    columns,
    feature_words,
    last_characters,
)
from charrnn.neurons.features.registry import FEATURES, user_feature

TEXT = 'First: A dog, said "He\'s 12".\n\nThen [[it]] ran -- far; away!\nThe End. Naïve éclairs?\n'
ALL = list(FEATURES.values())


def ids(text: str) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.array([ord(symbol) % 256 for symbol in text], np.intp)


def of(text: str) -> list[Column]:
    return columns(text, ids(text), ALL, [chr(n) for n in range(256)])


def named(text: str, on: str) -> list[float]:
    (column,) = [column for column in of(text) if column.on == on]
    return column.values.tolist()  # type: ignore[no-any-return]


def shown(column: Column) -> list[object]:
    """Values that do not depend on which others there are."""
    if column.names and column.kind == "symbol":
        return [column.names[int(value)] for value in column.values]
    return column.values.tolist()  # type: ignore[no-any-return]


def test_columns_are_causal() -> None:
    whole = [shown(column) for column in of(TEXT)]
    for end in range(20, len(TEXT)):
        for column, values in zip(of(TEXT[:end]), whole, strict=True):
            assert shown(column) == values[:end], column.on


def test_there_are_50_to_100_with_words_of_their_own() -> None:
    found = of(TEXT)
    assert 50 <= len(found) <= 100
    words = [column.on for column in found]
    assert len(set(words)) == len(words)
    assert all(column.on and (column.off or column.kind != "flag") for column in found)


@pytest.mark.parametrize(
    ("text", "on", "expected"),
    [
        ("ab c\nd", "characters since the last space", [LONGEST_COUNT, LONGEST_COUNT, 0, 1, 0, 1]),
        ("a b c", "characters since the last space but one", [LONGEST_COUNT] * 3 + [2, 3]),
        ("ab cd\ne", "words of the line so far", [1, 1, 1, 2, 2, 2, 1]),
        ("A. b c. d", "words of the sentence so far", [1, 1, 0, 1, 1, 2, 2, 0, 1]),
        ("aeiXaa", "vowels among the last 4 characters", [1, 2, 3, 3, 3, 3]),
        ("ab\nc", "characters of the line before", [0, 0, 0, 2]),
        ("abc d, e", "letters of the last whole word", [0, 0, 0, 3, 3, 1, 1, 1]),
        ("Ab c d", "after a capitalised word", [False, False, True, True, False, False]),
    ],
)
def test_counts(text: str, on: str, expected: list[float]) -> None:
    assert named(text, on) == expected


def test_words() -> None:
    found = {column.on: shown(column) for column in of("The dog")}
    assert found["the word so far"] == ["“t”", "“th”", "“the”", "no word", "“d”", "“do”", "“dog”"]
    assert found["the last whole word"] == ["no word"] * 3 + ["“the”"] * 4


def test_last_characters() -> None:
    found = last_characters(np.arange(10), [str(n) for n in range(10)])
    assert len(found) == LAST_CHARACTERS
    assert found[2].values[2:].tolist() == list(range(8))
    assert [column.on for column in found[:3]] == [
        "the character",
        "the character before",
        "the character 2 before",
    ]


def test_every_feature_has_words() -> None:
    for feature in ALL:
        on, off = feature_words(feature.name)
        assert "where" not in on
        assert bool(off) == (feature.kind == "flag")
    assert feature_words(user_feature("vowel", "a").name)[0] == "where 'vowel' is on"
