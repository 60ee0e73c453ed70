"""Types of errors, beside texts in which they are plain to see."""

import numpy as np
import pytest

from charrnn.analysis import error_types
from charrnn.analysis.error_types import (
    LONGEST_PAIR,
    TYPES,
    ErrorType,
    error_report,
    pair_lengths,
    text_of,
)

TRAINING = "the house was old " * 6 + "rarely seen "


def shown(text: str, ngram: str = "") -> dict[str, str]:
    """The characters of each type, one after another."""
    by_type: dict[str, str] = {}
    p = np.array([0.9 if c == "n" else 0.1 for c in ngram.ljust(len(text))])
    for place, character in enumerate(text):
        losses = np.zeros(len(text))
        losses[place] = 1.0
        found = error_report(text, losses, training_text=TRAINING, ngram_probabilities=p)
        (name,) = [name for name, of_type in found.types.items() if of_type.nats == 1.0]
        by_type[name] = by_type.get(name, "") + character
    return by_type


def test_each_type() -> None:
    assert shown("the old seen house") == {
        "word start": "toh", "word": "he ld  ouse", "rare word": "seen",
    }  # fmt: skip


def test_recent_words_come_before_rare_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown("seen seen")["recent word"] == "seen"
    assert shown("seen seen")["rare word"] == "seen"
    monkeypatch.setattr(error_types, "RECENT", 3)
    assert shown("seen the seen")["rare word"] == "seenseen"


def test_an_ngram_model_comes_first() -> None:
    found = shown("the (old) house", "nnn      n")
    assert found["n-gram"] == "the "
    assert found["closing mark"] == ")"


def test_behind_punctuation() -> None:
    assert shown("1, 2.\n3")["punctuation"] == "1 \n3"


def test_sums_and_errors() -> None:
    rng = np.random.default_rng(961)
    text = 'the old "house" was seen. (rarely)\n' * 9
    losses = rng.exponential(1, len(text))
    report = error_report(text, losses, training_text=TRAINING)
    assert tuple(report.types) == TYPES
    total = list(report.types.values())
    assert sum(each.characters for each in total) == len(text)
    assert sum(each.nats for each in total) == pytest.approx(losses.sum())
    assert sum(each.errors for each in total) == (np.exp(-losses) <= 0.5).sum()
    assert report.types["n-gram"] == ErrorType(0, 0, 0.0)
    assert sum(each.characters for each in report.closing.values()) == 18
    assert report.closing["1-10"].characters == 18


def test_pairs_and_their_lengths() -> None:
    text = 'a "b" (c [d) e] ) “f «g» h”\n\n" ( \n\n )'
    lengths = pair_lengths(text)
    assert {text[n] + str(n): int(lengths[n]) for n in np.flatnonzero(lengths)} == {
        '"4': 2, ")11": 5, "]14": 5, "»23": 2, "”26": 8,
    }  # fmt: skip
    far = "(" + "x" * LONGEST_PAIR + ")"
    assert not pair_lengths(far).any()
    assert pair_lengths(far[1:-1]).shape == (LONGEST_PAIR,)


def test_a_text_of_ids() -> None:
    assert text_of(np.array([1, 0, 2]), np.array([10, 97, 0x5B57], np.uint32)) == "a\n\u5b57"


def test_an_empty_text() -> None:
    report = error_report("", np.zeros(0), training_text="")
    assert all(each == ErrorType(0, 0, 0.0) for each in report.types.values())
