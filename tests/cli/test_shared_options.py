"""Options of several commands, and the checkpoint that is taken where none is named."""

import os
from pathlib import Path

import pytest

from charrnn.cli.shared_options import chosen_checkpoint
from charrnn.errors import CheckpointError
from cli_helpers import SMALL, only_line, succeed, usage_error, write


@pytest.fixture(autouse=True)
def _in_a_folder_with_two_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.txt")
    for name in ("a.npz", "b.npz"):
        succeed("train", "a.txt", *SMALL, "--epochs", "0.5", "-q", "-o", name)
    os.utime("a.npz", (2e9, 2e9))


@pytest.mark.parametrize(
    ("command", "doing"),
    [
        (("sample", "-n", "5"), "writing with"),
        (("score", "a.txt"), "scoring with"),
        (("visualize-neurons", "--text", "a.txt", "--unit", "L0:1"), "looking at"),
    ],
)
def test_the_newest_checkpoint_is_taken_and_named(command: tuple[str, ...], doing: str) -> None:
    assert succeed(*command).lines[0] == f"charrnn: {doing} a.npz"
    os.utime("b.npz", (3e9, 3e9))
    assert succeed(*command).lines[0] == f"charrnn: {doing} b.npz"
    assert succeed("info").text.startswith("b.npz")


def test_a_checkpoint_that_is_named_is_taken_without_a_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert chosen_checkpoint(Path("b.npz"), "writing with") == Path("b.npz")
    assert capsys.readouterr().err == ""
    assert chosen_checkpoint(None, "writing with") == Path("a.npz")
    assert only_line(capsys.readouterr().err) == "writing with a.npz"
    for name in ("a.npz", "b.npz"):
        Path(name).unlink()
    with pytest.raises(CheckpointError, match="there is no checkpoint in"):
        chosen_checkpoint(None, "writing with")


@pytest.mark.parametrize("command", [("sample",), ("score", "a.txt"), ("visualize-neurons",)])
def test_unknown_is_error_or_skip(command: tuple[str, ...]) -> None:
    assert "Invalid value for '--unknown'" in usage_error(*command, "--unknown", "guess")
