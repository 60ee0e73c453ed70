"""A feature defined by the user: where a match of a regular expression ends."""

import re
import warnings
from collections.abc import Callable

from charrnn.errors import OptionError
from charrnn.neurons.features.track_ops import Flags, marked

REACH = 500
"""Characters that a match may have at most; longer matches are not found."""

_GLOBAL_FLAGS = re.compile(r"(?:\(\?[aiLmsux]+\))*")


def pattern_track(pattern: str) -> Callable[[str], Flags]:
    r"""The track that is on at t where a match of `pattern` ends with character t.

    Exactly: the line of t is cut after t and taken as a whole text. The track is on if a match that
    is not empty and not longer than `REACH` ends at the end of that text. So `the` is on at every
    `e` that completes it, `\d+` at every digit, `\bthe\b` also at the `e` of `them`, `^=.*` from a
    `=` at the beginning of a line to its end, and `\[\[[^\]]*` from the second `[` to before the
    `]`. The line end belongs to the line, but no match continues into the next line.

    Time: one search for each character, starting at each of the up to `REACH` characters before it.
    A pattern with nested repetition, such as `(a+)+b`, can take exponential time.

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
            warnings.simplefilter("ignore")  # the meaning of `[[` may change in a later Python
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
