"""Operations on tracks, and the ends of lines and paragraphs.

A track of a text of N characters is an array of shape (N,). Its value at t is the state after
character t has been read; it never depends on what comes later.

A line ends with `\\n` or `\\r\\n`, and its end belongs to it. A blank line has nothing but white
space. A paragraph ends with the end of the blank line behind it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.text.vocabulary import code_points

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float32]
Track = Flags | Numbers

BLANK_LINE = r"^[^\S\n]*+\n"
"""Matches a blank line with its end; to be compiled with `re.MULTILINE`."""

_NEWLINE, _RETURN = ord("\n"), ord("\r")


def steps(length: int, places: Sequence[int], states: Sequence[int]) -> NDArray[np.int64]:
    """The track (length,) that is `states[i]` from `places[i]` on, and 0 before the first of them.

    `places` do not decrease, and are at most `length`.

    >>> steps(7, [2, 5], [1, 3])
    array([0, 0, 1, 1, 1, 3, 3])
    """
    return np.repeat(np.array([0, *states], np.int64), np.diff([0, *places, length]))


def spans(length: int, found: Iterable[tuple[int, int]]) -> Flags:
    """The track (length,) that is on from each start to before its end; they do not overlap.

    >>> spans(5, [(1, 3), (4, 5)])
    array([False,  True,  True, False,  True])
    """
    places = [place for span in found for place in span]
    return steps(length, places, [1, 0] * (len(places) // 2)) > 0


def marked(length: int, places: Sequence[int]) -> Flags:
    """The track (length,) that is on at `places`; places beyond its end are ignored."""
    track = np.zeros(length + 1, np.bool_)
    track[np.minimum(np.array(places, np.intp), length)] = True
    return track[:length]


def before(track: Flags) -> Flags:
    """The track (N,) delayed by one character: at t the value of t − 1, and off at 0."""
    return np.concatenate((np.zeros(1, np.bool_), track))[: len(track)]


def latest(track: Flags) -> NDArray[np.int64]:
    """The last place at or before t where `track` (N,) is on, and -1 where there is none: (N,).

    >>> latest(np.array([False, True, False, True]))
    array([-1,  1,  1,  3])
    """
    return np.maximum.accumulate(np.where(track, np.arange(len(track)), -1))


def which(text: str, is_one: Callable[[str], bool]) -> Flags:
    """On at the characters for which `is_one` is true: (N,). It is called once for each distinct
    character."""
    codes = code_points(text)
    table = np.zeros(int(codes.max(initial=0)) + 1, np.bool_)
    table[np.array([ord(symbol) for symbol in set(text) if is_one(symbol)], np.intp)] = True
    return table[codes]


def clock(text: str) -> NDArray[np.int64]:
    """The number of characters up to and including t, where `\\r\\n` counts as one: (N,)."""
    codes = code_points(text)
    pairs = before(codes == _RETURN) & (codes == _NEWLINE)
    return np.cumsum(~pairs, dtype=np.int64)


def line_starts(text: str) -> NDArray[np.int64]:
    """The place of the first character of the line of t: (N,)."""
    return np.maximum(latest(before(code_points(text) == _NEWLINE)), 0)


def as_numbers(track: NDArray[Any]) -> Numbers:
    """The same values as float32: exact below 2^24."""
    return track.astype(np.float32)
