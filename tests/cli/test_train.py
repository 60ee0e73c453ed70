"""`charrnn train`: where the model goes, what is said, and how long it takes."""

import json
import math
import re
from pathlib import Path

import click
import numpy as np
import pytest

from charrnn.cli import main
from charrnn.cli.formatting import clock, harmless
from charrnn.training.events import Report
from cli_helpers import (
    NETWORK,
    SMALL,
    TEXT,
    WINDOWS,
    call,
    header,
    refuse,
    same_training,
    saved_step,
    succeed,
    usage_error,
    write,
)

REPORT = re.compile(
    r"step (?P<step>[\d,]+)  epoch (?P<epoch>\d+\.\d\d)  "
    r"loss (?P<nats>\d\.\d{4}) nats \((?P<bits>\d\.\d{4}) bits\)"
    r"(?P<validation>  validation \d\.\d{4})?  [\d,]+ characters/s  \d+:\d\d left"
)


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.txt")


# The help


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_the_help_shows_every_option_with_its_default(flag: str) -> None:
    shown = succeed("train", flag).text
    assert shown.startswith("Usage: charrnn train [OPTIONS] TEXT...")
    command = main.commands["train"]
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert len(options) > 15
    told = dict.fromkeys((name for option in options for name in option.opts), "")
    records = re.split(r"\n  (?=-)", shown)
    for name in told:
        (told[name],) = [
            record for record in records if re.match(rf"(-\w, )?{name}(?![\w-])", record)
        ]
    for option in options:
        if not option.is_flag and option.name != "log":
            assert "[default:" in told[option.opts[-1]], option.name
    assert "[default: 64;" in told["--seq-length"]
    assert "[default: adam 0.01, adamw 0.01, rms" in " ".join(told["--learning-rate"].split())


def test_the_help_of_all_lists_the_commands() -> None:
    shown = succeed("--help").text
    names = re.findall(r"^  ([a-z][a-z-]*)  +[A-Z]", shown, re.MULTILINE)
    assert names == ["train", "sample", "score", "visualize-neurons", "export", "ngram", "info"]


# Where the model goes


def test_the_model_has_the_name_of_the_text_and_lies_in_the_current_folder() -> None:
    write("books/war.and.peace.txt")
    outcome = succeed("train", "books/war.and.peace.txt", *SMALL, "--epochs", "0.2")
    assert Path("war.and.peace.npz").is_file()
    assert [path.name for path in Path("books").iterdir()] == ["war.and.peace.txt"]
    assert outcome.lines[-1] == (
        "saved to war.and.peace.npz; write with: charrnn sample -c war.and.peace.npz"
    )


def test_the_output_can_be_named() -> None:
    write("models/.keep", "")
    succeed("train", "a.txt", *SMALL, "--epochs", "0.2", "-o", "models/mine")
    assert header("models/mine")["format"] == "charrnn"
    assert not Path("a.npz").exists()


def test_standard_input_goes_to_stdin_npz() -> None:
    outcome = succeed("train", "-", *SMALL, "--epochs", "0.2", given=TEXT)
    assert outcome.lines[0] == "standard input: 1,024 characters, 23 different ones"
    assert header("stdin.npz")["training"]["corpus"]["symbols"] == len(TEXT)


def test_files_folders_and_standard_input_are_one_text() -> None:
    write("notes/2.txt", "two\n")
    write("notes/1.txt", "one\n")
    write("notes/other.md", "no")
    outcome = succeed("train", "notes", "-", "a.txt", *SMALL, "--epochs", "0.2", given="Q;")
    assert outcome.lines[0].startswith(f"notes, standard input, a.txt: {len(TEXT) + 10:,} char")
    write("whole.txt", "one\ntwo\nQ;" + TEXT)
    succeed("train", "whole.txt", *SMALL, "--epochs", "0.2")
    first, second = (header(f"{name}.npz")["training"]["corpus"] for name in ("notes", "whole"))
    assert first["sha256"] == second["sha256"]


def test_a_folder_gives_its_name_even_as_a_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    write("diary/a.txt")
    monkeypatch.chdir("diary")
    succeed("train", ".", *SMALL, "--epochs", "0.2")
    assert Path("diary.npz").is_file()


def test_an_existing_output_is_not_overwritten() -> None:
    write("a.npz", b"somebody's work")
    message = refuse("train", "a.txt", *SMALL, "--epochs", "1")
    assert message.startswith("a.npz exists already: ")
    assert all(way in message for way in ("--resume", "--force", "--output"))
    assert Path("a.npz").read_bytes() == b"somebody's work"
    assert "mine exists" in refuse("train", "a.txt", "-o", write("mine", b"")), "even if empty"


def test_force_overwrites() -> None:
    write("a.npz", b"somebody's work")
    succeed("train", "a.txt", *SMALL, "--epochs", "0.2", "--force")
    assert saved_step("a.npz") == 6


def test_the_text_itself_is_not_overwritten_even_with_force() -> None:
    write("text.npz")
    Path("link.npz").symlink_to("a.txt")
    for text, output in (("text.npz", "text.npz"), ("a.txt", "a.txt"), ("a.txt", "link.npz")):
        for flag in ("--force", "--resume"):
            message = refuse("train", text, "-o", output, flag, *SMALL, "--epochs", "1")
            assert message == f"{output} is one of the texts to read: name another --output"
    assert "is one of the texts to read" in refuse("train", "text.npz", *SMALL)


def test_resume_and_force_exclude_each_other() -> None:
    assert "--resume" in usage_error("train", "a.txt", "--resume", "--force")
    succeed("train", "a.txt", *SMALL, "--epochs", "0.2")
    assert usage_error("train", "a.txt", "--resume", "--force").endswith("choose")


# What is said


def test_every_line_goes_to_standard_error() -> None:
    outcome = succeed("train", "a.txt", *SMALL, "--epochs", "2", "--sample-every", "0")
    assert outcome.output == b""
    head, reports, tail = outcome.lines[:4], outcome.lines[4:-2], outcome.lines[-2:]
    assert head == [
        "a.txt: 1,024 characters, 23 different ones",
        "network: 1 × 8 LSTM, 1,231 weights; 1 thread",
        "chosen for this text and time: --cell lstm --dropout 0.0 --weight-decay 0.0 "
        "--recurrent-dropout 0.0 --beta1 0.8",
        "training for 2 epochs; checkpoint: a.npz",
    ]
    assert len(reports) == 20
    for line in reports:
        report = REPORT.fullmatch(line)
        assert report, line
        assert report["validation"]
        assert float(report["bits"]) == pytest.approx(float(report["nats"]) / math.log(2), abs=2e-4)
        epoch = int(report["step"]) / WINDOWS
        assert float(report["epoch"]) == pytest.approx(epoch, abs=0.01)
    assert re.fullmatch(
        r"finished after step 56 in 0:0\d; validation loss \d\.\d{4} nats \(\d\.\d{4} bits\) "
        "per character",
        tail[0],
    )


def test_quiet_is_silent() -> None:
    for options in (("--quiet",), ("-q", "--resume", "--epochs", "2")):
        outcome = succeed("train", "a.txt", *SMALL, "--epochs", "1", *options)
        assert (outcome.output, outcome.errors) == (b"", "")
    assert saved_step("a.npz") == 2 * WINDOWS


def test_a_log_has_one_json_object_for_every_report() -> None:
    write("log.jsonl", '{"step": 0}\n')
    succeed("train", "a.txt", *SMALL, "--epochs", "1", "--log", "log.jsonl", "-q")
    first, *lines = Path("log.jsonl").read_text().splitlines()
    assert first == '{"step": 0}', "the log is appended to"
    reports = [json.loads(line) for line in lines]
    assert len(reports) == 20
    for report in reports:
        assert set(report) == set(Report.__dataclass_fields__)
        assert report["epoch"] == report["step"] / WINDOWS
        assert 0 < report["loss"] < 4
        assert 0 < report["validation_loss"] < 4
        assert report["validated"] is True
    steps = [report["step"] for report in reports]
    assert steps == sorted(set(steps))
    assert (steps[-1], reports[-1]["progress"]) == (WINDOWS, 1)
    assert reports[-1]["loss"] < reports[0]["loss"]


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        (("--epochs", "1", "--sample-every", "10"), [10, 20]),
        (("--epochs", "1", "--sample-every", "0"), []),
        (("--epochs", "4", "--sample-every", "0"), []),
        (("--epochs", "4"), [100]),
    ],
)
def test_samples_are_shown_when_they_are_due(options: tuple[str, ...], steps: list[int]) -> None:
    errors = succeed("train", "a.txt", *SMALL, *options).errors
    samples = re.findall(r"^--- sample at step (\d+) ---\n(.*?)\n---$", errors, re.M | re.S)
    assert [int(step) for step, _ in samples] == steps
    for _, sample in samples:
        assert len(sample) == 300
        assert set(sample) <= set(TEXT)


def test_samples_leave_the_training_as_it_is() -> None:
    succeed("train", "a.txt", *SMALL, "--epochs", "0.5", "--sample-every", "1", "-o", "one.npz")
    succeed("train", "a.txt", *SMALL, "--epochs", "0.5", "--sample-every", "0", "-o", "two.npz")
    same_training("one.npz", "two.npz")


def test_samples_are_harmless() -> None:
    write("a.txt", "\x1b\x07\x08\x9b\x00\u202e" * 200)
    errors = succeed("train", "a.txt", *SMALL, "--epochs", "0.2", "--sample-every", "5").errors
    assert "·" in errors
    assert all(character.isprintable() or character == "\n" for character in errors)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\n", "a\nb\n"),
        ("a\r\nb\rc", "a\nb·c"),
        ("a\tb", "a   b"),
        ("\x1b[2J\x07\x00\x7f\x9b", "·[2J····"),
        ("Война 床前 🙂", "Война 床前 🙂"),
        ("\u202eabc\u2028", "·abc·"),
    ],
)
def test_control_characters_become_a_dot(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_times_are_read_like_a_clock() -> None:
    assert [clock(seconds) for seconds in (0.4, 59.6, 61, 3600, 3661)] == [
        "0:00",
        "1:00",
        "1:01",
        "1:00:00",
        "1:01:01",
    ]


# What is learned


def test_a_text_is_learned() -> None:
    text = write("b.txt", "abcdefgh" * 100)
    outcome = succeed("train", text, *SMALL, "--hidden-size", "16", "--epochs", "30")
    (loss,) = re.findall(r"validation loss (\d\.\d+) nats", outcome.lines[-2])
    assert float(loss) < 0.01, "the next letter of the alphabet is sure"
    assert (
        succeed("sample", "-n", "16", "--prime", "abc", "-t", "0").text == "abcdefghabcdefghabc\n"
    )


def test_the_same_seed_makes_the_same_model() -> None:
    for name, seed in (("one", "5"), ("two", "5"), ("three", "6")):
        succeed("train", "a.txt", *SMALL, "--epochs", "0.3", "--seed", seed, "-o", f"{name}.npz")
    same_training("one.npz", "two.npz")
    with np.load("one.npz") as one, np.load("three.npz") as three:
        assert not np.array_equal(one["weights"], three["weights"])


def test_layers_and_hidden_size_make_the_network() -> None:
    options = (*SMALL, "--layers", "2", "--hidden-size", "5", "--epochs", "0.2")
    assert "network: 2 × 5 LSTM, " in succeed("train", "a.txt", *options).errors
    network = header("a.npz")["network"]
    assert (network["layers"], network["hidden_size"]) == (2, 5)


def test_bytes_are_learned_instead_of_characters() -> None:
    write("dump.bin", bytes(range(256)) * 4)
    outcome = succeed("train", "dump.bin", "--bytes", *SMALL, "--epochs", "0.2")
    assert outcome.lines[0] == "dump.bin: 1,024 bytes, 256 different ones"
    vocabulary = header("dump.npz")["vocabulary"]
    assert vocabulary == {"kind": "bytes", "symbols": list(range(256))}


def test_another_encoding_can_be_named() -> None:
    write("a.txt", "naïve façade\n".encode("latin-1") * 40)
    succeed("train", "a.txt", "--encoding", "latin-1", *SMALL, "--epochs", "0.2")
    symbols = header("a.npz")["vocabulary"]["symbols"]
    assert set(map(chr, symbols)) == set("naïve façade\n")


@pytest.mark.parametrize(
    ("length", "shape"), [(2, "1 stream of 1"), (3, "1 stream of 2"), (50, "1 stream of 44"),
                          (300, "4 streams of 64"), (4000, "56 streams of 64")]
)  # fmt: skip
def test_a_short_text_is_read_in_fewer_and_shorter_streams(length: int, shape: str) -> None:
    write("a.txt", ("ab" * length)[:length])
    outcome = succeed("train", "a.txt", *NETWORK, "--epochs", "2")
    (line,) = [line for line in outcome.lines if "the text is short" in line]
    assert line == (
        f"the text is short: it is read in {shape} characters at a time instead of 64 of 64"
    )
    assert len(succeed("sample", "-n", "20", "--suppress", "\n").text) == 21


def test_a_text_that_is_long_enough_is_not_called_short() -> None:
    assert "short" not in succeed("train", "a.txt", *SMALL, "--epochs", "0.2").errors


def test_nothing_held_out_is_said() -> None:
    options = (*SMALL, "--epochs", "0.2", "--validation-fraction", "0")
    outcome = succeed("train", "a.txt", *options)
    assert "no text is held out for validation" in outcome.errors
    assert "validation loss" not in outcome.errors
    with np.load("a.npz") as file:
        assert np.array_equal(file["weights"], file["last"])


# How long


def test_minutes_end_a_training() -> None:
    outcome = succeed("train", "a.txt", *SMALL, "--minutes", "0.002")
    assert outcome.lines[3] == "training for 0.002 minutes; checkpoint: a.npz"
    assert outcome.lines[-2].startswith("finished after step ")
    assert header("a.npz")["training"]["seconds"] >= 0.12


def test_the_nearer_of_two_limits_ends_a_training() -> None:
    outcome = succeed("train", "a.txt", *SMALL, "--minutes", "100", "--epochs", "0.5")
    assert "training for 100 minutes or 0.5 epochs" in outcome.errors
    assert outcome.lines[-2].startswith("finished after step 14 ")


def test_a_wrong_option_is_a_usage_error() -> None:
    assert "No such option" in usage_error("train", "a.txt", "--epoch-count", "2")
    assert "TEXT..." in usage_error("train")
    assert call("trian").code == 2


def test_an_early_end_and_a_test_part_are_told() -> None:
    outcome = succeed(
        "train", "a.txt", *SMALL, "--epochs", "60", "--learning-rate", "0.1", "--patience", "1",
        "--test-fraction", "0.1",
    )  # fmt: skip
    assert "early stopping: 1 validation in a row without improvement" in outcome.errors
    assert re.search(r"finished after .*; validation loss .*; test loss \d.* nats", outcome.errors)
    assert saved_step("a.npz") < 60 * WINDOWS * 0.8


def test_an_explosion_is_told() -> None:
    outcome = call(
        "train", "a.txt", *SMALL, "--epochs", "3", "--learning-rate", "1e38", "--clip", "0"
    )
    assert outcome.code == 1
    assert re.search(r"back to step \d+, with a learning rate of at most 5e\+37", outcome.errors)
