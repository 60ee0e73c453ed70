"""Words and sentences, and the kinds of characters.

A word is a run of letters, of any script, with their combining marks. An apostrophe (`'` or `’`)
directly after a letter belongs to the word, since a letter may follow: `don't` is one word. Digits
and `_` do not belong to words. In a text without spaces between words, such as Chinese, a word
extends from one punctuation mark to the next.
"""

import re
import unicodedata

import numpy as np

from charrnn.neurons.features.track_ops import (
    BLANK_LINE,
    Flags,
    Numbers,
    as_numbers,
    before,
    clock,
    latest,
    marked,
    which,
)

ASCII_SYMBOLS = "$+<=>^`|~"  # symbols in Unicode, punctuation to most people

_CLOSING = r"""["'”’»)\]}」』）】》]*+"""
_SENTENCE_END = re.compile(
    rf"[.!?…]{_CLOSING}(?=\s)|[。！？]++{_CLOSING}|{BLANK_LINE}", re.MULTILINE
)


def in_word(text: str) -> Flags:
    """On at every character of a word: (N,)."""
    letters, marks = _letters(text), which(text, _is_mark)
    base = latest(~marks)
    core = letters | (marks & (base >= 0) & letters[base])
    return core | (which(text, "'’".__contains__) & before(core))


def word_start(text: str) -> Flags:
    """On at the first letter of a word: (N,)."""
    inside = in_word(text)
    return inside & ~before(inside)


def word_position(text: str) -> Numbers:
    """1 at the first character of a word, 2 at the second and so on; 0 outside of words: (N,)."""
    starts = latest(word_start(text))
    return as_numbers(np.where(in_word(text), np.arange(len(text)) - starts + 1, 0))


def capital(text: str) -> Flags:
    """On at a capital letter, of any script that has them: (N,)."""
    return which(text, lambda symbol: symbol.isalpha() and (symbol.isupper() or symbol.istitle()))


def in_capitalised_word(text: str) -> Flags:
    """On at every character of a word that begins with a capital letter: (N,)."""
    return in_word(text) & capital(text)[latest(word_start(text))]


def in_all_caps_word(text: str) -> Flags:
    """On in a word from its second letter on, while all letters so far are capitals: (N,)."""
    letters = _letters(text)
    starts = latest(word_start(text))
    small = latest(letters & ~which(text, str.isupper))
    count = np.cumsum(letters)
    return in_word(text) & (small < starts) & (count > count[starts])


def digit(text: str) -> Flags:
    """On at a decimal digit of any script: (N,)."""
    return which(text, str.isdecimal)


def punctuation(text: str) -> Flags:
    """On at punctuation, as Unicode defines it, and at the ASCII symbols ``$+<=>^`|~``: (N,)."""
    return which(text, lambda one: unicodedata.category(one)[0] == "P" or one in ASCII_SYMBOLS)


def sentence_position(text: str) -> Numbers:
    r"""1 at the first character of a sentence, 2 at the second and so on; 0 between them: (N,).

    A sentence begins with a character that is not white space. It ends with `.`, `!`, `?` or `…`
    and any closing quotes and brackets after it, if white space follows; with any of `。！？` and
    the closing marks after it; and with the end of a blank line, which does not belong to it. An
    abbreviation ends a sentence, too. A `\r\n` is one character.
    """
    ends = [match.end() - match[0].endswith("\n") for match in _SENTENCE_END.finditer(text)]
    length, time = len(text), clock(text)
    filled = np.append(np.flatnonzero(~which(text, str.isspace)), length)
    since = np.maximum(latest(marked(length, ends)), 0)
    starts = filled[np.searchsorted(filled, since)]
    passed = time - time[np.minimum(starts, length - 1)] + 1
    return as_numbers(np.where(np.arange(length) >= starts, passed, 0))


def _letters(text: str) -> Flags:
    return which(text, str.isalpha)


def _is_mark(symbol: str) -> bool:
    return unicodedata.category(symbol)[0] == "M"
