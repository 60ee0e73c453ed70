"""What a rule about a cell may look at: causal columns of a text.

There are three kinds. A flag and a number are tracks, as those of `charrnn.neurons.features`; all
features are columns. A symbol is one of the last characters itself. Each column has the words in
which a rule speaks of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from charrnn.neurons.features.lines import after_blank_line, line_position
from charrnn.neurons.features.registry import Feature
from charrnn.neurons.features.track_ops import Flags, before, latest, line_starts, which
from charrnn.neurons.features.words import capital, in_word, punctuation, word_position, word_start
from charrnn.types import IdArray

LAST_CHARACTERS = 6
"""The current character and the five before it."""
LONGEST_COUNT = 500
"""Characters since an event are counted up to this."""
WINDOWS = (4, 8, 16, 32)
"""Characters in which events are counted."""

_ON_AND_OFF: Mapping[str, tuple[str, str]] = {
    "quotes": ("inside quotes", "outside quotes"),
    "after quote": ("behind a quote", "not behind a quote"),
    "parentheses": ("inside ( )", "outside ( )"),
    "square brackets": ("inside [ ]", "outside [ ]"),
    "curly brackets": ("inside { }", "outside { }"),
    "link": ("inside [[ ]]", "outside [[ ]]"),
    "template": ("inside {{ }}", "outside {{ }}"),
    "url": ("inside an address", "outside addresses"),
    "tag": ("inside < >", "outside < >"),
    "comment": ("inside a comment", "outside comments"),
    "string": ("inside a string", "outside strings"),
    "word start": ("at the first letter of a word", "not at the first letter of a word"),
    "capitalised word": ("in a capitalised word", "not in a capitalised word"),
    "all-caps word": ("in a word of capitals", "not in a word of capitals"),
    "digit": ("at a digit", "not at a digit"),
    "punctuation": ("at a punctuation mark", "not at a punctuation mark"),
    "after newline": ("at the beginning of a line", "not at the beginning of a line"),
    "after blank line": ("right after a blank line", "not right after a blank line"),
    "speaker": ("in a speaker's name", "not in a speaker's name"),
    "line position": ("characters of the line so far", ""),
    "word position": ("letters of the word so far", ""),
    "sentence position": ("characters of the sentence so far", ""),
    "bracket depth": ("open brackets", ""),
    "indentation": ("columns of indentation", ""),
    "link position": ("characters since [[", ""),
}
"""What a rule says of a feature: of a flag where it is on and off, of a number what it counts."""


@dataclass(frozen=True)
class Column:
    """One column of a text of N characters: `values` (N,).

    `on` and `off` are the words for a flag. For a number, `on` says what it counts, and `event`
    since what, if it counts the characters since something. For a symbol, `on` says which one, and
    `names` what its values are called.
    """

    kind: Literal["flag", "number", "symbol"]
    values: NDArray[Any]
    on: str
    off: str = ""
    event: str = ""
    names: Sequence[str] = ()


def columns(
    text: str, ids: IdArray, features: Sequence[Feature], names: Sequence[str]
) -> list[Column]:
    """All columns of a text with the symbols `ids` (N,), whose values are called `names`: features
    first, then what is counted, words, and the last characters at the end."""
    found = [_of_feature(text, feature) for feature in features]
    events = _events(text)
    found += _since(events)
    found += _counts(text, events)
    found += _words_and_lines(text, events)
    found += _words(text)
    return found + last_characters(ids, names)


def last_characters(ids: IdArray, names: Sequence[str]) -> list[Column]:
    """The last characters alone: the baseline that a rule has to beat."""
    found = []
    for back in range(LAST_CHARACTERS):
        delayed = np.concatenate([ids[:back], ids[: len(ids) - back]])
        found.append(Column("symbol", delayed, _ago(back), names=names))
    return found


def _ago(back: int) -> str:
    if back == 0:
        return "the character"
    return "the character before" if back == 1 else f"the character {back} before"


def feature_words(name: str) -> tuple[str, str]:
    """What is said of a feature: of a flag, where it is on and where it is off."""
    return _ON_AND_OFF.get(name, (f"where {name!r} is on", f"where {name!r} is off"))


def _of_feature(text: str, feature: Feature) -> Column:
    return Column(feature.kind, feature.track(text), *feature_words(feature.name))


def _events(text: str) -> dict[str, Flags]:
    """What happens in a text, by name; each is on at its character."""
    vowels = which(text, "aeiouyAEIOUYаеёиоуыэюяАЕЁИОУЫЭЮЯ".__contains__)
    letters = which(text, str.isalpha)
    return {
        "line end": which(text, "\n".__eq__),
        "blank line": after_blank_line(text),
        "space": which(text, str.isspace),
        "word start": word_start(text),
        "capital letter": capital(text),
        "small letter": which(text, str.islower),
        "vowel": vowels,
        "consonant": letters & ~vowels,
        "punctuation mark": punctuation(text),
        "mark that ends a sentence": which(text, ".!?…".__contains__),
        "comma, semicolon or colon": which(text, ",;:".__contains__),
        "colon": which(text, ":".__eq__),
        "quotation mark": which(text, '"“”«»„'.__contains__),
        "apostrophe": which(text, "'’".__contains__),
        "opening bracket": which(text, "([{<".__contains__),
        "closing bracket": which(text, ")]}>".__contains__),
        "dash": which(text, "-–—".__contains__),
        "digit": which(text, str.isdecimal),
        "symbol such as = * # |": which(text, "=*#|/_".__contains__),
    }


def _since(events: Mapping[str, Flags]) -> Iterator[Column]:
    """Characters since the last of each event, and since the last but one of some."""
    for name, event in events.items():
        yield _counter(latest(event), f"the last {name}")
    for name in ("line end", "space", "capital letter", "punctuation mark"):
        places = np.flatnonzero(events[name])
        rank = np.searchsorted(places, np.arange(len(events[name])), side="right") - 2
        earlier = np.where(rank >= 0, np.append(places, 0)[np.maximum(rank, 0)], -LONGEST_COUNT)
        yield _counter(earlier, f"the last {name} but one")


def _counter(last: NDArray[np.int64], event: str) -> Column:
    passed = np.arange(len(last)) - last
    passed[last < 0] = LONGEST_COUNT
    count = np.minimum(passed, LONGEST_COUNT).astype(np.float32)
    return Column("number", count, f"characters since {event}", event=event)


def _counts(text: str, events: Mapping[str, Flags]) -> Iterator[Column]:
    """How often events have happened in the line, the sentence, the paragraph, and of late."""
    N = len(text)
    lines = line_starts(text)
    sentences = np.maximum(latest(before(events["mark that ends a sentence"])), 0)
    paragraphs = np.maximum(latest(events["blank line"]), 0)

    def counted(name: str, since: NDArray[np.int64], words: str) -> Column:
        count = np.append(0, np.cumsum(events[name]))
        return Column("number", (count[1:] - count[since]).astype(np.float32), words)

    for name, plural in (
        ("word start", "words"),
        ("capital letter", "capital letters"),
        ("punctuation mark", "punctuation marks"),
        ("quotation mark", "quotation marks"),
        ("colon", "colons"),
        ("digit", "digits"),
    ):
        yield counted(name, lines, f"{plural} of the line so far")
    yield counted("word start", sentences, "words of the sentence so far")
    yield counted("line end", paragraphs, "line ends of the paragraph so far")
    for name, plural in (
        ("vowel", "vowels"),
        ("space", "spaces"),
        ("capital letter", "capital letters"),
        ("punctuation mark", "punctuation marks"),
    ):
        for window in WINDOWS:
            begin = np.maximum(np.arange(N) + 1 - window, 0)
            yield counted(name, begin, f"{plural} among the last {window} characters")


def _words(text: str) -> Iterator[Column]:
    """The word so far and the last whole word, in small letters."""
    inside, starts = in_word(text).tolist(), word_start(text).tolist()
    small = text.lower() if len(text.lower()) == len(text) else text
    current, whole = "", ""
    so_far, last = [], []
    for t, symbol in enumerate(small):
        if inside[t]:
            current = symbol if starts[t] else current + symbol
        elif current:
            whole, current = current, ""
        so_far.append(current)
        last.append(whole)
    for words, on in ((so_far, "the word so far"), (last, "the last whole word")):
        distinct, values = np.unique(np.array(words, np.str_), return_inverse=True)
        names = [f"“{word}”" if word else "no word" for word in distinct.tolist()]
        yield Column("symbol", values, on, names=names)


def _words_and_lines(text: str, events: Mapping[str, Flags]) -> Iterator[Column]:
    """The word and the line before, and how the line began."""
    lengths, inside, capitals = word_position(text), in_word(text), capital(text)
    ended = latest(before(inside) & ~inside)
    has_word = ended > 0
    yield Column(
        "number", np.where(has_word, lengths[ended - 1], 0).astype(np.float32),
        "letters of the last whole word",
    )  # fmt: skip
    started = latest(events["word start"])
    yield Column(
        "flag", has_word & capitals[started[ended - 1]],
        "after a capitalised word", "not after a capitalised word",
    )  # fmt: skip
    starts, positions = line_starts(text), line_position(text)
    yield Column(
        "number", np.where(starts > 0, positions[starts - 1], 0).astype(np.float32),
        "characters of the line before",
    )  # fmt: skip
    yield Column(
        "flag", capitals[starts],
        "in a line that begins with a capital", "in a line that begins with no capital",
    )  # fmt: skip
