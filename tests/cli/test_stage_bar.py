"""The bar that names a stage: on a terminal, and nowhere else."""

import io

import pytest

from charrnn.cli.stage_bar import StageBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_stages_and_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with StageBar() as bar:
        bar("reading the text", 0)
        bar("ablating cells", 0.5)
        shown = terminal.getvalue().split("\r")
    assert any(line.startswith("charrnn: reading the text") and "  0% " in line for line in shown)
    assert shown[-1].startswith("charrnn: ablating cells")
    assert " 50% " in shown[-1]
    assert terminal.getvalue().split("\r")[-2].strip() == "", "it is cleared at the end"
    assert "\n" not in terminal.getvalue()


def test_a_pipe_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr("sys.stderr", pipe)
    with StageBar() as bar:
        bar("reading the text", 0.3)
    assert pipe.getvalue() == ""


def test_no_standard_error_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    with StageBar() as bar:
        bar("reading the text", 0.3)


def test_it_is_cleared_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)

    def interrupted() -> None:
        with StageBar() as bar:
            bar("reading the text", 0.3)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert terminal.getvalue().split("\r")[-2].strip() == ""
