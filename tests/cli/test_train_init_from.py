"""`charrnn train --init-from`: a trained model learns another text."""

from pathlib import Path

import pytest

from cli_helpers import SMALL, TEXT, call, header, refuse, succeed, write


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.txt")


def test_a_training_begins_with_a_trained_model() -> None:
    succeed("train", "a.txt", *SMALL, "--epochs", "3", "-q")
    write("b.txt", TEXT + "\u00fc\u00df" * 9)
    outcome = succeed("train", "b.txt", "--init-from", "a.npz", "--epochs", "1", "--threads", "1")
    (line,) = [line for line in outcome.lines if line.startswith("fine-tuning a trained model; ")]
    assert line.endswith("2 characters of this text are new to it: '\u00df', '\u00fc'")
    assert header("b.npz")["network"] == header("a.npz")["network"] | {"vocabulary_size": 25}
    again = succeed("train", "a.txt", "--init-from", "b.npz", "-o", "c.npz", "--epochs", "0.1")
    assert "fine-tuning a trained model; it knows every character of this text" in again.lines
    assert "\u00fc" in succeed("sample", "-c", "c.npz", "--prime", "\u00fc", "-n", "1").text


def test_a_training_from_a_model_that_does_not_fit() -> None:
    succeed("train", "a.txt", *SMALL, "--epochs", "0.1", "-q")
    message = refuse("train", "a.txt", "-o", "b.npz", "--init-from", "a.npz", "--bytes")
    assert message.endswith("leave out --bytes")
    message = refuse("train", "a.txt", "-o", "b.npz", "--init-from", "a.npz", "--hidden-size", "9")
    assert message.startswith("--hidden-size 9 does not fit the checkpoint, which has 8")
    assert "cannot read no.npz" in refuse("train", "a.txt", "-o", "b.npz", "--init-from", "no.npz")
    outcome = call("train", "a.txt", "--resume", "--init-from", "a.npz")
    assert outcome.code == 2
    assert "--resume goes on with a training, --init-from begins one" in outcome.errors
