"""Real processes: pipes, signals, terminals, full disks, and trainings that are killed."""

import fcntl
import json
import os
import pty
import re
import resource
import shlex
import signal
import struct
import subprocess
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import charrnn
from cli_helpers import (
    SMALL,
    TEXT,
    WINDOWS,
    Outcome,
    contents,
    is_sample,
    only_line,
    process,
    run,
    same_training,
    saved_step,
    shell,
    succeed,
    write,
)

# it writes more than its pipe holds, so that a training whose notices nobody reads comes to wait
TALKATIVE = ("--sample-every", "5")
UNREAD: dict[str, Any] = {"pipesize": 4096, "bufsize": 0}  # bytes, where the system lets us choose


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.txt")


@pytest.fixture
def model() -> Path:
    succeed("train", "a.txt", *SMALL, "--epochs", "0.2", "-q")
    return Path("a.npz")


def usual_signals() -> None:
    """In a child: nothing is ignored, whatever the tests themselves were started from."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def begin(*options: str) -> "subprocess.Popen[bytes]":
    """A training of `a.txt` that waits for its notices to be read."""
    return process(
        "train", "a.txt", *options, *TALKATIVE,
        stdout=subprocess.PIPE, **UNREAD, preexec_fn=usual_signals, start_new_session=True,
    )  # fmt: skip


def wait_for_line(running: "subprocess.Popen[bytes]", beginning: str) -> str:
    """Read the notices up to the line that begins so."""
    assert running.stderr
    for line in running.stderr:
        if line.startswith(beginning.encode()):
            return line.decode()
    raise AssertionError(f"it ended with code {running.wait()} before it said {beginning!r}")


def ended(running: "subprocess.Popen[bytes]") -> Outcome:
    """What is left to read, once it has ended."""
    with running:
        output, errors = running.communicate()
    return Outcome(running.returncode, output, errors.decode())


# The program itself


def test_the_version() -> None:
    outcome = run("--version")
    assert outcome == Outcome(0, f"charrnn {charrnn.__version__}\n".encode(), "")


def test_python_m_charrnn_speaks_of_itself_as_charrnn() -> None:
    outcome = run("train", "--help")
    assert outcome.text.startswith("Usage: charrnn train ")
    assert run("train").lines[-1] == "Error: Missing argument 'TEXT...'."


def test_exit_codes() -> None:
    assert run("--help").code == 0
    assert run("train", "no.txt").code == 1
    assert run("train", "a.txt", "--hidden-size", "wide").code == 2


# Pipes


def test_a_text_from_a_pipe_and_text_into_a_pipe() -> None:
    training = " ".join(("charrnn train - -q --epochs 0.2", *SMALL))
    # Without line ends, so that what is sampled never ends in the one that is added.
    learn = f"tr '\\n' ' ' <a.txt | {training}"
    outcome = shell(f'{learn} && charrnn sample -n 40 --prime "line" | wc -c')
    assert outcome.code == 0
    assert outcome.text.strip() == "45"
    assert outcome.errors == "charrnn: writing with stdin.npz\n"


@pytest.mark.usefixtures("model")
def test_text_without_end_is_cut_by_head_without_noise() -> None:
    outcome = shell("{ charrnn sample -n 0 --seed 1; echo code $? >code; } | head -c 100")
    assert len(outcome.output) == 100
    assert outcome.errors == "charrnn: writing with a.npz\n"
    assert Path("code").read_text() == "code 0\n"


def test_text_without_end_streams_and_ends_with_its_reader(model: Path) -> None:
    running = process("sample", "-c", model, "-n", "0", "--prime", "line ", stdout=subprocess.PIPE)
    assert running.stdout
    assert running.stdout.read(5) == b"line "
    assert len(running.stdout.read(10)) == 10
    assert running.poll() is None
    running.stdout.close()
    running.stdout = None
    outcome = ended(running)
    assert (outcome.code, outcome.errors) == (0, "")


def test_an_interrupted_sample_ends_without_noise(model: Path) -> None:
    running = process(
        "sample", "-c", model, "-n", "0", stdout=subprocess.PIPE, preexec_fn=usual_signals
    )
    assert running.stdout
    running.stdout.read(10)
    running.send_signal(signal.SIGINT)
    outcome = ended(running)
    assert (outcome.code, outcome.errors) == (130, "")


@pytest.mark.parametrize(
    "settings",
    [
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii:strict"},
    ],
    ids=lambda settings: ",".join(settings),
)
def test_text_is_utf_8_wherever(settings: dict[str, str]) -> None:
    write("b.txt", "Все счастливые семьи 🙂\n" * 20)
    training = run("train", "b.txt", *SMALL, "--epochs", "0.2", *TALKATIVE, env=settings)
    assert training.code == 0, training.errors
    outcome = run("sample", "-n", "50", "--seed", "2", env=settings)
    assert outcome.code == 0
    assert is_sample(outcome.text, 50)
    assert set(outcome.text) <= set("Все счастливые семьи 🙂\n")
    assert not outcome.text.isascii()


def test_a_prime_is_understood_in_the_c_locale() -> None:
    write("b.txt", "Все счастливые семьи\n" * 20)
    succeed("train", "b.txt", *SMALL, "--epochs", "0.2", "-q")
    outcome = run("sample", "-n", "5", "--prime", "семьи", env={"LC_ALL": "C"})
    assert outcome.code == 0, outcome.errors
    assert outcome.text.startswith("семьи")


def test_bytes_come_out_as_they_are() -> None:
    write("dump.bin", b"\xff\xfe\x00\x80" * 200)
    succeed("train", "dump.bin", "--bytes", *SMALL, "--epochs", "0.2", "-q")
    outcome = run("sample", "-n", "300", "--seed", "1", env={"LC_ALL": "C"})
    assert is_sample(outcome.output, 300)
    assert set(outcome.output[:-1]) == set(b"\xff\xfe\x00\x80")


def without(descriptor: int) -> Callable[[], None]:
    """In a child: a standard stream is closed, as by `<&-` or `>&-` in a shell."""
    return lambda: os.close(descriptor)


def test_closed_standard_input_matters_only_where_it_is_to_be_read(model: Path) -> None:
    closed = without(0)
    outcome = run("train", "a.txt", *SMALL, "--epochs", "0.2", "-q", "--force", preexec_fn=closed)
    assert outcome == Outcome(0, b"", "")
    expected = "standard input is closed: name a file instead of `-`"
    assert only_line(run("train", "-", preexec_fn=closed).errors) == expected
    outcome = run("sample", "-c", model, "--prime-file", "-", preexec_fn=closed)
    assert (outcome.code, only_line(outcome.errors)) == (1, expected)


def test_closed_standard_output_is_an_error(model: Path) -> None:
    outcome = run("sample", "-c", model, preexec_fn=without(1))
    assert outcome.code == 1
    assert only_line(outcome.errors).startswith("standard output is closed")


def test_closed_standard_streams_change_nothing() -> None:
    options = (*SMALL, "--epochs", "0.2", "--threads", "2")  # processes have streams to inherit
    expected = uninterrupted(*options)
    for number in range(3):
        outcome = run(
            "train", "a.txt", *options, "-o", "b.npz", "--force", preexec_fn=without(number)
        )
        assert (outcome.code, outcome.output) == (0, b""), outcome.errors
        assert bool(outcome.errors) is (number != 2)
        same_training("b.npz", expected)
    assert run("sample", "-c", "b.npz", "-n", "5", preexec_fn=without(2)).code == 0


def test_a_training_goes_on_when_nobody_reads_its_notices(model: Path) -> None:
    running = process("train", "a.txt", *SMALL, "--epochs", "0.2", "-o", "b.npz", *TALKATIVE)
    assert running.stderr
    running.stderr.close()
    running.stderr = None
    assert running.wait() == 0
    same_training("b.npz", model)


needs_dev_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")


@needs_dev_full
def test_a_full_disk_behind_standard_output_is_one_line(model: Path) -> None:
    with open("/dev/full", "wb") as full:
        outcome = run("sample", "-c", model, stdout=full)
    assert outcome.code == 1
    expected = "cannot write to standard output: No space left on device"
    assert only_line(outcome.errors) == expected


@needs_dev_full
def test_a_training_goes_on_without_a_log_and_without_notices(model: Path) -> None:
    options = (*SMALL, "--epochs", "0.2", "--log", "/dev/full")
    outcome = run("train", "a.txt", *options, "-o", "b.npz", "-q")
    assert outcome.code == 0
    assert only_line(outcome.errors) == (
        "cannot write the log /dev/full: No space left on device; the training goes on without it"
    )
    same_training("b.npz", model)
    with open("/dev/full", "wb") as full:
        assert run("train", "a.txt", *options, "-o", "c.npz", stderr=full).code == 0
    same_training("c.npz", model)


# Signals


# what is held out goes another way than the rest, so that the best weights are not the last ones
TURNING = TEXT[:922] + TEXT[:102][::-1]


def uninterrupted(*options: str) -> Path:
    """The checkpoint of the same training in one go."""
    succeed("train", "a.txt", *options, "-o", "whole.npz", "-q")
    return Path("whole.npz")


@pytest.mark.parametrize(
    ("number", "code", "threads"),
    [(signal.SIGINT, 130, "2"), (signal.SIGTERM, 143, "1"), (signal.SIGHUP, 129, "1")],
    ids=["SIGINT", "SIGTERM", "SIGHUP"],
)
def test_a_signal_ends_a_training_and_loses_nothing(number: int, code: int, threads: str) -> None:
    options = (*SMALL, "--epochs", "8", "--threads", threads)
    running = begin(*options)
    wait_for_line(running, "--- sample at step 5 ")
    os.killpg(running.pid, number)  # as a terminal does
    outcome = ended(running)
    assert outcome.code == code
    assert outcome.output == b""
    assert "Traceback" not in outcome.errors
    step = saved_step("a.npz")
    assert 5 <= step < 8 * WINDOWS
    assert outcome.lines[-2:] == [
        f"stopped after step {step}; saved to a.npz",
        "go on with: charrnn train a.txt --resume",
    ]
    again = shell(outcome.lines[-1].removeprefix("go on with: "))
    assert again.code == 0
    assert f"resuming after step {step} " in again.errors
    same_training("a.npz", uninterrupted(*options))


@pytest.mark.parametrize(
    "arguments",
    [
        ("a text.txt", "it's.txt", "-o", "my model.npz"),
        ("a text.txt", "--encoding", "latin-1"),
        ("--bytes", "--", "-text.txt"),
        ("-", "-o", "x.npz"),
    ],
    ids=["names", "encoding", "bytes", "stdin"],
)
def test_the_command_to_go_on_can_be_pasted(arguments: tuple[str, ...]) -> None:
    for name in ("a text.txt", "it's.txt", "-text.txt"):
        write(name, TEXT + "é")
    with open("a.txt", "rb") as text:
        running = process(
            "train", *SMALL, "--epochs", "8", *TALKATIVE, *arguments,
            stdin=text, stdout=subprocess.PIPE, **UNREAD, preexec_fn=usual_signals,
        )  # fmt: skip
        wait_for_line(running, "--- sample at step 5 ")
        running.send_signal(signal.SIGTERM)
        outcome = ended(running)
    assert outcome.code == 143
    command = outcome.lines[-1].removeprefix("go on with: ")
    assert shlex.split(command)[:2] == ["charrnn", "train"]
    again = shell(f"{command} <a.txt")
    assert again.code == 0, again.errors
    assert "resuming after step " in again.errors
    assert "finished after step " in again.errors


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    def as_nohup_does() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    running = process("train", "a.txt", *SMALL, "--epochs", "1", preexec_fn=as_nohup_does)
    wait_for_line(running, "training for ")
    running.send_signal(signal.SIGHUP)
    with running:
        _, errors = running.communicate()
    assert running.returncode == 0
    assert b"finished after step 28 " in errors


@pytest.mark.parametrize(
    ("epochs", "threads", "within_an_epoch"),
    [("10.5", "1", True), ("20", "1", False), ("10.5", "2", True)],
    ids=["within an epoch", "between epochs", "two threads"],
)
def test_a_killed_training_comes_out_the_same_to_the_bit(
    epochs: str, threads: str, within_an_epoch: bool
) -> None:
    options = (*SMALL, "--epochs", epochs, "--threads", threads)
    write("a.txt", TURNING)
    steps = []
    for attempt in (options, ("--resume",)):
        running = begin(*attempt)
        for _ in range(2):  # the first of them was followed by a checkpoint
            wait_for_line(running, "step ")
        running.kill()
        assert ended(running).code == -signal.SIGKILL
        steps.append(saved_step("a.npz"))
    first, second = steps
    assert 0 < first < second < float(epochs) * WINDOWS
    assert bool(first % WINDOWS) is within_an_epoch
    outcome = run("train", "a.txt", "--resume")
    assert outcome.code == 0
    assert f"resuming after step {second} " in outcome.errors
    assert "schedule" not in outcome.errors, "the budget is that of the beginning"
    assert saved_step("a.npz") == float(epochs) * WINDOWS
    same_training("a.npz", uninterrupted(*options))
    with np.load("a.npz") as file:
        assert not np.array_equal(file["weights"], file["last"]), "else this proves little"


# A disk that is full


def limited(bytes_: int) -> Callable[[], None]:
    """In a child: no file grows beyond so many bytes, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, resource.RLIM_INFINITY))


@pytest.mark.parametrize("room", [0, 16000])
def test_a_full_disk_leaves_the_old_checkpoint_intact(model: Path, room: int) -> None:
    assert model.stat().st_size > 20_000
    before = contents(Path())
    for options in (("--resume", "--epochs", "2"), ("--force", *SMALL, "--epochs", "2")):
        outcome = run("train", "a.txt", *options, "-q", preexec_fn=limited(room))
        assert outcome.code == 1
        message = only_line(outcome.errors)
        assert message.startswith("cannot write the checkpoint a.npz: File too large; ")
        assert "what was there before is untouched" in message
        assert contents(Path()) == before
    assert succeed("sample", "-n", "10").output


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="no limits for another process")
def test_a_disk_that_fills_up_leaves_the_last_checkpoint() -> None:
    options = (*SMALL, "--epochs", "8")
    running = begin(*options)
    for _ in range(2):
        wait_for_line(running, "step ")
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (8000, 8000))
    outcome = ended(running)
    assert outcome.code == 1
    last = outcome.lines[-1]
    assert last.startswith("charrnn: cannot write the checkpoint a.npz: File too large; ")
    assert "Traceback" not in outcome.errors
    assert sorted(os.listdir()) == ["a.npz", "a.txt"]
    assert 0 < saved_step("a.npz") < 8 * WINDOWS
    succeed("train", "a.txt", "--resume", "-q")
    same_training("a.npz", uninterrupted(*options))


# A terminal


def on_a_terminal(*arguments: str, columns: int = 160) -> tuple[int, bytes, str]:
    """Run `charrnn` with a pseudo-terminal for standard error: code, output, what was drawn."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    running = process(
        *arguments, stdout=subprocess.PIPE, stderr=theirs, env={"TERM": "xterm", "COLUMNS": ""}
    )
    os.close(theirs)
    drawn = b""
    try:
        while piece := os.read(ours, 65536):
            drawn += piece
    except OSError:  # how Linux tells that the other side was closed
        pass
    finally:
        os.close(ours)
    with running:
        output, _ = running.communicate()
    return running.returncode, output, drawn.decode()


def without_colours(drawn: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", drawn)


def test_a_bar_on_a_terminal() -> None:
    code, output, drawn = on_a_terminal("train", "a.txt", *SMALL, "--epochs", "8")
    assert (code, output) == (0, b"")
    text = without_colours(drawn)
    assert "a.txt: 1,024 characters, 23 different ones\r\n" in text
    bars = re.findall(
        r"\r *(\d+)%\|[^|]*\| epoch (\d+\.\d\d) · loss (\d\.\d{3}) nats (\d\.\d{3}) bits"
        r"( · validation \d\.\d{3})? · [\d,]+ chars/s · \d+:\d\d left",
        text,
    )
    assert len(bars) >= 2
    percent, epoch, nats, bits, validation = bars[-1]
    assert (percent, epoch) == ("100", "8.00")
    assert validation
    assert float(bits) == pytest.approx(float(nats) / np.log(2), abs=2e-3)
    above = re.search(r"─ step 100 · loss \d\.\d{3} nats ─+\r\n(.*?)\r +\d+%", text, re.S)
    assert above, "samples are shown above the bar"
    assert set(above[1].replace("\r\n", "\n")) <= set(TEXT)
    assert "finished after step 224 " in text
    assert text.endswith("saved to a.npz; write with: charrnn sample -c a.npz\r\n")


def test_samples_on_a_terminal_are_harmless() -> None:
    write("a.txt", "a\x07\x08\x9b\x0e\x05" * 200)
    options = ("--epochs", "0.5", "--sample-every", "2")
    code, _, drawn = on_a_terminal("train", "a.txt", *SMALL, *options)
    assert code == 0
    assert "·" in drawn
    assert not set("\x07\x08\x9b\x0e\x05") & set(drawn)


def test_a_sample_with_brackets_is_not_markup() -> None:
    write("a.txt", "[red][/b]" * 100)
    code, _, drawn = on_a_terminal("train", "a.txt", *SMALL, "--epochs", "1", "--sample-every", "9")
    assert code == 0, drawn
    assert "[" in without_colours(drawn)


def test_quiet_is_silent_on_a_terminal() -> None:
    assert on_a_terminal("train", "a.txt", *SMALL, "--epochs", "1", "-q") == (0, b"", "")


def test_a_narrow_terminal_does_not_break_the_bar() -> None:
    code, _, drawn = on_a_terminal("train", "a.txt", *SMALL, "--epochs", "1", columns=20)
    assert code == 0
    bars = [line for line in drawn.replace("\n", "\r").split("\r") if "%|" in line]
    assert bars
    assert all(len(without_colours(bar).removesuffix("\x1b[A")) <= 20 for bar in bars)


def test_the_log_of_a_training_on_a_terminal_is_json() -> None:
    code, _, _ = on_a_terminal("train", "a.txt", *SMALL, "--epochs", "1", "--log", "log")
    assert code == 0
    assert [json.loads(line)["step"] for line in Path("log").read_text().splitlines()][-1] == 28


@pytest.mark.parametrize("words", ["info --json", "score a.txt", "score a.txt --per-char"])
def test_readers_that_have_seen_enough(model: Path, words: str) -> None:
    outcome = shell(f"(charrnn {words}; echo code $? >&2) | head -c 1 > /dev/null")
    assert outcome.errors.splitlines()[-1] == "code 0"
    assert "Traceback" not in outcome.errors
    assert "Broken" not in outcome.errors
