"""Open quotes and brackets.

A pair is open from its opening mark, which is included, to its closing mark, which is not; a mark
of two characters counts once it is complete. The end of a paragraph, at the end of a blank line,
closes everything. A closing mark with nothing to close is ignored. The kinds are independent of
each other: `(a [b) c]` has two pairs.
"""

import re
from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from charrnn.neurons.features.track_ops import (
    BLANK_LINE,
    Flags,
    Numbers,
    as_numbers,
    before,
    clock,
    latest,
    marked,
    steps,
    which,
)

BRACKETS = "()", "[]", "{}"

_BLANK_LINE = re.compile(BLANK_LINE, re.MULTILINE)
_QUOTES = re.compile(rf'["“”„«»]|{BLANK_LINE}', re.MULTILINE)


def in_quotes(text: str) -> Flags:
    """On while a quote is open, of any kind: (N,).

    `"` opens and closes; `“` opens, `”` closes; `«` opens, `»` closes. `„` also opens, and is
    closed by `”` or `“`. Apostrophes and single quotes do not count. The kinds are independent of
    each other; `“` and `«` can be nested in their own kind, `"` cannot.
    """
    places: list[int] = []
    states: list[int] = []
    depth: Counter[str] = Counter()
    for match in _QUOTES.finditer(text):
        _read_quote(match[0], depth)
        places.append(match.end() - 1)
        states.append(depth.total())
    return steps(len(text), places, states) > 0


def after_quote(text: str) -> Flags:
    """On from a mark that closes a quote to before the end of the sentence: (N,).

    So it is on in the `" said Anna` of `"Yes," said Anna.` The sentence ends with one of `.!?…`
    (also in an abbreviation), with a mark that opens a quote, and at the end of a blank line.
    """
    inside = in_quotes(text)
    blank = marked(len(text), [match.end() - 1 for match in _BLANK_LINE.finditer(text)])
    closes = before(inside) & ~inside & ~blank
    return latest(closes) > latest(inside | blank | which(text, ".!?…".__contains__))


def _read_quote(mark: str, depth: Counter[str]) -> None:
    if mark == '"':
        depth[mark] = 1 - depth[mark]
    elif mark in "„«":
        depth[mark] += 1
    elif mark == "»":
        depth["«"] -= depth["«"] > 0
    elif mark == "“" and not depth["„"]:
        depth[mark] += 1
    elif mark in "“”":
        kind = "„" if depth["„"] else "“"
        depth[kind] -= depth[kind] > 0
    else:
        depth.clear()  # a blank line


def depth(text: str, pair: str) -> NDArray[np.int64]:
    """How many brackets of one of the `BRACKETS` are open: (N,)."""
    opening, closing = pair[0], pair[1]
    places: list[int] = []
    states: list[int] = []
    now = 0
    for match in _marks(pair).finditer(text):
        if match[0] == opening:
            now += 1
        elif match[0] == closing:
            now -= now > 0
        else:
            now = 0
        places.append(match.end() - 1)
        states.append(now)
    return steps(len(text), places, states)


def in_brackets(pair: str) -> Callable[[str], Flags]:
    """The track that is on while a bracket of this pair is open; `[[` is two brackets."""
    return lambda text: depth(text, pair) > 0


def bracket_depth(text: str) -> Numbers:
    """How many `(`, `[` and `{` are open; `[[` and `{{` count two: (N,)."""
    return as_numbers(sum((depth(text, pair) for pair in BRACKETS), np.zeros(len(text), np.int64)))


def doubled_depth(text: str, pair: str) -> NDArray[np.int64]:
    """How many doubled marks such as `[[` are open, of `[]` or `{}`: (N,).

    Adjacent opening marks are paired from the left: `[[[` is `[[` and `[`. Single pairs inside are
    matched first: the `]]]` of `[[a[1]]]` closes the `[`, then the `[[`. Between `[[` and its `]]`
    a single `]` that closes nothing is ignored.
    """
    opening, closing = pair[0], pair[1]
    places: list[int] = []
    states: list[int] = []
    doubled: list[bool] = []  # the marks that are open, the innermost last
    now = 0
    single = half = -2  # where an opening, and where a closing mark waits for its second half
    for match in _marks(pair).finditer(text):
        t = match.end() - 1
        if match[0] == opening and single == t - 1:
            doubled[-1] = True
            now += 1
            single = -2
        elif match[0] == opening:
            doubled.append(False)
            single = t
        elif match[0] != closing:
            doubled.clear()
            now = 0
        elif doubled and not doubled[-1]:
            doubled.pop()
        elif doubled and half == t - 1:
            doubled.pop()
            now -= 1
            half = -2
        elif doubled:
            half = t
        places.append(t)
        states.append(now)
    return steps(len(text), places, states)


def in_doubled(pair: str) -> Callable[[str], Flags]:
    """The track that is on from the second `[` of `[[` to before the second `]` of its `]]`."""
    return lambda text: doubled_depth(text, pair) > 0


def link_position(text: str) -> Numbers:
    """1 at the second `[` of `[[`, 2 at the next character and so on; 0 outside: (N,).

    A `[[` within another does not restart the count.
    """
    inside = doubled_depth(text, "[]") > 0
    starts = latest(inside & ~before(inside))
    time = clock(text)
    return as_numbers(np.where(inside, time - time[starts] + 1, 0))


def _marks(pair: str) -> re.Pattern[str]:
    return re.compile(rf"[{re.escape(pair)}]|{BLANK_LINE}", re.MULTILINE)
