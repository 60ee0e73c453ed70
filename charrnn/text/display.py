"""Characters so that each can be seen, and none does anything."""

import unicodedata

NAMED = {
    " ": "·", "\n": "↵", "\t": "⇥", "\r": "␍", "\x7f": "␡", "\x85": "␤",
    "\xa0": "⍽", "\u2028": "␤", "\u2029": "¶",
}  # fmt: skip
DOTTED_CIRCLE = "◌"


def shown(symbol: str) -> str:
    """How one character is shown: as it is, or what stands for it.

    White space and controls become signs for them, a combining mark stands on a dotted circle, and
    what has no shape of its own (bidirectional controls, lone surrogates, code points without a
    character) is named.

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
    """How one byte is shown: ASCII as characters, all others in hexadecimal.

    >>> shown_byte(65), shown_byte(0xE2)
    ('A', '‹E2›')
    """
    return shown(chr(value)) if value < 128 else f"‹{value:02X}›"
