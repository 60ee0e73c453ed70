"""`charrnn info`."""

import json
import re
import sys
import xml.etree.ElementTree
from pathlib import Path

import pytest

from charrnn.checkpoints.format import read_checkpoint
from cli_helpers import SMALL, TEXT, header, refuse, rewrite, succeed, usage_error, write


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trained model in the current folder, with its text."""
    monkeypatch.chdir(tmp_path)
    write("a.txt", TEXT)
    succeed("train", "a.txt", *SMALL, "--epochs", "2", "-q", "--test-fraction", "0.05")
    return Path("a.npz")


def test_what_it_says(model: Path) -> None:
    shown = succeed("info").text
    assert succeed("info", model).text == shown
    checkpoint = read_checkpoint(model)
    assert shown.startswith("a.npz\n  network     1 × 8 LSTM\n")
    assert f"  weights     {checkpoint.config.size:,}\n" in shown
    assert f"  vocabulary  {checkpoint.vocabulary.size} characters\n" in shown
    assert "  corpus      a.txt, 1,024 characters\n" in shown
    assert "--batch-size 4 --seq-length 8 --epochs 2 --optimizer adam" in shown
    record = checkpoint.training
    for name in ("validation", "test"):
        assert f"  {name:10}  {record[f'{name}_loss']:.4f} nats (" in shown


def test_the_history(model: Path) -> None:
    shown = succeed("info").text
    history = header(model)["training"]["history"]
    validations = [entry for entry in history if entry["validation_loss"] is not None]
    rows = re.findall(
        r"^ +(\d+) +([\d.]+) +\d+:\d\d +([\d.]+) +([\d.]+)? +[\d.e-]+( \*)?$", shown, re.M
    )
    assert len(rows) == 13
    assert rows[0][:3] == ("1", f"{history[0]['epoch']:.2f}", f"{history[0]['loss']:.4f}")
    assert int(rows[-1][0]) == history[-1]["step"]
    best = min(validations, key=lambda entry: entry["validation_loss"])
    starred = [row for row in rows if row[4]]
    assert [row[3] for row in starred] in ([], [f"{best['validation_loss']:.4f}"])
    (curve,) = re.findall("^loss        (.*)$", shown, re.M)
    assert len(curve) == len(history)
    assert (curve[0], curve[-1]) == ("█", "▁")
    (curve,) = re.findall("^validation  (.*)$", shown, re.M)
    assert len(curve) == len(validations) == 20


def test_gradient_flow() -> None:
    shown = succeed("info", "--gradient-flow", "--reach", "20").text
    rows = re.findall(r"^ +(\d+)  +(\d\.\d\de[+-]\d\d)$", shown, re.M)
    assert [int(k) for k, _ in rows] == [0, 1, 2, 4, 8, 16, 20]
    norms = [float(norm) for _, norm in rows]
    assert norms == sorted(norms, reverse=True)
    assert re.search(
        r"^layer 0, norm relative to its maximum: (below 1 % from k = \d+|above 1 % up to k = 20)$",
        shown,
        re.M,
    )


def test_gradient_flow_on_another_text() -> None:
    write("b.txt", TEXT[::-1])
    own = succeed("info", "--gradient-flow", "--reach", "9").text
    other = succeed("info", "--gradient-flow", "--reach", "9", "--text", "b.txt").text
    assert own != other
    write("c.txt", TEXT + "Ünknown")
    Path("latin1.txt").write_bytes(b"caf\xe9")
    message = refuse("info", "--gradient-flow", "--text", "latin1.txt")
    assert message == "latin1.txt is not UTF-8 at byte 3: convert it first"
    message = refuse("info", "--gradient-flow", "--text", "c.txt")
    assert message == "c.txt has characters that a.npz does not know: give another text"


def test_gradient_flow_of_a_text_that_is_too_short() -> None:
    message = refuse("info", "--gradient-flow", "--reach", "1000")
    assert message.startswith("the held-out text has 153 characters: for a --reach of 1000 at ")


def test_the_text_is_found_where_it_was_or_beside_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--gradient-flow", "--reach", "9")
    expected = succeed("info", *options).text
    monkeypatch.chdir("/")
    there = succeed("info", tmp_path / "a.npz", *options).text
    assert there.splitlines()[1:] == expected.splitlines()[1:]
    monkeypatch.chdir(tmp_path)
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("a.npz", "a.txt"):
        Path(name).rename(moved / name)
    assert (
        succeed("info", "moved/a.npz", *options).text.splitlines()[1:] == expected.splitlines()[1:]
    )
    (moved / "a.txt").write_text("another text, in the same place")
    message = refuse("info", "moved/a.npz", *options)
    assert message.startswith(
        "the text of this training, a.txt, has changed or is not where it was ("
    )
    assert message.endswith(": name a text with --text")
    (moved / "a.txt").unlink()
    assert "does not exist" in refuse("info", "moved/a.npz", *options)


def test_the_text_of_a_pipe_is_not_found_again() -> None:
    succeed("train", "-", *SMALL, "--epochs", "1", "-q", given=TEXT)
    message = refuse("info", "stdin.npz", "--gradient-flow")
    assert message == "the checkpoint does not say where its text is: name a text with --text"


def test_json(model: Path) -> None:
    assert json.loads(succeed("info", "--json").text) == header(model)


def test_a_drawing() -> None:
    pytest.importorskip("matplotlib")
    outcome = succeed("info", "--plot", "a.svg", "--gradient-flow", "--reach", "9")
    assert outcome.lines == ["charrnn: wrote a.svg"]
    first = Path("a.svg").read_bytes()
    assert xml.etree.ElementTree.fromstring(first).tag.endswith("svg")
    succeed("train", "a.txt", *SMALL, "--cell", "gru", "--epochs", "1", "-q", "-o", "gru.npz")
    succeed("info", "a.npz", "gru.npz", "--plot", "both.PNG")
    assert Path("both.PNG").read_bytes().startswith(b"\x89PNG")


def test_a_drawing_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    message = refuse("info", "--plot", "a.svg")
    assert message == "--plot needs matplotlib: install it with pip install 'charrnn-numpy[plot]'"


def test_a_drawing_of_another_kind() -> None:
    assert refuse("info", "--plot", "a.jpg") == (
        "--plot a.jpg: name a file that ends in .svg or .png"
    )


def test_a_drawing_that_cannot_be_written() -> None:
    pytest.importorskip("matplotlib")
    Path("a.svg").mkdir()
    assert "is a directory" in usage_error("info", "--plot", "a.svg")


def test_the_system() -> None:
    shown = succeed("info", "--system").text
    assert re.search(r"^charrnn [\d.]+, Python 3", shown)
    assert "NumPy " in shown
    assert re.search(r"^products: .*, kernels for .*, threads \d+$", shown, re.MULTILINE)
    assert re.search(
        r"^speed of matrix products on one thread: [1-9]\d* GFLOP/s, [1-9]\d* within the cache$",
        shown,
        re.MULTILINE,
    )


def test_the_system_with_an_unknown_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as Accelerate, which threadpoolctl does not know."""
    monkeypatch.setattr("charrnn.machine.diagnosis.libraries", list)
    outcome = succeed("info", "--system")
    assert "products:" not in outcome.text.replace("matrix products", "")
    assert outcome.lines[0].startswith("charrnn: the library of NumPy's products is unknown")


def test_no_checkpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert "there is no checkpoint in " in refuse("info")
    assert "cannot read no.npz" in refuse("info", "no.npz")


def test_names_from_a_file_do_not_reach_the_terminal_as_they_are(model: Path) -> None:
    training = header(model)["training"]
    training["corpus"]["name"] = "\x1b[31mred\x07"
    rewrite(model, training=training)
    shown = succeed("info").text
    assert "\x1b" not in shown
    assert "\x07" not in shown


@pytest.mark.parametrize("history", [3, [3], [{}], [{"step": "one"}]])
def test_a_damaged_history(model: Path, history: object) -> None:
    rewrite(model, training=header(model)["training"] | {"history": history})
    assert "is damaged: in its training, history" in refuse("info")


def test_a_model_without_its_training(model: Path) -> None:
    rewrite(model, training={})
    shown = succeed("info").text
    assert shown.splitlines()[1] == "  network     1 × 8 LSTM"
    assert len(shown.splitlines()) == 4
