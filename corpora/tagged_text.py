"""Text with a record, for every character, of which structures are open.

A `TaggedText` is written span by span. Each piece is stored with the state that holds after it. So
the hidden state comes from the writer, and nothing is parsed from the text:

    out = TaggedText()
    out.text("The bell ")
    with out.span(PAREN):
        out.text("see ")
        with out.span(LINK):
            out.text("Bell")
    out.text(" rang.")
    out.newline()
    text, truth = out.finish()

Paragraphs wrap by themselves: a space becomes a line end where the next word would pass the width.
Spaces inside links, templates, URLs and code do not break.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

WIDTH = 72  # characters in the longest wrapped line, its '\n' not counted

# A state is one integer: flags in the low bits, the depth of brackets above them.
_QUOTE, _LINK, _TEMPLATE, _URL, _CODE = 1, 2, 4, 8, 16
_DEPTH = 32
_UNBREAKABLE = _LINK | _TEMPLATE | _URL | _CODE


class Span(NamedTuple):
    """A structure: its opening and closing marks, and the flag that is up between them."""

    opening: str
    closing: str
    flag: int


QUOTE = Span('"', '"', _QUOTE)
PAREN = Span("(", ")", 0)
SQUARE = Span("[", "]", 0)
CURLY = Span("{", "}", 0)
LINK = Span("[[", "]]", _LINK)
TEMPLATE = Span("{{", "}}", _TEMPLATE)
URL = Span("", "", _URL)
CODE = Span("", "", _CODE)

Truth = dict[str, NDArray[Any]]


class TaggedText:
    """A text under construction, with the state of every character."""

    def __init__(self) -> None:
        self.length = (
            0  # characters written and placed; a word still waiting for its line is not counted
        )
        self._pieces: list[str] = []
        self._states: list[int] = []  # one for each piece
        self._state = 0
        self._column = 0
        self._hang = 0
        self._word: list[tuple[str, int]] = []  # pieces since the last space: they stay on one line
        self._word_length = 0
        self._space: int | None = None  # state of a space that may yet become a line end

    def text(self, text: str) -> None:
        """Write `text` in the present state; its spaces may become line ends."""
        if self._state & _UNBREAKABLE:
            self._add(text)
            return
        first, *rest = text.split(" ")
        self._add(first)
        for word in rest:
            self._place()
            self._space = self._state
            self._add(word)

    @contextmanager
    def span(self, span: Span) -> Iterator[None]:
        """Write `span`'s opening mark, the body of the `with`, and the closing mark.

        The state changes with the mark: an opening bracket counts already, a closing one no more;
        the flag goes up with the last character of the opening mark, and down with the last one of
        the closing mark.
        """
        outer = self._state
        for mark in span.opening[:-1]:
            self._state += _DEPTH
            self._add(mark)
        self._state += _DEPTH * (span.opening[-1:] in ("(", "[", "{"))
        self._state |= span.flag
        self._add(span.opening[-1:])
        yield
        for mark in span.closing[:-1]:
            self._state -= _DEPTH
            self._add(mark)
        self._state = outer
        self._add(span.closing[-1:])

    def newline(self) -> None:
        """End the line. The '\\n' carries the present state."""
        self._place()
        self._append("\n", self._state)
        self._column = 0

    @contextmanager
    def hanging(self, indent: int) -> Iterator[None]:
        """Begin further lines of a wrapped paragraph with `indent` spaces."""
        self._hang = indent
        yield
        self._place()
        self._hang = 0

    def finish(self) -> tuple[str, Truth]:
        """The text and its hidden state: arrays of shape (len(text),), see `corpora/README.md`.

        Memory: 10 bytes a character, one of them the text; about 48 while the arrays are made.
        """
        self._place()
        text = "".join(self._pieces)
        lengths = np.fromiter(map(len, self._pieces), np.int64, len(self._pieces))
        states = np.repeat(np.array(self._states, np.int32), lengths)
        truth: Truth = {
            "in_quote": (states & _QUOTE) != 0,
            "bracket_depth": (states // _DEPTH).astype(np.uint8),
            "in_link": (states & _LINK) != 0,
            "in_template": (states & _TEMPLATE) != 0,
            "in_url": (states & _URL) != 0,
            "in_code": (states & _CODE) != 0,
        }
        truth["indent"], truth["column"] = _layout(text)
        return text, truth

    def _add(self, text: str) -> None:
        if text:
            self._word.append((text, self._state))
            self._word_length += len(text)

    def _place(self) -> None:
        """Put the waiting space and word on this line, or on the next one where they do not fit."""
        if self._space is not None:
            if self._column + 1 + self._word_length > WIDTH:
                self._append("\n" + " " * self._hang, self._space)
                self._column = self._hang
            else:
                self._append(" ", self._space)
                self._column += 1
            self._space = None
        for piece, state in self._word:
            self._append(piece, state)
        self._column += self._word_length
        self._word.clear()
        self._word_length = 0

    def _append(self, piece: str, state: int) -> None:
        self._pieces.append(piece)
        self._states.append(state)
        self.length += len(piece)


def _layout(text: str) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Indentation of its line and column of every character, both of shape (len(text),)."""
    codes = np.frombuffer(text.encode("ascii"), np.uint8)
    position = np.arange(len(codes))
    starts = np.concatenate(([0], np.flatnonzero(codes == ord("\n")) + 1))
    starts = starts[starts < len(codes)]
    widths = np.diff(np.append(starts, len(codes)))
    column = position - np.repeat(starts, widths)
    filled = np.flatnonzero(codes != ord(" "))  # every line has such a character: its '\n' at least
    indent = filled[np.searchsorted(filled, starts)] - starts if len(starts) else starts
    return np.repeat(indent, widths).astype(np.uint8), column.astype(np.uint16)
