"""Wrong input: one line that says what is wrong and what to do, a code, and nothing lost."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli_helpers import (
    NETWORK,
    SMALL,
    call,
    contents,
    header,
    is_sample,
    only_line,
    refuse,
    rewrite,
    run,
    saved_step,
    succeed,
    usage_error,
    write,
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        succeed("train", write("a.txt"), *SMALL, "--epochs", "0.2", "-q")
    return folder / "a.npz"


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.txt")


@pytest.fixture
def model(trained: Path) -> Path:
    return Path(shutil.copy(trained, "a.npz"))


# Texts


def test_a_missing_file() -> None:
    assert refuse("train", "no.txt") == "no.txt does not exist: check the name of the file"
    assert "no.txt does not exist" in refuse("train", "a.txt", "no.txt")


def test_a_file_below_a_file() -> None:
    assert refuse("train", "a.txt/b.txt").startswith("a.txt/b.txt cannot be read (Not a directory)")


def test_a_folder_without_texts() -> None:
    write("notes/a.md", "text")
    message = refuse("train", "notes")
    assert message == "the folder notes has no *.txt: name the files themselves"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "b.txt is empty: a text of at least 2 characters is needed"),
        ("x", "b.txt has only one symbol: a text of at least 2 characters is needed"),
        ("xxxx", "nothing to learn: b.txt has only the symbol 'x', over and over"),
        ("\n\n", r"nothing to learn: b.txt has only the symbol '\n', over and over"),
    ],
)
def test_a_text_with_nothing_to_learn(text: str, message: str) -> None:
    assert refuse("train", write("b.txt", text)).startswith(message)
    by_pipe = refuse("train", "-", given=text)
    assert by_pipe.startswith(message.replace("b.txt", "standard input"))


def test_a_text_in_another_encoding_names_the_byte_and_both_ways_out() -> None:
    write("b.txt", "naïve".encode("latin-1"))
    message = refuse("train", "b.txt")
    assert message.startswith("b.txt is not valid utf-8 at byte 2 (invalid continuation byte): ")
    assert "--encoding" in message
    assert "--bytes" in message
    for way in (("--encoding", "latin-1"), ("--bytes",)):
        succeed("train", "b.txt", *NETWORK, "--epochs", "1", "--force", *way)


@pytest.mark.parametrize("encoding", ["utf-9", "rot13", "hex", "", "\x1b[2J"])
def test_an_unknown_encoding(encoding: str) -> None:
    assert "is not an encoding: see https://" in refuse("train", "a.txt", "--encoding", encoding)


def test_standard_input_twice() -> None:
    assert "only once" in refuse("train", "-", "-", given="text")


def test_a_name_that_no_terminal_should_see() -> None:
    assert r"\x1b[2J" in refuse("train", "\x1b[2J.txt")


# Numbers

WHOLE = ["--hidden-size", "--layers", "--seq-length", "--batch-size", "--threads"]
REAL = ["--epochs", "--minutes", "--learning-rate"]
OUTSIDE = [
    *((option, value) for option in WHOLE for value in ("0", "-1", "-1000000000000000000000")),
    *((option, value) for option in REAL for value in ("0", "-1", "nan", "inf", "-inf", "1e999")),
    *(("--clip", value) for value in ("-1", "nan", "inf", "-0.001")),
    *(("--validation-fraction", value) for value in ("-0.1", "1", "2", "nan", "inf")),
    ("--seed", "-1"),
    ("--sample-every", "-1"),
]


@pytest.mark.parametrize(("option", "value"), OUTSIDE)
def test_a_number_that_makes_no_sense_for_a_training(option: str, value: str) -> None:
    name = option.removeprefix("--")
    for mode in ((), ("--force",)):
        message = refuse("train", "a.txt", *SMALL, "--epochs", "0.2", *mode, option, value)
        assert name in message.replace("_", "-"), "it names the option"
    assert not Path("a.npz").exists()


@pytest.mark.parametrize(("option", "value"), [pair for pair in OUTSIDE if pair[0] != "--seed"])
@pytest.mark.usefixtures("model")
def test_a_number_that_makes_no_sense_for_a_resumed_training(option: str, value: str) -> None:
    message = refuse("train", "a.txt", "--resume", option, value)
    assert option.removeprefix("--") in message.replace("_", "-")


@pytest.mark.parametrize("option", [*WHOLE, *REAL, "--clip", "--seed", "--sample-every"])
def test_what_is_no_number_is_a_usage_error(option: str) -> None:
    for value in ("many", "", "0x10", "1,5"):
        assert f"Invalid value for '{option}'" in usage_error("train", "a.txt", option, value)
    if option not in [*REAL, "--clip"]:
        assert "not a valid int" in usage_error("train", "a.txt", option, "1.5")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--temperature", "-0.1", "--temperature must be a number of at least 0, not -0.1"),
        ("--temperature", "nan", "--temperature must be a number of at least 0, not nan"),
        ("--temperature", "inf", "--temperature must be a number of at least 0, not inf"),
        ("--length", "-1", "--length must be a whole number of at least 0, not -1"),
        ("--samples", "0", "--samples must be at least 1, not 0"),
        ("--samples", "-3", "--samples must be at least 1, not -3"),
        ("--seed", "-1", "--seed must be a whole number of at least 0, not -1"),
    ],
)
def test_a_number_that_makes_no_sense_for_a_sample(
    model: Path, option: str, value: str, message: str
) -> None:
    assert refuse("sample", "-c", model, option, value) == message
    outcome = call("sample", option, value)
    assert outcome.code == 1
    assert outcome.lines[-1] == f"charrnn: {message}"


def test_what_is_no_number_for_a_sample_is_a_usage_error() -> None:
    for option in ("--length", "--temperature", "--seed", "--samples"):
        assert f"'{option}'" in usage_error("sample", option, "many")


def test_more_than_fits_into_memory_is_one_line(model: Path) -> None:
    message = refuse("train", "a.txt", "--force", "-q", "--hidden-size", "20000000")
    assert "of 20000000 units would have 5e+15 weights" in message
    for samples in (10**14, 10**30, 10**400):
        message = refuse("sample", "-c", model, "--samples", str(samples))
        assert "samples side by side would need about" in message


# Checkpoints


def damaged(path: Path, kind: str) -> None:
    """Make of a checkpoint something that is none."""
    whole = path.read_bytes()
    if kind.startswith("cut to "):
        share = int(kind.removeprefix("cut to ").removesuffix(" %"))
        path.write_bytes(whole[: len(whole) * share // 100])
    elif kind == "a byte changed":
        path.write_bytes(whole[:9000] + bytes([whole[9000] ^ 255]) + whole[9001:])
    elif kind == "other arrays":
        np.savez(path, a=np.zeros(3))
    elif kind == "one array":
        with open(path, "wb") as file:
            np.save(file, np.zeros(3))
    elif kind == "pickled":
        np.savez(path, header=np.array([{"format": "charrnn"}], dtype=object))
    elif kind == "weights of nan":
        with np.load(path) as file:
            entries = dict(file)
        entries["weights"][3] = np.nan
        np.savez(path, **entries)
    else:
        path.write_text(kind)


@pytest.mark.parametrize(
    "kind",
    ["", "plain text", "PK\x03\x04", "cut to 10 %", "cut to 50 %", "cut to 99 %", "a byte changed",
     "other arrays", "one array", "pickled", "weights of nan"],
)  # fmt: skip
def test_a_checkpoint_that_is_none(model: Path, kind: str) -> None:
    damaged(model, kind)
    for command in (("sample", "-c", model), ("train", "a.txt", "--resume", "--epochs", "9")):
        assert refuse(*command).startswith("a.npz is not a charrnn checkpoint")


@pytest.mark.parametrize("value", [3e38, -3e38])
def test_weights_whose_outputs_would_be_infinite(model: Path, value: float) -> None:
    with np.load(model) as file:
        entries = dict(file)
    entries["weights"][-3:] = value
    np.savez(model, **entries)
    for command in (
        ("sample", "-n", "3"),
        ("score", "-c", "a.npz", "a.txt"),
        ("info", "a.npz"),
        ("visualize-neurons", "--unit", "L0:0"),
        ("train", "a.txt", "--resume", "--epochs", "9"),
        ("train", "a.txt", "-o", "b.npz", "--init-from", "a.npz"),
    ):
        message = refuse_with_notice(*command)
        assert "a.npz is not a charrnn checkpoint, or it is damaged (weights has numb" in message


def refuse_with_notice(*command: str) -> str:
    """The last line of standard error, after a notice of which model is used."""
    outcome = call(*command)
    assert outcome.code == 1
    assert outcome.output == b""
    assert len(outcome.lines) <= 2
    return outcome.lines[-1]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"version": 2}, "was written by a newer charrnn (format 2, this one reads up to 1): upgr"),
        ({"version": 0}, "is not a charrnn checkpoint, or it is damaged (format version 0)"),
        ({"version": "1"}, "is not a charrnn checkpoint, or it is damaged (format version '1')"),
        ({"format": "another"}, "is not a charrnn checkpoint"),
        ({"vocabulary": {"kind": "characters", "symbols": [1, 2]}}, "does not fit the network"),
        ({"training": []}, "is damaged"),
    ],
)
def test_a_checkpoint_of_another_format(
    model: Path, changes: dict[str, Any], expected: str
) -> None:
    rewrite(model, **changes)
    for command in (("sample", "-c", model), ("train", "a.txt", "--resume", "--epochs", "9")):
        message = refuse(*command)
        assert message.startswith("a.npz ")
        assert expected in message


def test_a_checkpoint_of_another_network(model: Path) -> None:
    rewrite(model, network=header(model)["network"] | {"hidden_size": 9})
    assert "weights has the shape (1231,)" in refuse("sample", "-c", model)


def test_a_missing_checkpoint() -> None:
    assert refuse("sample", "-c", "no.npz") == "cannot read no.npz: No such file or directory"
    assert "is a directory" in usage_error("sample", "-c", ".")


# Places


def test_an_output_in_a_folder_that_is_not_there() -> None:
    for output, folder in (("models/a.npz", "models"), ("a.txt/a.npz", "a.txt")):
        message = refuse("train", "a.txt", "-o", output, *SMALL)
        assert message == f"the folder {folder} for the checkpoint does not exist: make it"


def test_an_output_that_is_a_folder() -> None:
    Path("models").mkdir()
    for flags in ((), ("--force",)):
        assert "is a directory" in usage_error("train", "a.txt", "-o", "models", *flags)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
def test_an_output_that_is_a_device_or_pipe() -> None:
    os.mkfifo("pipe")
    for flag in ("--force", "--resume"):
        message = refuse("train", "a.txt", "-o", "pipe", flag, *SMALL)
        assert message == "pipe is not a regular file: name another --output"
    assert Path("pipe").is_fifo()


def test_an_output_where_nothing_can_be_written() -> None:
    if os.geteuid() != 0:
        Path("closed").mkdir(mode=0o555)
        output = "closed/a.npz"
    elif Path("/proc/self").exists():
        output = "/proc/charrnn.npz"  # not even root may write there
    else:
        pytest.skip("no place where this user cannot write")
    message = refuse("train", "a.txt", "-o", output, "-q", "--minutes", "100")
    assert message.startswith(f"cannot write the checkpoint {output}: ")
    assert message.endswith("make room, or name another place with --output")


def test_a_log_that_cannot_be_written() -> None:
    for log in ("no/log", "a.txt/log"):
        message = refuse("train", "a.txt", "-q", "--log", log, *SMALL)
        assert message.startswith(f"cannot write the log {log}: ")
    assert "is a directory" in usage_error("train", "a.txt", "--log", ".")


def test_a_prime_file_that_cannot_be_read(model: Path) -> None:
    message = refuse("sample", "-c", model, "--prime-file", "no.txt")
    assert message == "no.txt does not exist: check the name of the file"
    assert "is a directory" in usage_error("sample", "-c", str(model), "--prime-file", ".")


# A loss that is no longer a number

FAR_TOO_FAST = ("--learning-rate", "1e38", "--clip", "0")


def test_a_training_that_explodes_stops_and_says_what_to_lower() -> None:
    outcome = run("train", "a.txt", *SMALL, "--epochs", "20", "-q", *FAR_TOO_FAST)
    assert outcome.code == 1
    message = only_line(outcome.errors)
    assert " no longer " in message or "the loss has risen to " in message
    assert " after step " in message
    assert ", although the rate was halved 5 times" in message
    assert "; a.npz holds the last good state; " in message
    assert message.endswith("lower --learning-rate (now 1e+38) or set a --clip (now none)")
    assert is_sample(succeed("sample", "-n", "10").text, 10)


@pytest.mark.parametrize(
    ("rate", "epochs"),
    [
        ("1e38", "0.4"),
        ("1e38", "3"),
        ("1e39", "3"),
        ("1e300", "3"),
        ("1e39", "0.4"),
        ("1e39", "1"),
        ("1e300", "0.4"),
    ],
)
def test_what_an_exploded_training_has_saved_can_be_used(rate: str, epochs: str) -> None:
    options = ("--epochs", epochs, "--learning-rate", rate, "--clip", "0", "-q")
    outcome = call("train", "a.txt", *SMALL, *options)
    assert outcome.code == 1
    assert "a.npz holds the last good state" in only_line(outcome.errors)
    assert is_sample(succeed("sample", "-n", "10").text, 10)
    assert sorted(contents(Path())) == ["a.npz", "a.txt"]


def test_an_exploded_training_keeps_what_was_learned_before() -> None:
    succeed("train", "a.txt", *SMALL, "--epochs", "2", "-q")
    good = succeed("sample", "-n", "50", "-t", "0").text
    step = saved_step("a.npz")
    outcome = call("train", "a.txt", "--resume", "--epochs", "4", "-q", *FAR_TOO_FAST)
    assert outcome.code == 1
    assert ", although the rate was halved 5 times" in only_line(outcome.errors)
    assert saved_step("a.npz") >= step
    assert succeed("sample", "-n", "50", "-t", "0").text == good, "the best weights are kept"
