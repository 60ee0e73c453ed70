"""A user's own feature: where a regular expression has just matched."""

import re
import warnings
from collections.abc import Callable

from charrnn.errors import OptionError
from charrnn.neurons.features.track_ops import Flags, marked

REACH = 500
"""Characters that a match may have; what is longer is not found."""

_GLOBAL_FLAGS = re.compile(r"(?:\(\?[aiLmsux]+\))*")


def pattern_track(pattern: str) -> Callable[[str], Flags]:
    r"""The track that is on at t where a match of `pattern` ends with character t.

    Exactly: the line of t is cut behind t, and taken for a whole text. The track is on if a match,
    not empty and not longer than `REACH`, ends at its end. Hence `the` is on at every `e` that
    completes it, `\d+` at every digit, `\bthe\b` at the `e` of `them`, too, `^=.*` from a `=` at
    the beginning of a line to its end, and `\[\[[^\]]*` from the second `[` to before the `]`. The
    line's end belongs to the line, but no match goes on into the next one.

    Time: one search a character, which tries each of the up to `REACH` characters before it. A
    pattern that goes back and forth, such as `(a+)+b`, can take longer than anyone waits.

    Raises OptionError where `pattern` is no regular expression of Python's.
    """
    ending = _ending_with(pattern)

    def track(text: str) -> Flags:
        places: list[int] = []
        start = 0
        for line in re.findall(r"[^\n]*+\n|[^\n]++", text):
            for end in range(1, len(line) + 1):
                found = ending.search(line, max(end - REACH, 0), end)
                if found is not None and found.start() < end:
                    places.append(start + end - 1)
            start += len(line)
        return marked(len(text), places)

    return track


def _ending_with(pattern: str) -> re.Pattern[str]:
    """The expression that matches where `pattern` does, but only at the end of the text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `[[` may have another meaning in a later Python
            plain = re.compile(pattern)
            flags = _GLOBAL_FLAGS.match(pattern)
            begin = flags.end() if flags else 0
            # a comment may be the last thing in a verbose expression
            close = "\n)" if plain.flags & re.VERBOSE else ")"
            return re.compile(rf"{pattern[:begin]}(?:{pattern[begin:]}{close}\Z")
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        reason = str(error)
        raise OptionError(
            f"{pattern!r} is not a regular expression "
            f"({reason if reason.isprintable() else ascii(reason)}): "
            "see https://docs.python.org/3/library/re.html"
        ) from error
