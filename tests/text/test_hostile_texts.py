"""Texts that nobody would write, and devices that are none."""

import io
import os
import subprocess
from pathlib import Path

import pytest

from charrnn.errors import CorpusError
from charrnn.text import sources
from cli_helpers import COMMAND, SMALL, environment, only_line, run, succeed, write

NULL_DEVICES = pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such devices here")
QUICK = (*SMALL, "--epochs", "0.05")


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.txt")
    succeed("train", "a.txt", *SMALL, "--epochs", "0.2", "-q")


@NULL_DEVICES
@pytest.mark.parametrize(
    "words",
    [
        ("train", "-", *QUICK, "-o", "b.npz"),
        ("train", "-", *QUICK, "-o", "b.npz", "--bytes"),
        ("sample", "-c", "a.npz", "--prime-file", "-"),
        ("sample", "-c", "a.npz", "--input-lines"),
        ("score", "-c", "a.npz", "-"),
        ("visualize-neurons", "a.npz", "--text", "-"),
    ],
    ids=lambda words: " ".join(words[:1]),
)
def test_a_device_on_standard_input_is_refused(words: tuple[str, ...]) -> None:
    with open("/dev/zero", "rb") as endless:
        done = subprocess.run(
            [*COMMAND, *words],
            stdin=endless,
            capture_output=True,
            env=environment(),
            timeout=20,
            check=False,
        )
    assert done.returncode == 1
    message = only_line(done.stderr.decode())
    assert message.startswith("standard input is a device, which may never end: give a file")


@NULL_DEVICES
@pytest.mark.parametrize(
    "words",
    [
        ("train", "/dev/zero", *QUICK, "-o", "b.npz"),
        ("sample", "-c", "a.npz", "--prime-file", "/dev/zero"),
        ("sample", "-c", "a.npz", "--novelty", "/dev/zero"),
        ("score", "-c", "a.npz", "/dev/urandom"),
        ("visualize-neurons", "a.npz", "--text", "/dev/zero"),
    ],
    ids=lambda words: " ".join(words[:1]),
)
def test_a_device_is_refused(words: tuple[str, ...]) -> None:
    outcome = run(*words)
    assert outcome.code == 1
    assert "is a device, which may never end" in only_line(outcome.errors)


def test_a_pipe_that_never_ends_is_left_when_memory_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sources, "available", lambda: 2 * 10**6)
    monkeypatch.setattr(sources, "SEGMENT", 10**6)
    long = io.BytesIO(bytes(10**7))
    with pytest.raises(CorpusError, match=r"more than the 0.0016 GB that .* give a part of it"):
        sources.stdin_segments(long, most=sources.memory_for_text())
    assert long.tell() == 2 * 10**6, "the rest was read for nothing"


def test_the_null_device_is_empty() -> None:
    outcome = run("score", "-c", "a.npz", "-", stdin=subprocess.DEVNULL)
    assert only_line(outcome.errors) == "- is empty: there is nothing to score"
    assert "standard input is empty" in only_line(
        run("train", "-", "-o", "b.npz", stdin=subprocess.DEVNULL).errors
    )


@pytest.mark.parametrize(
    "text",
    [
        "\x00" * 300 + "a" * 300,
        "\x1b[31m\x07\x9b\u202e" * 200,
        "\ufeffBOM and CRLF\r\n" * 40,
        "ab" * 5_000_000,  # one line of 10 MB
        "".join(map(chr, range(0xE000, 0xE400))),
        "\U0010ffff\U0001f642e\u0301" * 200,
        "\r" * 300 + "\n" * 300,
    ],
    ids=["NUL", "escapes", "BOM", "one line", "private use", "beyond", "line ends"],
)
def test_strange_texts_are_learned_and_written(text: str) -> None:
    write("strange.txt", text)
    epochs = str(0.05 * min(1.0, 1000 / len(text)))
    words = ("train", "strange.txt", *SMALL, "--epochs", epochs, "--sample-every", "1")
    learned = run(*words, "--validation-fraction", "0.0001")
    assert learned.code == 0, learned.errors
    assert "\x1b" not in learned.errors
    assert "\x9b" not in learned.errors
    written = run("sample", "-c", "strange.npz", "-n", "50", "--seed", "1")
    assert written.code == 0
    assert set(written.text[:-1]) <= set(text)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe\x00", "is not valid utf-8 at byte 0"),
        (b"fine until \xed\xa0\x80", "is not valid utf-8 at byte 11"),  # a lone surrogate
        (b"\x7fELF" + bytes(range(256)), "is not valid utf-8"),
        (b"cut \xe2\x82", "is not valid utf-8 at byte 4"),
        (b"aaaa", "has only the symbol 'a'"),
    ],
    ids=["UTF-16", "surrogate", "binary", "cut", "one symbol"],
)
def test_what_is_no_text_is_refused_with_the_place(content: bytes, reason: str) -> None:
    write("bad.txt", content)
    message = only_line(run("train", "bad.txt", *QUICK).errors)
    assert reason in message
    assert sorted(os.listdir()) == ["a.npz", "a.txt", "bad.txt"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
def test_every_command_reads_a_fifo() -> None:
    for words in (
        ("train", "pipe", *QUICK, "-o", "b.npz", "-q"),
        ("score", "-c", "a.npz", "pipe"),
        ("sample", "-c", "a.npz", "-n", "5", "--prime-file", "pipe"),
    ):
        os.mkfifo("pipe")
        with subprocess.Popen(["cp", "a.txt", "pipe"]) as writer:
            assert run(*words).code == 0
            writer.wait()
        os.unlink("pipe")
