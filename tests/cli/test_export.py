"""`charrnn export`, as a user sees it."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoints.format import read_checkpoint
from charrnn.nn.parameters import digest
from cli_helpers import SMALL, TEXT, refuse, succeed, usage_error, write

CLAIM = {"layer": 0, "unit": 3, "feature": "quotes", "label": "state cell", "score": -0.75}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        succeed("train", write("a.txt"), *SMALL, "--epochs", "0.2", "-q")
    return folder / "a.npz"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def neurons(trained: Path, **changes: Any) -> Path:
    """A file of neurons of the model, as `visualize-neurons --json` writes it."""
    report = {
        "format": "charrnn-neurons",
        "version": 1,
        "state": "tanh(c)",
        "weights_sha256": digest(read_checkpoint(trained).weights),
        "table": [CLAIM, CLAIM | {"unit": 4, "label": "unexplained"}],
    }
    return write("neurons.json", json.dumps(report | changes))


def test_a_page_is_written(trained: Path) -> None:
    outcome = succeed("export", trained, "page.html")
    assert outcome.output == b""
    html = Path("page.html").read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert "<title>a · charrnn</title>" in html
    assert os.listdir() == ["page.html"]


def test_float16_makes_it_smaller(trained: Path) -> None:
    succeed("export", trained, "page.html")
    succeed("export", trained, "small.html", "--float16")
    weights = 4 * read_checkpoint(trained).config.size
    saved = Path("page.html").stat().st_size - Path("small.html").stat().st_size
    assert saved == pytest.approx(weights / 2 * 4 / 3, abs=4)


def test_units_with_a_claim_are_listed(trained: Path) -> None:
    succeed("export", trained, "page.html", "--neurons", neurons(trained))
    html = Path("page.html").read_text(encoding="utf-8")
    assert f'"neurons":[{json.dumps(CLAIM, separators=(",", ":"))}]' in html


def test_the_json_of_visualize_neurons_is_such_a_file(trained: Path) -> None:
    write("a.txt", "one two three " * 40)
    succeed(
        "visualize-neurons", trained, "--text", "a.txt", "--unit", "L0:1", "--json", "n.json",
        "--unknown", "skip",
    )  # fmt: skip
    succeed("export", trained, "page.html", "--neurons", "n.json")


def test_an_existing_output_is_kept_without_force(trained: Path) -> None:
    write("page.html", "mine")
    message = refuse("export", trained, "page.html")
    assert message == "page.html exists: name another file, or pass --force"
    os.chmod("page.html", 0o640)
    succeed("export", trained, "page.html", "--force")
    assert Path("page.html").stat().st_size > 10_000
    assert Path("page.html").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("output", ["page", "page.htm", "model.onnx"])
def test_an_unknown_ending(trained: Path, output: str) -> None:
    message = refuse("export", trained, output)
    assert message.startswith(f"the output {output} must end in .html or .safetensors")


def test_safetensors_and_back(trained: Path) -> None:
    pytest.importorskip("safetensors")
    outcome = succeed("export", trained, "model.safetensors")
    assert outcome.output == b""
    text = write("new.txt", TEXT + "§§§")
    short = (*SMALL[-4:], "--epochs", "0.1", "-q")
    succeed("train", text, "--init-from", "model.safetensors", *short, "-o", "one.npz")
    succeed("train", text, "--init-from", trained, *short, "-o", "other.npz")
    one, other = (read_checkpoint(Path(name)).weights for name in ("one.npz", "other.npz"))
    np.testing.assert_array_equal(one, other)
    message = refuse("export", trained, "model.safetensors")
    assert message == "model.safetensors exists: name another file, or pass --force"
    write("bad.safetensors", "bad")
    message = refuse("train", text, "--init-from", "bad.safetensors", "-o", "third.npz")
    assert message.startswith("bad.safetensors is not a model as `charrnn export` writes it")


def test_cells_that_pytorch_does_not_have() -> None:
    succeed("train", write("b.txt"), *SMALL, "--epochs", "0.1", "-q", "--cell", "lstm-coupled")
    message = refuse("export", "b.npz", "model.safetensors")
    assert message == (
        "a model of the cell lstm-coupled cannot be written as safetensors: PyTorch has no such "
        "cell, since it has one gate for forgetting and for writing; train a model of the cell "
        "lstm to export one"
    )


@pytest.mark.parametrize("option", [("--float16",), ("--neurons", "n.json")])
def test_options_for_pages_only(trained: Path, option: tuple[str, ...]) -> None:
    message = refuse("export", trained, "model.safetensors", *option)
    assert message == f"{option[0]} is for pages, whose names end in .html"


def test_a_damaged_checkpoint(trained: Path) -> None:
    write("b.npz", trained.read_bytes()[:2000])
    assert "b.npz is not a charrnn checkpoint" in refuse("export", "b.npz", "page.html")
    assert "cannot read c.npz" in refuse("export", "c.npz", "page.html")


def test_a_folder_that_is_not_there(trained: Path) -> None:
    message = refuse("export", trained, "there/page.html")
    assert message == "cannot write there/page.html: No such file or directory"


def test_arguments_that_are_missing(trained: Path) -> None:
    assert "Missing argument 'OUTPUT'" in usage_error("export", trained)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights_sha256": "0" * 64}, "belongs to another model"),
        ({"weights_sha256": None}, "belongs to another model"),
        ({"state": "f"}, "is not about tanh(c) of the units"),
        ({"format": "other"}, "is not JSON of `charrnn visualize-neurons`"),
        ({"version": 2}, "was written by another version of charrnn"),
        ({"table": None}, "is damaged"),
        ({"table": [CLAIM | {"unit": 8}]}, "is damaged"),
        ({"table": [CLAIM | {"layer": 0.5}]}, "is damaged"),
        ({"table": [CLAIM | {"score": "high"}]}, "is damaged"),
        ({"table": [CLAIM | {"score": None}]}, "is damaged"),
        ({"table": [CLAIM | {"feature": ["a"]}]}, "is damaged"),
        ({"table": [5]}, "is damaged"),
    ],
)
def test_a_wrong_file_of_neurons(trained: Path, changes: dict[str, Any], message: str) -> None:
    path = neurons(trained, **changes)
    assert f"neurons.json {message}" in refuse("export", trained, "page.html", "--neurons", path)


@pytest.mark.parametrize("content", ["", "{", "[]", "5", "\x00", "[" * 100_000])
def test_what_is_no_file_of_neurons(trained: Path, content: str) -> None:
    path = write("neurons.json", content)
    message = refuse("export", trained, "page.html", "--neurons", path)
    assert message == "neurons.json is not JSON of `charrnn visualize-neurons`"


def test_a_file_of_neurons_that_cannot_be_read(trained: Path) -> None:
    message = refuse("export", trained, "page.html", "--neurons", "n.json")
    assert message == "cannot read n.json: No such file or directory"
