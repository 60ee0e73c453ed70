"""Addresses, tags, and the comments and strings of programs.

The language does not have to be known, and the text need not be a program: in prose, too, a `"`
begins a string, and a `# ` at the beginning of a line begins a comment. A string inside a comment
is not a string, and a comment inside a string is not a comment.
"""

import re

from charrnn.neurons.features.track_ops import BLANK_LINE, Flags, spans, steps

# what RFC 3986 allows, without [ and ]: sections 2.1 (%), 2.2 (reserved) and 2.3 (unreserved)
_IN_URL = r"\w\-.~:/?#@!$&'*+,;=%"
_BEGIN = r"(?<!\w)(?:https?://|ftp://|www\.)"
_REST = rf"(?:[{_IN_URL}]++|\([{_IN_URL}]*+\)?)*"
_URL = re.compile(rf"(?ai)(?P<begin>{_BEGIN}){_REST}")

_TAG = re.compile(rf"<[A-Za-z/!]|>|{BLANK_LINE}", re.MULTILINE)

_LINES = r"\n[^\S\n]*+"
_TOKEN = re.compile(
    rf"""
      (?ai: {_BEGIN} {_REST} )
    | (?P<string> " (?: [^"\\\r\n]++ | \\[^\r\n]? )* ) "?
    | (?<! [\w\u0300-\u036f] ) (?P<quoted> ' (?: [^'\\\r\n]++ | \\[^\r\n]? )* ) '?
    | (?<! [:/] ) / (?P<slashes> / [^\r\n]*+ )
    | (?<! \S ) \#++ (?P<hash> [\ \t!] [^\r\n]*+ )
    | / (?P<block>
        \* (?: [^*\n]++ | \*(?!/) | {_LINES}(?!\n) )* (?: \*(?=/) | {_LINES} )?
      ) /?
    """,
    re.VERBOSE,
)
_STRINGS = "string", "quoted"
_COMMENTS = "slashes", "hash", "block"


def in_url(text: str) -> Flags:
    """On from the end of `http://`, `https://`, `ftp://` or `www.` to the end of the address: (N,).

    They count in any case of letters, but not behind an ASCII letter, a digit or `_`. The address
    ends before the first character that RFC 3986 does not allow in one (white space, `<>"|{}` and
    everything that is not ASCII), before `[` or `]`, and before a `)`, unless the last bracket of
    the address is a `(`. A full stop at the end may belong to the address, so it counts as part of
    it.
    """
    return spans(
        len(text), ((found.end("begin") - 1, found.end()) for found in _URL.finditer(text))
    )


def in_tag(text: str) -> Flags:
    """On from a letter (of ASCII), `/` or `!` behind `<` to before the next `>`: (N,).

    So `a < b` is not a tag. A tag that is not closed ends with its paragraph.
    """
    found = [(match.end() - 1, match[0].startswith("<")) for match in _TAG.finditer(text)]
    places = [place for place, _ in found]
    return steps(len(text), places, [opens for _, opens in found]) > 0


def in_comment(text: str) -> Flags:
    """On in a comment of a program, once the mark that begins it is complete: (N,).

    - `//`, from the second `/` to before the line's end; not behind `:` or `/`, nor in an address
    - `/*`, from the `*` to before the `/` of `*/`, or to the end of the paragraph
    - `#`, once or more, at the beginning of a line or after white space, from the space, tab or `!`
      after it to before the line's end; so `#include` and `#tag` are not comments, but headings of
      Markdown are
    """
    return _tokens(text, _COMMENTS)


def in_string(text: str) -> Flags:
    """On in a string of a program, from its opening mark to before the closing one: (N,).

    A string is enclosed in `"` or in `'`. A backslash escapes the next character, and the end of
    the line ends the string. A `'` after a letter, a digit or `_` is an apostrophe and opens none.
    """
    return _tokens(text, _STRINGS)


def _tokens(text: str, kinds: tuple[str, ...]) -> Flags:
    found = (match for match in _TOKEN.finditer(text) if match.lastgroup in kinds)
    return spans(len(text), (match.span(match.lastgroup or 0) for match in found))
