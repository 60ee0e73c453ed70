"""Features of text: each drawn under a tricky text, and what is true of all of them."""

import random
import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from charrnn.errors import OptionError
from charrnn.neurons.features.patterns import REACH
from charrnn.neurons.features.registry import FEATURES, Feature, user_feature
from charrnn.neurons.features.track_ops import Track
from wiki import generate

# A text, and below it the track: `#` is on, `.` off; of a number 0 is `.`, and 10 to 35 are a-z.
# In the text ¶ stands for '\n', ␍ for '\r', → for a tab, ␠ for a space that could not be seen.
DRAWN = {
    "quotes": """
say "yes", or "no"
....####......###.

“a “b” c” «d «e» f» g ” » h
########..########.........

„so“ and „so” and “so”, »no«
###......###......###......#

It's 'so', and `so`
...................

"not closed.¶Go on.¶¶No more" here, no more.¶␠→¶"a"
####################........###################.##.

"“a" b”.
######..
""",
    "after quote": """
"Yes," said Anna. "Oh?" He left. "«No»" "I" am
.....###########......#########.......##..####

“Well,” he¶said¶¶to “her¶¶me „so“ »no« (a)…
......##########................#####......
""",
    "parentheses": """
a (b (c) d) e) :-) f
..########..........

(open¶still¶␠␍¶not ) (no¶¶
##############.......####.

([)] f(x)
##....##.
""",
    "square brackets": """
a[0] [b [c]] [[d]] [[e]
.##..######..####..####

[[a[1]]] b ] (c]
#######.........
""",
    "curly brackets": """
{a {b} c} {{d}} } e
########..####.....

if {¶¶}
...##..
""",
    "link": """
a [b] [[c]] d [[[e]]] f
.......###.....#####...

[[a[1]]] [[b] c]] d]] [[e¶f]]¶[[g¶¶h]]
.######...######.......#####...###....

[[a [[b]] c]] [[d|e]] [ [f]] x[[1], [2]]
.###########...#####...........#########

[][] [[]] [[[[a]]]] [[]
......##...#######...##
""",
    "template": """
{{a|b={{c}}}} {d} {{{e}}} {{f
.###########.......#####...##

{{[[}}]] {{a¶}}¶{{¶¶}}
.####.....####...##...
""",
    "url": """
see http://a.bc/d?e=f#g, https://h.i|j (ftp://k/l) m
..........##############........####.........####...

see www.a.b. and (www.c.d/e_(f)) or <http://g> [[http://h]] "http://i"
.......#####.........##########............##..........##..........##.

xhttp://a awww.b HTTP://c/d http:/e http://¶http://f␍¶g
.......................####...............#.......##...

http://a(b(c)d)) http://é {http://b}
......########.........#.........##.
""",
    "tag": """
a < b <i>c</i> <br /> <!-- d --> x<y <3
.......#...##...####...########....####

<a href="b"¶c> <d¶¶> <1 <<e
.############...##........#
""",
    "comment": """
a // b "c" /* d¶e
...############..

x = "// a" /* b¶"c" * ** */ d # e¶f
............##############.....##..

# a¶#b¶ # c¶d#e ¶## f¶#!g¶#¶#→h␍¶i
.##......##........##..##....##...

http://a.b//c file:///d x://e f///g https:/* h */¶/*/ i */
................................#################..######.

/* a¶¶b */ // c␍¶d // e
.####.......###.....###

'/*' "//" '#' "a # b // c
.........................
""",
    "string": r"""
a = "b" + 'c' + "d\"e" + 'f\'g\\' + "'" + '"' "h
....##....##....#####....#######....##....##..##

don't say 'don't' or the dogs' 5' 'a¶'b␍¶c"
..........####....................##.##...#

x = "a // b" // "c" 'd'¶"e\¶f" http://a'b'c "g
....#######.............###..###############..

# don't 'a'¶ 'b' /* "c" */ "" '' ""x
.............##............#..#..#..

http://a'b'c "g
.............##
""",
    "word start": """
Don't stop_me 4th x2 naïve-é o''clock 'a' b'
#.....#....#...#..#..#.....#.#..#......#..#.
""",
    "capitalised word": """
The Don't-Stop mcDonald X2 Éa 'Tis 'no AB
###.#####.####..........#..##..###.....##
""",
    "all-caps word": """
NASA NaSA A AB's ÉA A1B I'M US-A O'B
.###.........##...#.......#..#.....#
""",
    "digit": """
a1 23.4 x²
.#.##.#...
""",
    "punctuation": """
a, b's “c” $d+e=~f—g … h_i
.#..#..#.#.#.#.##.#..#..#.
""",
    "after newline": """
a¶b¶¶c␍¶␍¶d␍e¶
..#.##..###...
""",
    "after blank line": """
¶a¶b¶¶¶c¶ → ¶ d␍¶␍¶␍¶e¶¶¶
.#....##.....#.....###..#
""",
    "speaker": """
FIRST CITIZEN:¶Before: no¶¶First Citizen: You: all¶¶Mr. O'Brien-Li 2: I
#############..............#############............################...

The hamlet¶¶A, B:¶¶ C:¶␠¶Second␍¶Servant:¶¶Éa:¶¶no:¶¶2nd Man
####........#............######............##...............
""",
    "line position": """
ab¶¶abc␍¶␍¶a␍b¶→a
.12..1233...123.1
""",
    "word position": """
Don't stop_me, o''clock dogs' 4th
12345.1234.12..12.12345.12345..12
""",
    "sentence position": """
Ab c. De (f!) "G?" h 3.14 Mr. I… ¶ j¶k¶¶l
12345.1234567.1234.123456789a.12...1234.1

a␍¶b.␍¶c␍¶␍¶  d ... e.f
12234..1223...12345.123
""",
    "bracket depth": """
a (b [c] {{d}} [[e]]) f) ( g¶¶h) (i
..111221123321123321.....1111....11
""",
    "indentation": """
a¶  b  c¶→d¶   →e¶  →→ →f¶¶ ␍¶        →g¶␠␠
..1222222888123888128ghooo.11112345678ggg12
""",
    "link position": """
a [[b|c]] [[d␍¶e]] [[f [[g]] h]] [i]
...12345...123345...123456789ab.....
""",
}

MARKS = str.maketrans("¶␍→␠", "\n\r\t ")
CASES = [
    (name, *case.split("\n"))
    for name, cases in DRAWN.items()
    for case in cases.strip("\n").split("\n\n")
]

PIECES = [
    *"aBcÉé d19_ .,!?…:;-#/\\'’\"“”„«»()[]{}<>|&=*",
    *"\n\n\n\r\n\t \0я中。！」🙂\u0301\u0903\u200d\ufe0f\ud800\udfff\x85\u2028\ufeffǅ²٣",
    *("\n\n", "\n \n", "\r\n", "\r\n\r\n", "  ", "[[", "]]", "{{", "}}", "//", "/*", "*/", "# "),
    *("http://", "https://a(b)", "www.", "<a ", "</", "don't", "CITIZEN:", "First Citizen:"),
]
USERS = {
    "plain": "an?",
    "progress": r"\[\[[^\]]*",
    "ends": r"(?<=a)\b|^.?$|\w+(?!\w)",
    "flags": "(?i)(?s)B.",
}
ALL = {**FEATURES, **{name: user_feature(name, pattern) for name, pattern in USERS.items()}}


def drawn(track: Track) -> str:
    if track.dtype == np.bool_:
        return "".join(".#"[value] for value in track.tolist())
    return "".join(".123456789abcdefghijklmnopqrstuvwxyz"[int(value)] for value in track.tolist())


def on(feature: Feature, text: str) -> str:
    return drawn(feature.track(text.translate(MARKS)))


@pytest.fixture(scope="module")
def tricky() -> list[str]:
    """The texts of the drawings, and random ones."""
    draw = random.Random(3)
    texts = ["".join(draw.choices(PIECES, k=draw.randint(1, 60))) for _ in range(30)]
    narrow = [draw.choices(PIECES, k=5) for _ in range(30)]
    texts += ["".join(draw.choices(pieces, k=24)) for pieces in narrow]
    return texts + [text.translate(MARKS) for _, text, _ in CASES]


@pytest.mark.parametrize(("name", "text", "expected"), CASES)
def test_is_on_where_it_is_drawn(name: str, text: str, expected: str) -> None:
    assert f"{text}\n{on(FEATURES[name], text)}" == f"{text}\n{expected}"


def test_after_quote_by_reading_one_character_after_the_other(tricky: list[str]) -> None:
    for text in tricky:
        inside, blank, state, track = FEATURES["quotes"].track(text), True, False, []
        for t, symbol in enumerate(text):
            ends_blank_line = symbol == "\n" and blank
            if inside[t] or symbol in ".!?…" or ends_blank_line:
                state = False
            elif t > 0 and inside[t - 1]:
                state = True
            # whether the line has nothing but white space so far
            blank = symbol == "\n" or (blank and symbol.isspace())
            track.append(state)
        assert FEATURES["after quote"].track(text).tolist() == track, repr(text)


def test_every_feature_is_drawn() -> None:
    assert list(DRAWN) == list(FEATURES)


@pytest.mark.parametrize("name", ALL)
def test_knows_nothing_of_what_follows(name: str, tricky: list[str]) -> None:
    track = ALL[name].track
    for text in tricky:
        whole = track(text)
        for k in range(len(text)):
            assert_array_equal(track(text[:k]), whole[:k], repr(text))


@pytest.mark.parametrize("name", FEATURES)
def test_both_line_ends_are_the_same(name: str, tricky: list[str]) -> None:
    track = FEATURES[name].track
    for text in tricky:
        short = text.replace("\r", "")
        long = short.replace("\n", "\r\n")
        kept = np.array([symbol != "\r" for symbol in long], np.bool_)
        assert_array_equal(track(long)[kept], track(short), repr(text))


@pytest.mark.parametrize("name", ALL)
def test_a_track_has_its_type_and_one_value_a_character(name: str, tricky: list[str]) -> None:
    feature = ALL[name]
    dtype = {"flag": np.bool_, "number": np.float32}[feature.kind]
    for text in ["", "\0", "\ud800", "\u0301", "'", "\r", "\n", "\n\n", " ", "a", *tricky]:
        track = feature.track(text)
        assert track.dtype == dtype
        assert track.shape == (len(text),)


def test_the_table_is_in_order() -> None:
    kinds = [feature.kind for feature in FEATURES.values()]
    assert kinds == sorted(kinds)
    for name, feature in FEATURES.items():
        assert feature.name == name
        assert feature.description
        assert "\n" not in feature.description


def test_agrees_with_the_truth_of_a_generated_wiki() -> None:
    text, truth = generate(60_000, 4)
    tracks = {name: feature.track(text) for name, feature in FEATURES.items()}
    assert_array_equal(tracks["line position"], truth["column"])
    prose = ~truth["in_code"]  # listings have [[ that are no links
    for name, key in {
        "quotes": "in_quote",
        "bracket depth": "bracket_depth",
        "link": "in_link",
        "template": "in_template",
    }.items():
        assert_array_equal(tracks[name][prose], truth[key][prose], name)
    # the truth knows of an indentation, and of an address, before they can be seen
    seen = tracks["line position"] >= truth["indent"]
    assert_array_equal(tracks["indentation"][seen], truth["indent"][seen])
    address = truth["in_url"].copy()
    for match in re.finditer("https?:/", text):
        address[match.start() : match.end()] = False
    assert address.any()
    assert_array_equal(tracks["url"], address)


def test_other_scripts() -> None:
    def values(name: str, text: str) -> list[int]:
        return [int(value) for value in FEATURES[name].track(text)]

    assert values("word start", "Всё и я") == [1, 0, 0, 0, 1, 0, 1]
    assert values("capitalised word", "Всё и Я") == [1, 1, 1, 0, 0, 0, 1]
    assert values("all-caps word", "ВСЁ И я") == [0, 1, 1, 0, 0, 0, 0]
    assert values("speaker", "Яго:") == [1, 1, 1, 0]
    # a mark belongs to its letter, and to nothing else
    assert values("word position", "e\u0301a \u0301b\u0301'c") == [1, 2, 3, 0, 0, 1, 2, 3, 4]
    assert values("word position", "🙂\ufe0f\u0301a") == [0, 0, 0, 1]
    assert values("all-caps word", "E\u0301E\u0301") == [0, 0, 1, 1]
    assert values("string", "e\u0301'a") == [0, 0, 0, 0]
    # Chinese has no spaces behind a sentence, nor between words
    assert values("word position", "床前，月。") == [1, 2, 0, 1, 0]
    assert values("sentence position", "月。」床！？前") == [1, 2, 3, 1, 2, 3, 1]
    assert values("punctuation", "，。«+🙂€") == [1, 1, 1, 1, 0, 0]
    assert values("digit", "٣3²三") == [1, 1, 0, 0]


# A user's features


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("the", "the other¶the", "..#....#....#"),
        (r"\d+", "a12 3", ".##.#"),
        (r"\bthe\b", "the them other", "..#...#......."),
        ("^=.*", "= a =¶b = c¶=", "#####.......#"),
        (r"\[\[[^\]]*", "[a] [[b]] [[c¶d]]", ".....##....###..."),
        ("a*", "baac", ".##."),
        ("a$", "aab¶a", "##..#"),
        (r"a\n", "ba¶a␍¶", "..#..."),
        (r"a\s*b", "a  b a¶b", "...#...."),
        ("(?i)The|x", "THE the X", "..#...#.#"),
        ("(?x) a b  # a comment", "ab ba ab", ".#.....#"),
        (r"(a)|b\b\1?", "ab", "##"),
        ("🙂|\0", "a🙂\0", ".##"),
    ],
)
def test_a_users_feature_is_on_where_a_match_ends(pattern: str, text: str, expected: str) -> None:
    assert on(user_feature("mine", pattern), text) == expected


def test_a_match_of_a_users_feature_has_a_limit() -> None:
    feature = user_feature("long", "ab*")
    assert feature.track("a" + "b" * (REACH + 9)).sum() == REACH
    assert feature.track("bbb" + "a" + "b" * (REACH + 9)).sum() == REACH


def test_a_users_feature_is_like_the_others() -> None:
    feature = user_feature("an x", "x")
    assert (feature.name, feature.kind) == ("an x", "flag")
    assert "'x'" in feature.description
    assert "an x" not in FEATURES


@pytest.mark.parametrize(
    ("name", "pattern", "said"),
    [
        ("mine", "a(", r"'a\(' is not a regular expression \(missing \), unterminated"),
        ("mine", "(?\n", "is not a regular expression"),
        ("mine", "(?a)(?u)b", "is not a regular expression"),
        ("mine", "a{99999999999999999999}", "is not a regular expression"),
        ("mine", "(" * 5000 + ")" * 5000, "is not a regular expression"),
        ("mine", "a)(b", "is not a regular expression"),
        ("mine", "a(?i)", "is not a regular expression"),
        ("mine", "", "'mine' has no pattern"),
        ("", "a", "'' cannot be the name of a feature"),
        (" ", "a", "' ' cannot be the name of a feature"),
        ("a\x1b[2J", "a", r"'a\\x1b\[2J' cannot be the name of a feature"),
        ("url", "a", "there is a feature 'url' already"),
    ],
)
def test_what_cannot_be_a_feature(name: str, pattern: str, said: str) -> None:
    with pytest.raises(OptionError, match=said) as caught:
        user_feature(name, pattern)
    assert "\n" not in str(caught.value)


def test_a_pattern_that_python_warns_of_is_taken() -> None:
    assert on(user_feature("set", "[[]a"), "[a") == ".#"
