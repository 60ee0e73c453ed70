"""`charrnn visualize-neurons`, and `charrnn sample --clamp`."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from charrnn.analysis.activations import activations
from charrnn.checkpoints.format import read_checkpoint
from charrnn.cli.visualize import STATE_NAMES
from charrnn.model import model_of
from charrnn.nn.cells import CELLS
from charrnn.sampling.options import SamplingOptions
from cli_helpers import SMALL, call, refuse, shell, succeed, usage_error, write

SVG = "{http://www.w3.org/2000/svg}"
TEXT = "".join(f'He said "line {i}", (and {i * i}).\nThen no more.\n\n' for i in range(400))


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trained model in the current folder, with its text."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    write("a.txt", TEXT)
    succeed("train", "a.txt", *SMALL, "--epochs", "0.2", "-q", "--validation-fraction", "0.4")
    return Path("a.npz")


def test_a_table_and_the_text() -> None:
    outcome = succeed("visualize-neurons", "--length", "60")
    assert outcome.lines == ["charrnn: looking at a.npz"]
    lines = outcome.text.splitlines()
    assert lines[0].split()[:4] == ["feature", "cells", "alike", "best"]
    rows = [line for line in lines if re.search(r" 0 +L0:\d  [ +-]", line)]
    assert rows == lines[1 : 1 + len(rows)]
    assert 2 <= len(rows) <= 8
    assert "0 of 8 units explained (0%), by 0 features." in outcome.text
    assert "too little text to test" in outcome.text
    assert "features not searched for" in outcome.text
    best = rows[0].split("L0:")[1][0]
    assert re.search(
        rf"^L0:{best} \(tanh\(c\)\): unexplained \(.*\); most like ", outcome.text, re.M
    ), "the text shows the best cell of the first line"
    assert all(len(line) <= 80 for line in lines[: lines.index("")])


def test_the_cells_of_a_feature(model: Path) -> None:
    names = [line.split("  ")[0] for line in succeed("visualize-neurons").text.splitlines()[1:3]]
    for name in names:
        lines = succeed("visualize-neurons", "--feature", name, "--length", "60").text.splitlines()
        cells = [line.split()[0] for line in lines if re.match(r" +L0:\d  ", line)]
        assert lines[0].startswith(f"{name} (")
        assert cells
        assert any(line.startswith(f"{cells[0]} (tanh(c))") for line in lines)
    message = refuse("visualize-neurons", model, "--feature", "nose")
    assert message.startswith("--feature nose: there is no such feature; choose from quotes, after")
    assert message.endswith("or give a new one as NAME=REGEX")
    assert refuse("visualize-neurons", model, "--feature", "quotes", "--unit", "L0:1") == (
        "--feature NAME lists cells, --unit shows a single one: choose"
    )
    succeed("visualize-neurons", "--feature", names[1], "--html", "a.html")
    assert Path("a.html").read_text().count("<details open>") == 1


def test_one_cell_by_hand(model: Path) -> None:
    write("b.txt", 'He "s"\n')
    shown = succeed("visualize-neurons", model, "--text", "b.txt", "--unit", "L0:3").text
    values = np.tanh(activations(model_of(read_checkpoint(model)), 'He "s"\n')["c"][0][:, 3])
    lines = shown.splitlines()
    assert lines[0] == "L0:3 (tanh(c))"
    assert lines[2] == 'He·"s"↵'
    tenths = "".join(str(int(abs(value) * 10)) for value in values)
    assert lines[4] == tenths
    signs = "".join(" " if abs(v) < 0.1 else "+" if v > 0 else "-" for v in values)
    assert lines[3] == signs.rstrip()
    assert len(lines) == 2 + 3 + 5 + 1


@pytest.mark.parametrize("state", ["h", "i", "f", "o", "c", "g"])
def test_other_states(state: str) -> None:
    write("b.txt", "line\n")
    shown = succeed("visualize-neurons", "--text", "b.txt", "--unit", "0:0", "--state", state).text
    assert shown.startswith(f"L0:0 ({'tanh(c)' if state == 'c' else state})")


def test_every_state_of_every_cell_can_be_asked_for() -> None:
    names = {name for cell in CELLS.values() for name in cell.states}
    assert set(STATE_NAMES) == {"h", *names}


def test_a_cell_without_a_c() -> None:
    succeed("train", "a.txt", *SMALL, "--cell", "gru", "--epochs", "0.1", "-q", "-o", "gru.npz")
    write("b.txt", "line\n")
    one = ("visualize-neurons", "gru.npz", "--text", "b.txt", "--unit", "L0:0")
    assert succeed(*one).text.startswith("L0:0 (h)")
    assert "a GRU has no state 'c': choose from h, r, z, n" in refuse(*one, "--state", "c")


def test_files(model: Path) -> None:
    outcome = succeed(
        "visualize-neurons", model, "--html", "a.html", "--json", "a.json", "--npz", "n.npz",
        "--length", "300", "--all-units",
    )  # fmt: skip
    assert outcome.output == b""
    size, *written = outcome.lines
    assert size == "charrnn: 8 units take about 0.0 MB"
    for line, name in zip(written, ("a.html", "a.json", "n.npz"), strict=True):
        assert re.fullmatch(rf"charrnn: wrote {name} \(\d\.\d MB\)", line)
    read = json.loads(Path("a.json").read_text())
    assert len(read["characters"]) == 300
    assert [len(unit["values"]) for unit in read["units"]] == [300] * 8
    assert len(read["table"]) == 8
    assert {entry["gate"] for entry in read["saturation"]} == {"i", "f", "o"}
    assert Path("a.html").read_text().startswith("<!doctype html>")
    with np.load("n.npz") as arrays:
        assert arrays["values"].shape == (8, 300)
        assert set(arrays.files) == {
            "values", "units", "tracks", "features", "characters", "predicted", "probabilities"
        }  # fmt: skip
    succeed("visualize-neurons", model, "--html", "b.html", "--json", "b.json", "--length", "300",
            "--all-units")  # fmt: skip
    for name in ("html", "json"):
        assert Path(f"a.{name}").read_bytes() == Path(f"b.{name}").read_bytes(), "the same seed"


def test_a_cell_in_words(model: Path) -> None:
    write("long.txt", TEXT * 3)
    asked = ("visualize-neurons", model, "--text", "long.txt", "--unit", "L0:3", "--explain",
             "--length", "20")  # fmt: skip
    lines = succeed(*asked).text.splitlines()
    assert lines[0].startswith("L0:3 (tanh(c)): ")
    headings = [line.split("  ")[1].strip() for line in lines if re.match("  [a-z]", line)]
    assert headings[0] in ("no claim", "switches", "saturated")
    assert {"switches", "rule", "memory"} <= set(headings)
    succeed(*asked, "--json", "e.json")
    (unit,) = [u for u in json.loads(Path("e.json").read_text())["units"] if u["explanation"]]
    assert (unit["layer"], unit["unit"]) == (0, 3)
    assert list(unit["explanation"]["words"]) == headings


def test_explanations_that_cannot_be(model: Path) -> None:
    assert refuse("visualize-neurons", model, "--explain", "--unit", "L0:3").startswith(
        "the text is too short to explain cells: its second half has "
    )
    assert refuse("visualize-neurons", model, "--explain", "--state", "h") == (
        "--explain describes what cells remember: leave out --state"
    )


def test_a_picture(model: Path) -> None:
    Path("a.svg").write_text("old")
    Path("a.svg").chmod(0o640)
    one = ("visualize-neurons", model, "--length", "60", "--svg", "a.svg")
    outcome = succeed(*one)
    assert outcome.output == b""
    whole = Path("a.svg").read_text()
    root = ET.fromstring(whole)
    assert "a.npz: a.txt" in root.attrib["aria-label"]
    shown = " ".join("".join(text.itertext()) for text in root.iter(SVG + "text"))
    assert "0 of 8 units explained (0%), by 0 features." in shown
    assert Path("a.svg").stat().st_mode & 0o777 == 0o640
    assert {path.name for path in Path().iterdir()} == {"a.npz", "a.svg", "a.txt"}
    succeed(*one, "--rows", "0", "--width", "60")
    assert "units explained" not in Path("a.svg").read_text()
    assert int(ET.parse("a.svg").getroot().attrib["width"]) < int(root.attrib["width"])
    succeed(*one)
    assert Path("a.svg").read_text() == whole, "the same seed"


def test_json_into_a_pipe(model: Path) -> None:
    outcome = succeed("visualize-neurons", model, "--json", "-", "--length", "50")
    assert json.loads(outcome.text)["format"] == "charrnn-neurons"
    first = shell("charrnn visualize-neurons a.npz --length 99 | head -n 1").output
    assert first.split()[0] == b"feature"


def test_over_time(model: Path) -> None:
    one = ("visualize-neurons", "--over-time", "--length", "60")
    assert refuse(*one, model) == (
        "a.npz has no snapshots of its training: train it with `keep` and a number of steps"
    )
    succeed("train", "a.txt", *SMALL, "--epochs", "0.2", "-q", "--validation-fraction", "0.4",
            "--keep", "20", "-o", "b.npz")  # fmt: skip
    assert re.search(
        r"^  snapshots   \d+, of step 0 to \d+ \(b.snapshots.npz, 0.0 MB\)$",
        succeed("info", "b.npz").text,
        re.M,
    )
    lines = succeed(*one, "b.npz").text.splitlines()
    (title,) = (n for n, line in enumerate(lines) if line.startswith("score in "))
    count = int(lines[title].split()[2])
    shown = lines[1 : title - 1]
    for line in lines[title + 1 : title + 2 + len(shown)]:
        assert len(re.findall("[▁▂▃▄▅▆▇█]", line)) == count + 1
    assert "score in" not in succeed(*one, "b.npz", "--rows", "0").text
    succeed(*one, "b.npz", "--html", "b.html", "--json", "b.json")
    history = json.loads(Path("b.json").read_text())["over_time"]
    assert len(history["steps"]) + 1 == len(history["losses"]) == count + 1
    assert refuse(*one, "b.npz", "--unit", "L0:1") == (
        "--over-time shows the cells of the table, --unit a single one: choose"
    )
    Path("b.snapshots.npz").rename("a.snapshots.npz")
    message = refuse(*one, "b.npz")
    assert message == "cannot read b.snapshots.npz: No such file or directory"
    Path("b.snapshots.npz").write_text("x")
    assert "is not a file of snapshots" in refuse(*one, "b.npz")


def test_a_users_feature(model: Path) -> None:
    succeed("visualize-neurons", model, "--feature", "vowel=[aeiou]", "--json", "a.json")
    names = [feature["name"] for feature in json.loads(Path("a.json").read_text())["features"]]
    assert "vowel" in names
    for wish, message in (
        ("vowel", "or give a new one as NAME=REGEX"),
        ("quotes=x", "there is a feature 'quotes' already"),
        ("x=(", "x"),
    ):
        assert message in refuse("visualize-neurons", model, "--feature", wish)


def test_wrong_units(model: Path) -> None:
    for wish in ("L1:0", "L0:8", "quotes", "L0", "L0:-1", "L9999999999:1"):
        message = refuse("visualize-neurons", model, "--unit", wish)
        assert message == f"there is no unit {wish}: name one from L0:0 to L0:7"


def test_texts_that_do_not_fit(model: Path) -> None:
    write("short.txt", "Then said")
    message = refuse("visualize-neurons", model, "--text", "short.txt")
    assert message.startswith("the text has 9 characters: at least 3,000 are needed to search")
    write("empty.txt", "")
    assert refuse("visualize-neurons", model, "--text", "empty.txt").startswith("the text is empty")
    write("other.txt", "He said: Ünbelievable")
    one = ("visualize-neurons", model, "--text", "other.txt", "--unit", "0:0")
    message = refuse(*one)
    assert "characters that the model does not know: " in message
    assert "'Ü'" in message
    skipped = succeed(*one, "--unknown", "skip")
    assert re.search(r"skipped \d characters that the model does not know", skipped.errors)
    message = refuse("visualize-neurons", model, "--text", "no.txt")
    assert message.startswith("no.txt does not exist")


def test_text_of_the_training_is_told(model: Path) -> None:
    overlapping = succeed("visualize-neurons", model, "--text", "a.txt")
    assert re.search(
        r"charrnn: \d+ of 20 pieces of this text are in the training text",
        overlapping.errors,
    )
    write("b.txt", TEXT[-4000:])
    assert "pieces" not in succeed("visualize-neurons", model, "--text", "b.txt").errors


def test_nothing_held_out() -> None:
    succeed("train", "a.txt", *SMALL, "--epochs", "0.1", "-q", "--validation-fraction", "0",
            "-o", "all.npz")  # fmt: skip
    message = refuse("visualize-neurons", "all.npz")
    assert message == "the training had no validation text: name another text with --text"


def test_files_that_cannot_be_written(model: Path) -> None:
    for option in ("--html", "--json", "--npz", "--svg"):
        message = refuse("visualize-neurons", model, option, "no/such")
        assert message == "cannot write no/such: No such file or directory"
    assert "is a directory" in usage_error("visualize-neurons", str(model), "--html", ".")


def test_a_cell_that_is_held(model: Path) -> None:
    one = ("sample", "-c", model, "-n", "80", "--seed", "3")
    free = succeed(*one).text
    held = succeed(*one, "--clamp", "L0:3=0.9", "--clamp", "L0:5=-1").text
    assert held != free
    assert succeed(*one, "--clamp", "L0:3=0.9", "--clamp", "L0:5=-1").text == held
    for wish, message in (
        ("L0:9=0.5", "there is no unit L0:9: name one from L0:0 to L0:7"),
        ("L0:1", "--clamp L0:1 has no value: give UNIT=VALUE"),
        ("L0:1=x", "--clamp L0:1=x has no value: give UNIT=VALUE"),
        ("L0:1=1.5", "L0:1 cannot be held at 1.5: give -1 to 1"),
        ("L0:1=nan", "L0:1 cannot be held at nan: give -1 to 1"),
    ):
        assert refuse(*one, "--clamp", wish) == message


def test_a_held_cell_does_not_move(model: Path) -> None:
    """By what the library says: the same text, one cell at its value all the time."""
    one = model_of(read_checkpoint(model))
    options = SamplingOptions(length=20, seed=1, clamp={(0, 3): 0.5})
    assert [len(text.ids) for text in one.texts(options, samples=2)] == [20, 20]
    assert call("sample", "-c", model, "-n", "5", "--clamp", "L0:3=1").code == 0
