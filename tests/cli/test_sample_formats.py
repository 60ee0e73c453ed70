"""`charrnn sample` in pipelines: JSON, a line for a line, copies, and what a terminal shows."""

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from charrnn.cli.writing import for_terminal, shortened
from charrnn.model import load
from charrnn.sampling.options import SamplingOptions
from cli_helpers import (
    SMALL,
    TEXT,
    call,
    closed,
    process,
    refuse,
    run,
    shell,
    succeed,
    usage_error,
    write,
)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of characters and one of bytes."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write("a.txt")
        succeed("train", "a.txt", *SMALL, "--epochs", "6", "-q")
        write("raw.txt", "ä ö ü\n".encode() * 60)
        succeed("train", "raw.txt", "--bytes", *SMALL, "--epochs", "3", "-q")
    return folder


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_model(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.npz", "a.txt"):
        shutil.copy(models / name, name)


ONE = ("sample", "-c", "a.npz", "--seed", "3")


# JSON


def test_a_record_has_the_text_its_seed_and_what_each_character_costs() -> None:
    (line,) = succeed(*ONE, "-n", "40", "--prime", "line ", "--format", "jsonl").text.splitlines()
    record = json.loads(line)
    assert set(record) == {"index", "seed", "prime", "text", "log_probabilities"}
    assert (record["index"], record["seed"], record["prime"]) == (0, 3, "line ")
    assert closed("line " + record["text"]) == succeed(*ONE, "-n", "40", "--prime", "line ").text
    model = load("a.npz")
    stepped = [model.step(symbol) for symbol in "line " + record["text"]]
    told = [np.log(p[symbol]) for p, symbol in zip(stepped[4:-1], record["text"], strict=True)]
    np.testing.assert_allclose(record["log_probabilities"], told, atol=2e-6)


def test_log_probabilities_are_the_networks_own_whatever_is_chosen() -> None:
    options = ("-n", "30", "--format", "jsonl")
    for rule in (("-t", "0"), ("--top-k", "1"), ("--min-p", "1")):
        greedy = json.loads(succeed(*ONE, *options, *rule).text)
        assert all(-5 < log < 0 for log in greedy["log_probabilities"])
    one = json.loads(succeed(*ONE, *options, "-t", "0.5").text)
    model = load("a.npz")
    first = model.step("\n")
    assert one["log_probabilities"][0] == pytest.approx(np.log(first[one["text"][0]]), abs=2e-6)


def test_several_records_end_each_for_itself() -> None:
    options = ("-n", "60", "--samples", "3", "--stop", "e")
    lines = succeed(*ONE, *options, "--format", "jsonl").text.splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["index"] for record in records] == [0, 1, 2]
    assert all("e" not in record["text"] for record in records)
    assert all(len(record["text"]) == len(record["log_probabilities"]) for record in records)
    text = succeed(*ONE, *options).text
    for record in records:
        assert f"--- {record['index'] + 1} of 3 ---\n{record['text']}\n" in text


def test_without_a_seed_the_record_names_the_one_that_writes_the_same() -> None:
    record = json.loads(succeed("sample", "-n", "20", "--format", "jsonl").text)
    again = succeed("sample", "-n", "20", "--format", "jsonl", "--seed", str(record["seed"]))
    assert json.loads(again.text) == record


def test_a_record_of_bytes(models: Path) -> None:
    shutil.copy(models / "raw.npz", "raw.npz")
    line = succeed("sample", "-c", "raw.npz", "-n", "9", "--format", "jsonl", "--seed", "1").output
    record = json.loads(line)
    assert len(record["log_probabilities"]) == 9, "one a byte"


# A line for a line


def test_every_line_is_continued_in_order() -> None:
    primes = [f"line {n}" for n in range(150)] + ["", "of the text, 9"]
    given = "\n".join(primes) + "\n"
    options = ("-n", "25", "--input-lines")
    lines = succeed(*ONE, *options, given=given).text.split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(primes)
    assert all(len(line) <= 25 for line in lines)
    model = load("a.npz")
    for number in (0, 1, 77, 151):  # each comes out as it would alone
        sampling = SamplingOptions(length=25, seed=3)
        (alone,) = model.continue_lines([primes[number]], sampling, first=number)
        assert alone.text == lines[number]
    again = succeed(*ONE, *options, given=given.replace("\n", "\r\n")).text.split("\n")
    assert again == [*lines, ""]
    without_end = succeed(*ONE, *options, given=given[:-1]).text
    assert without_end == "\n".join(lines) + "\n"


def test_greedy_lines_are_those_of_a_single_text() -> None:
    options = ("-n", "30", "-t", "0")
    lines = succeed(*ONE, *options, "--input-lines", given="line 1\nthe\n").text.splitlines()
    for prime, line in zip(("line 1", "the"), lines, strict=True):
        whole = succeed(*ONE, *options, "--prime", prime, "--stop", "\\n").text
        assert whole == prime + line + "\n"


def test_records_of_lines() -> None:
    given = "line 1\nline 22\n"
    lines = succeed(*ONE, "-n", "20", "--input-lines", given=given).text.splitlines()
    records = succeed(*ONE, "-n", "20", "--input-lines", "--format", "jsonl", given=given).text
    for number, line in enumerate(records.splitlines()):
        record = json.loads(line)
        assert record["index"] == number
        assert record["prime"] == given.splitlines()[number]
        assert record["text"] == lines[number]
        assert len(record["log_probabilities"]) == len(record["text"])


def test_a_length_that_makes_no_sense() -> None:
    for options in (("--input-lines",), ("--format", "jsonl")):
        outcome = call(*ONE, *options, "-n", "-1", given="line\n")
        assert (outcome.code, outcome.output) == (1, b"")
        assert outcome.errors == (
            "charrnn: --length must be a whole number of at least 0, not -1\n"
        )


def test_no_lines_at_all() -> None:
    assert succeed(*ONE, "--input-lines", given="").output == b""


def test_a_line_that_does_not_fit_is_named() -> None:
    outcome = call(*ONE, "--input-lines", "-n", "5", given="line\nß\n")
    assert outcome.code == 1
    assert "line 2: the text has characters" in outcome.errors
    outcome = call(*ONE, "--input-lines", "-n", "5", given=b"line\n\xff\n")
    assert "line 2 of standard input is not UTF-8 at byte 0" in outcome.errors
    assert succeed(*ONE, "--input-lines", "-n", "5", "--unknown", "skip", given="liß\n").output


def test_lines_are_answered_as_they_come() -> None:
    reading, writing = os.pipe()
    with process(*ONE, "-n", "5", "--input-lines", stdin=reading, stdout=-1) as running:
        os.close(reading)
        os.write(writing, b"line 1\nli")
        assert running.stdout
        assert running.stdout.readline().endswith(b"\n")
        os.write(writing, b"ne 2\n")
        assert running.stdout.readline().endswith(b"\n")
        os.close(writing)
        assert running.stdout.read() == b""
        running.communicate()


# Combinations that make no sense


def test_what_excludes_each_other() -> None:
    for options, message in (
        (("--input-lines", "--prime", "a"), "excludes"),
        (("--input-lines", "--samples", "2"), "excludes"),
        (("--input-lines", "--prime-file", "a.txt"), "excludes"),
        (("--max-copy", "4"), "--max-copy needs --novelty"),
        (("--format", "jsonl", "-n", "0"), "need a --length"),
        (("--novelty", "a.txt", "-n", "0"), "need a --length"),
        (("--input-lines", "-n", "0"), "need a --length"),
        (("--max-copy", "0", "--novelty", "a.txt"), "--max-copy"),
        (("--format", "xml"), "--format"),
    ):
        assert message in usage_error("sample", "-c", "a.npz", *options)


# Copies


@pytest.fixture
def _with_copies() -> None:
    pytest.importorskip("pydivsufsort", reason="the package that finds copies is not there")


@pytest.mark.usefixtures("_with_copies")
def test_copied_passages_are_reported() -> None:
    outcome = succeed(*ONE, "-n", "200", "-t", "0", "--prime", TEXT[:60], "--novelty", "a.txt")
    assert outcome.text == succeed(*ONE, "-n", "200", "-t", "0", "--prime", TEXT[:60]).text
    first, *named = outcome.lines
    assert re.fullmatch(
        r"charrnn: \d+\.\d% of 260 characters are in passages of at least 20 that are copied from "
        r"a\.txt; the longest:",
        first,
    )
    assert 1 <= len(named) <= 5
    lengths = [int(line.split()[0]) for line in named]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] >= 60
    write("other.txt", "ß" * 50)
    nothing = succeed(*ONE, "-n", "20", "--novelty", "other.txt")
    assert "0.0% of 20 characters are in passages" in nothing.errors


@pytest.mark.usefixtures("_with_copies")
@pytest.mark.parametrize("most", [1, 3, 6])
def test_no_copy_is_longer_than_allowed(most: int) -> None:
    options = ("-t", "0.3", "-n", "150", "--novelty", "a.txt", "--max-copy", str(most))
    prime = "line"
    # a text that ends in a line end would get no other one
    texts = [succeed(*ONE, *options, "--prime", prime, "--suppress", "\n").text[:-1]]
    records = succeed(*ONE, *options, "--samples", "3", "--format", "jsonl").text.splitlines()
    texts += [json.loads(line)["text"] for line in records]
    lines = succeed(*ONE, *options, "--input-lines", given="line 1\nof\n").text.splitlines()
    texts += [begin + line for begin, line in zip(("line 1", "of"), lines, strict=True)]
    for text in texts:
        for start in range(max(0, 6 - most), len(text) - most):
            assert text[start : start + most + 1] not in TEXT, text[start : start + most + 1]
    assert len(texts[0]) == 154


@pytest.mark.usefixtures("_with_copies")
def test_where_nothing_new_can_be_written() -> None:
    write("b.txt", "lll")
    outcome = call(*ONE, "-n", "9", "--allow", "l", "--novelty", "b.txt", "--max-copy", "2")
    assert outcome.code == 1
    assert "every character that may be written would copy" in outcome.errors


@pytest.mark.usefixtures("_with_copies")
def test_a_source_that_cannot_be_read() -> None:
    assert "no.txt does not exist" in refuse(*ONE, "--novelty", "no.txt")
    write("raw.bin", b"\xff")
    assert "raw.bin is not UTF-8 at byte 0" in refuse(*ONE, "--novelty", "raw.bin")


def test_a_long_passage_is_shortened() -> None:
    assert shortened("a\nb") == "a↵b"
    assert len(shortened("x" * 500)) == 100


# Terminals


def test_a_terminal_obeys_nothing() -> None:
    pieces = [b"a\x1b[3", b"1mb\x07\r", b"\nc\xd0", b"\xaf \xe2\x80\xae\t\xc2\x9b\rd\xff"]
    assert b"".join(for_terminal(iter(pieces))).decode() == ("a␛[31mb␇\ncЯ ‹202E›\t‹009B›\nd�")
    family = "👩\u200d🚀 e\u0301"
    assert b"".join(for_terminal(iter([family.encode()]))).decode() == family


@pytest.mark.skipif(shutil.which("script") is None, reason="no `script` here")
def test_raw_is_raw_and_a_pipe_is_raw_anyway() -> None:
    write("esc.txt", "\x1b[31m red " * 60)
    succeed("train", "esc.txt", *SMALL, "--epochs", "1", "-q")
    options = "sample -c esc.npz -n 300 --seed 1 2>/dev/null"
    assert b"\x1b" in run("sample", "-c", "esc.npz", "-n", "300", "--seed", "1").output
    for raw in ("", " --raw"):
        seen = shell(f'script -qec "$PYTHON -m charrnn {options}{raw}" /dev/null').output
        assert (b"\x1b" in seen) is bool(raw)
