"""The memory of the machine or of a container."""

from pathlib import Path

import pytest

from charrnn.machine import memory_limit
from charrnn.machine.memory_limit import available
from charrnn.text.corpus import read_corpus


def on_a_machine(monkeypatch: pytest.MonkeyPatch, pages: int, *limits: Path) -> None:
    """With so many pages of 4,096 bytes, and these files with limits."""
    sizes = {"SC_PHYS_PAGES": pages, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr("os.sysconf", sizes.__getitem__, raising=False)
    monkeypatch.setattr(memory_limit, "LIMITS", limits)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("1000000\n", 10**6),
        ("max\n", 4096 * 10**6),
        (f"{2**63 - 4096}\n", 4096 * 10**6),
        ("", None),
    ],
)
def test_the_smaller_of_machine_and_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, expected: int | None
) -> None:
    limit = tmp_path / "memory.max"
    on_a_machine(monkeypatch, 10**6, tmp_path / "missing", limit)
    assert available() == 4096 * 10**6
    limit.write_text(content)
    assert available() == (expected or 4096 * 10**6)


def test_a_system_that_does_not_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Such as Windows: texts are read all the same."""
    monkeypatch.delattr("os.sysconf", raising=False)
    assert available() is None
    text = tmp_path / "a.txt"
    text.write_text("some text")
    assert len(read_corpus([text]).ids) == 9


@pytest.mark.parametrize("error", [ValueError, OSError])
def test_a_system_without_these_names(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def refuse(_: str) -> int:
        raise error

    monkeypatch.setattr("os.sysconf", refuse, raising=False)
    assert available() is None
