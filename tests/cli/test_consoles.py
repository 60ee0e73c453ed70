"""Consoles and pipes whose encoding has few characters, as those of Windows have (cp1252)."""

from pathlib import Path

import pytest

from cli_helpers import SMALL, run, succeed, write

TEXT = "".join(f"строка ▁ {n} × é\n" for n in range(60))


@pytest.fixture(autouse=True)
def _a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.txt", TEXT)
    succeed("train", "a.txt", *SMALL, "--epochs", "0.5", "-q")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize(
    "words",
    [
        ("train", "a.txt", *SMALL, "--epochs", "0.2", "-o", "b.npz"),
        ("sample", "-n", "20"),
        ("score", "a.txt", "--per-char"),
        ("score", "a.txt", "--heat"),
        ("visualize-neurons", "--unit", "L0:1"),
        ("info",),
        ("info", "--json"),
        ("info", "no.npz×"),
        ("--help",),
    ],
    ids=" ".join,
)
def test_every_command_works_in_a_narrow_encoding(encoding: str, words: tuple[str, ...]) -> None:
    outcome = run(*words, env={"PYTHONIOENCODING": encoding})
    assert "Traceback" not in outcome.errors
    assert outcome.code == (1 if "no.npz×" in words else 0), outcome.errors
    if words[:2] == ("score", "a.txt") and "--per-char" in words:
        assert b"'?'\t" in outcome.output
