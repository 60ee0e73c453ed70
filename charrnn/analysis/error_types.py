"""Which errors a model makes, sorted by what would have avoided them.

Karpathy, Johnson & Fei-Fei (2015, section 4.4) take the errors of a model off in layers, like the
skins of an onion. Here, an error is a character with a probability of at most ½. Every character
belongs to the first of these types that it fits:

    n-gram          an n-gram model of the training text gives it more than ½
    closing mark    it closes a quote or a bracket
    recent word     it is in a word that stands in the `RECENT` characters before, too
    rare word       it is in a word that the training text has at most `RARE` times
    word start      it is the first letter of another word: which word comes next
    word            it is in another word, or the character behind one
    punctuation     it follows punctuation or a line end
    other           all else

A word is a run of letters. All of a word's letters are of the type of the whole word, but for those
that an n-gram model would know.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.types import IdArray

RECENT = 1000
"""Characters."""
RARE = 5
DISTANCES = (10, 30, 100, 300)
"""Characters between an opening and a closing mark: the borders of the table by distance."""
LONGEST_PAIR = 2000
"""Characters; marks farther apart are not a pair."""
TYPES = (
    "n-gram", "closing mark", "recent word", "rare word", "word start", "word", "punctuation",
    "other",
)  # fmt: skip

_WORD = re.compile(r"[^\W\d_]+")
_PAIRS = {")": "(", "]": "[", "}": "{", "”": "“", "»": "«"}
_MARKS = re.compile(r'["()\[\]{}“”«»]|\r?\n[ \t]*\r?\n')

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class ErrorType:
    """The characters of one type: how many, how many of them are errors, and their loss in nats."""

    characters: int
    errors: int
    nats: float

    @classmethod
    def of(cls, losses: NDArray[np.float64], which: Flags) -> "ErrorType":
        own = losses[which]
        return cls(len(own), int((own >= np.log(2)).sum()), float(own.sum()))


@dataclass(frozen=True)
class ErrorReport:
    """The types of a text's characters by their names, in the order in which they are taken off;
    and the characters that close a pair, by the names of ranges of its length."""

    types: Mapping[str, ErrorType]
    closing: Mapping[str, ErrorType]


def error_report(
    text: str,
    losses: NDArray[np.float64],
    *,
    training_text: str,
    ngram_probabilities: NDArray[np.float64] | None = None,
) -> ErrorReport:
    """The errors of a model with these `losses` (N,) in nats on a text of N characters.

    `ngram_probabilities` (N,) are those of an n-gram model; without them, that type is empty.
    """
    lengths = pair_lengths(text)
    fitting = _types(text, training_text)
    by_ngram = np.zeros(len(text), np.bool_)
    if ngram_probabilities is not None:
        by_ngram = ngram_probabilities > 0.5
    fitting = {"n-gram": by_ngram, "closing mark": lengths > 0, **fitting}
    left = np.ones(len(text), np.bool_)
    types = {}
    for name in TYPES:
        types[name] = ErrorType.of(losses, fitting[name] & left)
        left &= ~fitting[name]
    closing, shortest = {}, 1
    for longest in (*DISTANCES, LONGEST_PAIR):
        which = (lengths >= shortest) & (lengths <= longest)
        closing[f"{shortest}-{longest}"] = ErrorType.of(losses, which)
        shortest = longest + 1
    return ErrorReport(types, closing)


def pair_lengths(text: str) -> NDArray[np.int64]:
    """For each closing quote or bracket the distance to its opening mark in characters, 0 for all
    other characters (N,). The end of a paragraph closes everything; `"` opens and closes."""
    lengths = np.zeros(len(text), np.int64)
    opened: dict[str, list[int]] = {}
    for match in _MARKS.finditer(text):
        mark, place = match[0], match.start()
        opening = _PAIRS.get(mark, '"' if mark == '"' and opened.get('"') else None)
        if len(mark) > 1:
            opened.clear()
        elif opening is None:
            opened.setdefault(mark, []).append(place)
        elif opened.get(opening):
            length = place - opened[opening].pop()
            lengths[place] = length if length <= LONGEST_PAIR else 0
    return lengths


def _types(text: str, training_text: str) -> dict[str, Flags]:
    """Where each of the types fits that depend on words and punctuation (N,)."""
    names = TYPES[2:]
    fits = {name: np.zeros(len(text), np.bool_) for name in names}
    known = Counter(_WORD.findall(training_text))
    last_end: dict[str, int] = {}
    for match in _WORD.finditer(text):
        word, (start, end) = match[0], match.span()
        if start - last_end.get(word, -RECENT - 1) <= RECENT:
            fits["recent word"][start:end] = True
        if known[word] <= RARE:
            fits["rare word"][start:end] = True
        fits["word start"][start] = True
        fits["word"][start : end + 1] = True
        last_end[word] = end
    follows = np.array(
        [not (c.isalnum() or c in " \t_") for c in ("\n" + text)[: len(text)]], np.bool_
    )
    fits["punctuation"] = follows
    fits["other"] = np.ones(len(text), np.bool_)
    return fits


def text_of(ids: IdArray, symbols: NDArray[np.uint32]) -> str:
    """The text of ids with one character for each: bytes as U+0000 to U+00FF."""
    return symbols[ids].astype("<u4").tobytes().decode("utf-32-le")
