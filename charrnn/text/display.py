"""Visible forms of characters, none of which controls a terminal."""

import unicodedata

from charrnn.text.vocabulary import Vocabulary

NAMED = {
    " ": "·", "\n": "↵", "\t": "⇥", "\r": "␍", "\x7f": "␡", "\x85": "␤",
    "\xa0": "⍽", "\u2028": "␤", "\u2029": "¶",
}  # fmt: skip
DOTTED_CIRCLE = "◌"


def shown(symbol: str) -> str:
    """The visible form of one character.

    White space and control characters become symbols, a combining mark is put on a dotted circle,
    and characters without a shape (bidirectional controls, lone surrogates, unassigned code points)
    become their code points.

    >>> shown("a"), shown(" "), shown("\\x1b"), shown("\\u202e")
    ('a', '·', '␛', '‹202E›')
    """
    if symbol in NAMED:
        return NAMED[symbol]
    code = ord(symbol)
    if code < 32:
        return chr(0x2400 + code)
    category = unicodedata.category(symbol)
    if category.startswith("M"):
        return DOTTED_CIRCLE + symbol
    if category.startswith(("C", "Z")):
        return f"‹{code:04X}›"
    return symbol


def shown_byte(value: int) -> str:
    """The visible form of one byte: ASCII as characters, all others in hexadecimal.

    >>> shown_byte(65), shown_byte(0xE2)
    ('A', '‹E2›')
    """
    return shown(chr(value)) if value < 128 else f"‹{value:02X}›"


def shown_symbols(vocabulary: Vocabulary) -> list[str]:
    """The visible form of every symbol, in the order of their ids."""
    codes = vocabulary.symbols.tolist()
    return [shown_byte(code) if vocabulary.is_bytes else shown(chr(code)) for code in codes]
