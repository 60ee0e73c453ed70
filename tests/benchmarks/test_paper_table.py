"""The table of the paper: trained network by network, kept, and continued."""

import sys
from pathlib import Path

import pytest

import paper_table
from paper_table import all_names, read_results

TEXT = "the text of a table, of 36 networks. " * 40


def run(monkeypatch: pytest.MonkeyPatch, *options: str) -> None:
    monkeypatch.setattr(sys, "argv", ["paper_table.py", "a.txt", "--folder", "kept", *options])
    paper_table.main()


def test_it_is_kept_and_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text(TEXT)
    run(monkeypatch, "--only", "rnn-1-64", "--epochs", "1")
    found = read_results(Path("kept/results.json"))
    assert list(found) == ["rnn-1-64"]
    first = found["rnn-1-64"]
    assert 0 < first.test < 6
    assert first.characters > 0
    assert first.epochs == 1
    run(monkeypatch, "--only", "rnn-1-64", "--only", "gru-1-64", "--epochs", "1")
    both = read_results(Path("kept/results.json"))
    assert both["rnn-1-64"] == first, "it is not trained again"
    assert list(both) == ["rnn-1-64", "gru-1-64"]
    capsys.readouterr()
    run(monkeypatch, "--show")
    shown = capsys.readouterr().out.splitlines()
    assert shown[2].startswith("| 64 | — | — | — | ")
    assert f"{first.test:.3f}" in shown[2]
    assert "— (1.277)" in shown[3]
    assert "not trained: lstm-1-64, " in shown[-1]
    assert shown[-1].count("-") == 2 * 34


def test_all_networks_are_named_once() -> None:
    assert len(set(all_names())) == len(all_names()) == 36
    assert all_names()[:3] == ["lstm-1-64", "rnn-1-64", "gru-1-64"]
    assert set(paper_table.PAPER) <= set(all_names())


def test_no_training_begins_after_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text(TEXT)
    run(monkeypatch, "--most-minutes", "0")
    assert read_results(Path("kept/results.json")) == {}
