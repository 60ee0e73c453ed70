"""The wiki corpus: its text, and its truth, checked by an independent parser."""

import re
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from grammar import RULES
from lexicon import plural, with_article
from pages import subjects
from scene import Scene
from tagged_text import LINK, PAREN, QUOTE, TEMPLATE, WIDTH, TaggedText, Truth
from wiki import generate, main

CORPORA = Path(__file__).parents[2] / "corpora"
ADDRESS = re.compile(r"https?://[^\s|()\[\]{}\"]+")
TYPES = {
    "in_quote": "bool",
    "bracket_depth": "uint8",
    "in_link": "bool",
    "in_template": "bool",
    "in_url": "bool",
    "in_code": "bool",
    "indent": "uint8",
    "column": "uint16",
}


@pytest.fixture(scope="module")
def shipped() -> tuple[str, Truth]:
    """What the generator gives by default."""
    return generate()


def parse(text: str) -> dict[str, NDArray[np.generic]]:
    """The state after each character, from the text alone: a stack, and a pattern for URLs."""
    code = code_of(text)
    url = np.zeros(len(text), bool)
    for match in ADDRESS.finditer(text):
        url[match.start() : match.end()] = True
    quote: list[bool] = []
    depth: list[int] = []
    link: list[bool] = []
    template: list[bool] = []
    stack: list[str] = []
    quoted = False
    t = 0
    while t < len(text):
        mark = text[t]
        if mark == '"':
            quoted = not quoted
        elif mark in "([{":
            double = mark != "(" and text[t : t + 2] == mark * 2 and not code[t]
            stack.append(mark * 2 if double else mark)
        elif mark in ")]}":
            double = len(stack[-1]) == 2
            assert stack.pop()[0] == {")": "(", "]": "[", "}": "{"}[mark], text[t - 60 : t + 20]
        # The first of two marks has half the effect: one level, and no flag yet.
        if mark in "[]{}" and double:
            assert text[t + 1] == mark
            before = depth[-1] if depth else 0
            depth.append(before + (1 if mark in "[{" else -1))
            quote.append(quoted)
            link.append(bool(link) and link[-1])
            template.append(bool(template) and template[-1])
            t += 1
        quote.append(quoted)
        depth.append(sum(map(len, stack)))
        link.append("[[" in stack)
        template.append("{{" in stack)
        t += 1
    assert not stack
    assert not quoted
    lines = text.splitlines(keepends=True)
    return {
        "in_quote": np.array(quote),
        "bracket_depth": np.array(depth),
        "in_link": np.array(link),
        "in_template": np.array(template),
        "in_url": url & ~code,
        "in_code": code,
        "indent": np.concatenate([[len(x) - len(x.lstrip(" "))] * len(x) for x in lines]),
        "column": np.concatenate([np.arange(len(x)) for x in lines]),
    }


def code_of(text: str) -> NDArray[np.bool_]:
    """Listings: from a line that stands in by four after an empty line, to the next empty line."""
    code = []
    inside, before = False, ""
    for line in text.splitlines(keepends=True):
        inside = line != "\n" and (inside or (before == "\n" and line.startswith("    ")))
        code += [inside] * len(line)
        before = line
    return np.array(code)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_truth_agrees_with_an_independent_parser(seed: int) -> None:
    text, truth = generate(100_000, seed)
    parsed = parse(text)
    assert parsed.keys() == truth.keys()
    for name, expected in parsed.items():
        wrong = np.flatnonzero(truth[name] != expected)
        assert wrong.size == 0, f"{name} at {wrong[0]}: {text[wrong[0] - 80 : wrong[0] + 20]!r}"


def test_truth_has_one_entry_a_character(shipped: tuple[str, Truth]) -> None:
    text, truth = shipped
    assert {name: array.dtype.name for name, array in truth.items()} == TYPES
    assert {array.shape for array in truth.values()} == {(len(text),)}


def test_every_structure_occurs_and_is_closed_where_a_paragraph_ends(
    shipped: tuple[str, Truth],
) -> None:
    text, truth = shipped
    assert {int(depth) for depth in truth["bracket_depth"]} >= {0, 1, 2, 3, 4, 5}
    ends = [match.start() + 1 for match in re.finditer("\n\n", text)] + [len(text) - 1]
    for name in ("in_quote", "in_link", "in_template", "in_url", "in_code", "bracket_depth"):
        assert truth[name].any()
        assert not truth[name][ends].any(), f"{name} is open at the end of a paragraph"


def test_the_text_is_plain_and_wrapped(shipped: tuple[str, Truth]) -> None:
    text, truth = shipped
    assert text.isascii()
    assert set(text) <= {"\n"} | {chr(code) for code in range(32, 127)}
    assert truth["column"].max() <= WIDTH
    assert not re.search(r"[ \t]\n", text)
    assert text.startswith("= ")
    assert text.endswith("\n")


def test_speech_is_short_enough_to_be_learned(shipped: tuple[str, Truth]) -> None:
    text, truth = shipped
    speech = (truth["in_quote"] & ~truth["in_code"]).astype(int)
    starts = np.flatnonzero(np.diff(speech, prepend=0) == 1)
    ends = np.flatnonzero(np.diff(speech, append=0) == -1)
    lengths = ends - starts  # characters between the marks
    assert set(text[start] for start in starts) == {'"'}
    assert len(lengths) > len(text) / 500
    assert np.quantile(lengths, 0.98) <= 80
    assert lengths.max() <= 120


def test_apostrophes_are_no_quotes(shipped: tuple[str, Truth]) -> None:
    text, truth = shipped
    apostrophes = np.array([match.start() + 1 for match in re.finditer(r"\w'[a-z]", text)])
    quoted = truth["in_quote"]
    assert (quoted[apostrophes] == quoted[apostrophes - 1]).all()
    assert (~quoted[apostrophes]).sum() > 500


def test_addresses_use_reserved_names(shipped: tuple[str, Truth]) -> None:
    hosts = {re.split("[/?]", address)[2] for address in ADDRESS.findall(shipped[0])}
    assert hosts
    for host in hosts:
        assert re.search(r"(^|\.)(example|example\.(com|net|org))$", host)


def test_the_same_seed_gives_the_same_text() -> None:
    text, truth = generate(20_000, 5)
    again, truth_again = generate(20_000, 5)
    assert text == again
    assert all(np.array_equal(truth[name], truth_again[name]) for name in truth)
    assert generate(20_000, 6)[0] != text


def test_a_longer_text_begins_with_the_shorter_one() -> None:
    short, truth = generate(5_000, 4)
    long, truth_long = generate(40_000, 4)
    assert len(short) >= 5_000
    assert long.startswith(short)
    assert all(np.array_equal(truth[name], truth_long[name][: len(short)]) for name in truth)


def test_no_characters_are_no_pages() -> None:
    text, truth = generate(0)
    assert text == ""
    assert {array.shape for array in truth.values()} == {(0,)}


def test_the_shipped_file_is_the_default_output(shipped: tuple[str, Truth]) -> None:
    assert (CORPORA / "wiki.txt").read_bytes() == shipped[0].encode("ascii")


def test_every_pattern_can_be_written() -> None:
    every_fact: dict[str, str] = {"river": "Vell", "home": "Fenwick", "own_trade": "baker"}
    every_fact |= {"death": "1700", "people": "12"}
    for _, facts in subjects(Random(0)):
        every_fact |= facts
    out = TaggedText()
    scene = Scene(out, Random(0), every_fact)
    for patterns in RULES.values():
        for pattern in patterns:
            scene.compose(pattern)
            out.newline()
    text, _ = out.finish()
    assert not re.search(r"\{\w+\}|  ", text)


def test_marks_change_the_state_with_their_own_character() -> None:
    out = TaggedText()
    with out.span(QUOTE):
        out.text("a ")
        with out.span(PAREN), out.span(LINK):
            out.text("b")
    with out.span(TEMPLATE), out.span(TEMPLATE):
        out.text("c")
    text, truth = out.finish()
    as_digits = {name: "".join(str(int(x)) for x in truth[name]) for name in TYPES}
    assert text == '"a ([[b]])"{{{{c}}}}'
    assert as_digits["bracket_depth"] == "00012332100123443210"
    assert as_digits["in_quote"] == "11111111110000000000"
    assert as_digits["in_link"] == "00000111000000000000"
    assert as_digits["in_template"] == "00000000000011111110"


def test_a_line_end_keeps_the_state_of_the_space_it_replaces() -> None:
    out = TaggedText()
    with out.hanging(2), out.span(QUOTE):
        out.text("a" * 70)
        out.text(" bb")
    text, truth = out.finish()
    assert text == '"' + "a" * 70 + '\n  bb"'
    assert truth["in_quote"].tolist() == [True] * 76 + [False]
    assert truth["indent"].tolist() == [0] * 72 + [2] * 5
    assert truth["column"].tolist() == [*range(72), *range(5)]


def test_nouns_and_articles() -> None:
    singular = ("lamp", "box", "goose", "bakery")
    assert [plural(word) for word in singular] == ["lamps", "boxes", "geese", "bakeries"]
    assert with_article("honest smith") == "an honest smith"
    assert with_article("useful map") == "a useful map"
    assert with_article("oak barn") == "an oak barn"
    assert with_article("barn") == "a barn"


def test_the_script_writes_to_a_pipe() -> None:
    command = [sys.executable, str(CORPORA / "wiki.py"), "--characters", "3000", "--seed", "9"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == generate(3000, 9)[0].encode("ascii")
    assert done.stderr == b""


def test_the_command_saves_text_and_truth(tmp_path: Path) -> None:
    text_file, truth_file = tmp_path / "small.txt", tmp_path / "small.npz"
    arguments = ["--characters", "3000", "--output", str(text_file), "--truth", str(truth_file)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    text, truth = generate(3000)
    assert text_file.read_text(encoding="ascii") == text
    with np.load(truth_file, allow_pickle=False) as saved:
        assert set(saved.files) == set(TYPES)
        for name in TYPES:
            assert saved[name].dtype.name == TYPES[name]
            assert np.array_equal(saved[name], truth[name])


def test_a_file_that_cannot_be_written_is_one_line_of_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--output", str(tmp_path / "none" / "wiki.txt")])
    assert result.exit_code != 0
    assert "No such file" in result.stderr
    assert "Traceback" not in result.stderr
