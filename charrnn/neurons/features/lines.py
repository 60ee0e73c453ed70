"""Where in its line a character is, and what kind of line it is."""

import re

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
    line_starts,
    marked,
    which,
)
from charrnn.neurons.features.words import capital, in_word, word_start

_BLANK_LINE = re.compile(BLANK_LINE, re.MULTILINE)
_TAB = 8  # columns


def line_position(text: str) -> Numbers:
    """0 at the first character of a line, 1 at the second and so on, up to its end: (N,).

    The line's end has the position after the last character: `\\n`, and both halves of `\\r\\n`.
    """
    return as_numbers(_column(text))


def after_newline(text: str) -> Flags:
    """On at the first character of every line but the first: (N,).

    In an empty line that is its line end; both halves of it, if it is `\\r\\n`.
    """
    later: Flags = line_starts(text) > 0
    return later & _begins_line(text)


def after_blank_line(text: str) -> Flags:
    """On at the first character of a line that follows a blank one: (N,)."""
    behind = marked(len(text), [match.end() for match in _BLANK_LINE.finditer(text)])
    return behind[line_starts(text)] & _begins_line(text)


def indentation(text: str) -> Numbers:
    """The columns of white space at the beginning of the line, up to this character: (N,).

    A space is one column, a tab extends to the next multiple of 8. From the first other character
    the value stays the same to the end of the line.
    """
    places = np.arange(len(text))
    starts = line_starts(text)
    tabs = which(text, "\t".__eq__)
    others = latest(~(tabs | which(text, " ".__eq__)))
    leading = others < starts
    spaces = places - np.maximum(starts, latest(before(tabs)))  # since the tab before
    columns = np.cumsum(np.where(tabs, _TAB - spaces % _TAB, 1) * leading)
    return as_numbers(columns - np.append(0, columns)[starts])


def in_speaker(text: str) -> Flags:
    """On in a line that may name a speaker, such as `First Citizen:`: (N,).

    The line is the first one or follows a blank one, and begins with a capital letter. The track is
    off from the colon, from the line's end, from the first word that does not begin with a capital,
    and from any character that is not a letter, a decimal digit, a space, `.`, `-`, `'` or `’`. So
    it is also on in the `The ` of a paragraph, which may still become a name.
    """
    inside = in_word(text) | which(text, lambda symbol: symbol.isdecimal() or symbol in " .-'’")
    ends = ~inside | (word_start(text) & ~capital(text))
    starts = after_blank_line(text)
    starts[:1] = True
    return latest(starts & capital(text)) > latest(ends)


def _column(text: str) -> NDArray[np.int64]:
    """Characters between the beginning of the line and this one: (N,)."""
    time = clock(text)
    return time - time[line_starts(text)]


def _begins_line(text: str) -> Flags:
    """On at the first character of a line: (N,); at both halves of a `\\r\\n` that is all of it."""
    begins: Flags = _column(text) == 0
    return begins
