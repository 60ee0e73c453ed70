"""`charrnn score`."""

import json
import math
import re
from pathlib import Path

import pytest

from charrnn.analysis.scoring import symbol_losses
from charrnn.model import load
from cli_helpers import SMALL, TEXT, refuse, succeed, usage_error, write


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two trained models in the current folder, with their texts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    write("a.txt", TEXT)
    write("b.txt", TEXT[::-1])
    for name in "ba":
        succeed("train", f"{name}.txt", *SMALL, "--epochs", "6", "-q")
    return Path("a.npz")


def nats(name: str = "a.txt", path: str = "a.npz") -> float:
    one = load(path)
    return float(symbol_losses(one, one.vocabulary.encode(Path(name).read_text())).mean())


def test_a_text(model: Path) -> None:
    outcome = succeed("score", "a.txt")
    assert outcome.lines == ["charrnn: scoring with a.npz"]
    lines = outcome.text.splitlines()
    assert lines[0] == "a.txt: 1,024 characters"
    bits = nats() / math.log(2)
    assert lines[1].split()[:4] == ["model", f"{nats():.4f}", "nats", f"{bits:.4f}"]
    assert [line.split()[0] for line in lines[1:]] == ["model", "order", "xz"]
    assert nats() < float(lines[2].split()[2]), "it knows more than how often each comes"
    assert succeed("score", "-c", model, "-", given=TEXT).text.splitlines()[1] == lines[1]


def test_several_texts_and_json() -> None:
    records = [
        json.loads(line) for line in succeed("score", "a.txt", "b.txt", "--json").text.splitlines()
    ]
    assert [record["text"] for record in records] == ["a.txt", "b.txt"]
    assert records[0]["models"][0]["nats"] == pytest.approx(nats())
    assert records[0]["models"][0]["nats"] < records[1]["models"][0]["nats"]


def test_which_model_explains_a_text_best() -> None:
    shown = succeed("score", "-c", "a.npz", "-c", "b.npz", "a.txt", "b.txt").text
    found = re.findall(r"^(\w\.txt)$\n +(100.00)%.*(\w\.npz)$\n +(0.00)%", shown, re.M)
    assert found == [("a.txt", "100.00", "a.npz", "0.00"), ("b.txt", "100.00", "b.npz", "0.00")]


def test_each_character() -> None:
    table = succeed("score", "a.txt", "--per-char").text.splitlines()
    assert len(table) == len(TEXT)
    assert table[0].split("\t")[0] == repr(TEXT[0])
    mean = sum(float(row.split("\t")[1]) for row in table) / len(table)
    assert mean == pytest.approx(nats() / math.log(2), abs=1e-4)
    first = json.loads(succeed("score", "a.txt", "--per-char", "--json").text.splitlines()[0])
    assert first["symbol"] == repr(TEXT[0])


def test_each_line() -> None:
    rows = succeed("score", "a.txt", "--lines").text.splitlines()
    assert [row.split("\t")[1] for row in rows] == TEXT.splitlines()
    sizes = [len(line) for line in TEXT.splitlines(keepends=True)]
    total = sum(float(row.split("\t")[0]) * size for row, size in zip(rows, sizes, strict=True))
    assert total / len(TEXT) == pytest.approx(nats() / math.log(2), abs=1e-4)
    write("c.txt", "line\x1b[31m\n")
    assert "\x1b" not in succeed("score", "c.txt", "--lines", "--unknown", "skip").text


def test_heat_without_colours() -> None:
    write("c.txt", "line 1\nof")
    rows = succeed("score", "c.txt", "--heat").text.splitlines()
    assert (rows[0], rows[2]) == ("line·1↵", "of")
    assert re.fullmatch(r"\d{7}", rows[1])
    assert len(rows) == 4


def test_what_does_not_fit() -> None:
    write("empty.txt", "")
    assert (
        refuse("score", "-c", "a.npz", "empty.txt")
        == "empty.txt is empty: there is nothing to score"
    )
    write("raw.txt", b"\xff")
    assert refuse("score", "-c", "a.npz", "raw.txt") == (
        "raw.txt is not UTF-8 at byte 0: convert it first"
    )
    assert "no.txt does not exist" in refuse("score", "-c", "a.npz", "no.txt")
    write("new.txt", "\u5b57")
    assert "does not know: '\u5b57'" in refuse("score", "-c", "a.npz", "new.txt")
    assert "exclude each other" in usage_error("score", "a.txt", "--heat", "--lines")
    assert "exclude each other" in usage_error("score", "a.txt", "--errors", "--lines")
    assert "need a single" in usage_error("score", "a.txt", "--lines", "-c", "a.npz", "-c", "b.npz")


def test_a_model_that_learns_while_it_reads(model: Path) -> None:
    before = model.read_bytes()
    write("new.txt", "line 7 of another text: text text text, of another line.\n" * 20)

    def bits(*options: str) -> float:
        shown = succeed("score", "new.txt", "--json", "--unknown", "skip", *options).text
        return float(json.loads(shown)["models"][0]["bits"])

    assert bits("--dynamic", "--dynamic-rate", "0.01") < 0.8 * bits()
    assert bits("--dynamic", "--dynamic-rate", "1e-9") == pytest.approx(bits(), rel=1e-3)
    assert bits("--dynamic") == bits("--dynamic"), "it repeats to the bit"
    assert model.read_bytes() == before
    shown = succeed("score", "new.txt", "--dynamic", "--unknown", "skip").text
    assert ", while the model learns from them\n" in shown
    assert "--dynamic-rate must be above 0" in refuse(
        "score", "new.txt", "--dynamic", "--dynamic-rate", "0"
    )


def test_models_that_adapt_are_compared() -> None:
    """Each with the training text of its own, in its own vocabulary."""
    write("c.txt", "text, " * 200)
    succeed("train", "c.txt", *SMALL, "--epochs", "6", "-q")
    write("new.txt", "text text, " * 20)
    options = ("--unknown", "skip", "--dynamic", "--json")
    both = succeed("score", "-c", "a.npz", "-c", "c.npz", "new.txt", *options).text
    (alone,) = json.loads(succeed("score", "-c", "c.npz", "new.txt", *options).text)["models"]
    assert json.loads(both)["models"][1]["nats"] == alone["nats"]


def test_errors_by_their_types() -> None:
    write("new.txt", 'line 7 of "the other" text (of it), 49.\n' * 6)
    options = ("new.txt", "-c", "a.npz", "--unknown", "skip", "--errors")
    record = json.loads(succeed("score", *options, "--json").text)
    types = record["types"].values()
    whole = json.loads(succeed("score", *options[:-1], "--json").text)["models"][0]
    assert sum(each["characters"] for each in types) == whole["symbols"]
    assert sum(each["nats"] for each in types) == pytest.approx(whole["nats"] * whole["symbols"])
    assert record["types"]["n-gram"]["characters"] > 20
    rows = succeed("score", *options).text.splitlines()
    errors = sum(each["errors"] for each in types)
    assert rows[0].startswith(f"new.txt: {errors:,} of {whole['symbols']:,} characters (")
    shown = {row.split("  ")[1].strip(): row for row in rows[3:11]}
    assert list(shown) == list(record["types"])
    Path("a.txt").unlink()
    assert "--errors needs the training text of a.npz" in refuse("score", *options)
