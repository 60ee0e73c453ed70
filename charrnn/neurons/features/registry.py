"""The features of a text that a neuron may follow, and those that a user adds.

Every track is causal: its value at t is the state after character t has been read, and depends on
nothing that follows. A mark that opens something counts as inside once it is complete, a mark that
closes it as outside. The docstring of each track says exactly where it is on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from charrnn.errors import OptionError
from charrnn.neurons.features.brackets import (
    after_quote,
    bracket_depth,
    in_brackets,
    in_doubled,
    in_quotes,
    link_position,
)
from charrnn.neurons.features.code import in_comment, in_string, in_tag, in_url
from charrnn.neurons.features.lines import (
    after_blank_line,
    after_newline,
    in_speaker,
    indentation,
    line_position,
)
from charrnn.neurons.features.patterns import REACH, pattern_track
from charrnn.neurons.features.track_ops import Flags, Numbers, Track
from charrnn.neurons.features.words import (
    digit,
    in_all_caps_word,
    in_capitalised_word,
    punctuation,
    sentence_position,
    word_position,
    word_start,
)


@dataclass(frozen=True)
class Feature:
    """A property of the characters of a text.

    `track` makes of a text of N characters an array (N,): of bool for a "flag", of float32 for a
    "number". `description` is one line, for people.
    """

    name: str
    kind: Literal["flag", "number"]
    description: str
    track: Callable[[str], Track]


def _flag(name: str, description: str, track: Callable[[str], Flags]) -> Feature:
    return Feature(name, "flag", description, track)


def _number(name: str, description: str, track: Callable[[str], Numbers]) -> Feature:
    return Feature(name, "number", description, track)


_ALL = (
    _flag("quotes", "inside double quotes, straight, curly or « », within a paragraph", in_quotes),
    _flag("after quote", "behind a quote, to the end of the sentence: said Anna", after_quote),
    _flag("parentheses", "inside ( ), within a paragraph", in_brackets("()")),
    _flag("square brackets", "inside [ ] or [[ ]], within a paragraph", in_brackets("[]")),
    _flag("curly brackets", "inside { } or {{ }}, within a paragraph", in_brackets("{}")),
    _flag("link", "inside [[ ]], from the second [ to the first ]", in_doubled("[]")),
    _flag("template", "inside {{ }}, from the second { to the first }", in_doubled("{}")),
    _flag("url", "in an address, from the end of http://, https://, ftp:// or www. on", in_url),
    _flag("tag", "in <...>, from a letter, / or ! behind the < on", in_tag),
    _flag("comment", "in a comment of a program: // or # to the end of line, /* */", in_comment),
    _flag("string", "in a string of a program: \"...\" or '...', within a line", in_string),
    _flag("word start", "at the first letter of a word", word_start),
    _flag("capitalised word", "in a word that begins with a capital letter", in_capitalised_word),
    _flag("all-caps word", "in a word of capitals only, from the second one on", in_all_caps_word),
    _flag("digit", "at a decimal digit", digit),
    _flag("punctuation", "at a punctuation mark or an ASCII symbol", punctuation),
    _flag("after newline", "at the first character of a line, but not of the text", after_newline),
    _flag("after blank line", "at the first character behind a blank line", after_blank_line),
    _flag("speaker", "in a line that may be a speaker's, up to the colon, as in plays", in_speaker),
    _number("line position", "characters of the line before this one", line_position),
    _number("word position", "characters of the word so far, 0 outside of words", word_position),
    _number("sentence position", "characters of the sentence so far", sentence_position),
    _number("bracket depth", "brackets that are open, of ( [ {", bracket_depth),
    _number("indentation", "columns of white space before the line, so far", indentation),
    _number("link position", "characters since [[, 0 outside of [[ ]]", link_position),
)

FEATURES: Mapping[str, Feature] = MappingProxyType({feature.name: feature for feature in _ALL})
"""The features that are always there, by name."""


def user_feature(name: str, pattern: str) -> Feature:
    """A flag that is on at t where a match of the regular expression `pattern` ends with t.

    The line of t up to t is all that the expression sees: `patterns.pattern_track` has the exact
    definition, examples, and what it costs.

    Raises OptionError for a name that is empty, unprintable or taken, and for a pattern that is
    empty or invalid.
    """
    if not name.strip() or not name.isprintable():
        raise OptionError(f"{name!r} cannot be the name of a feature: give it as NAME=REGEX")
    if name in FEATURES:
        raise OptionError(f"there is a feature {name!r} already: give yours another name")
    if not pattern:
        raise OptionError(f"the feature {name!r} has no pattern: give it as NAME=REGEX")
    description = f"where a match of {pattern!r} ends, of up to {REACH} characters within a line"
    return _flag(name, description, pattern_track(pattern))
