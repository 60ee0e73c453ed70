"""`charrnn train --resume`: how a training goes on."""

import re
from pathlib import Path

import pytest

from charrnn.checkpoints.format import read_checkpoint
from cli_helpers import SMALL, TEXT, WINDOWS, call, header, refuse, saved_step, succeed, write


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.txt")


@pytest.fixture
def finished() -> Path:
    succeed("train", "a.txt", *SMALL, "--epochs", "1")
    return Path("a.npz")


@pytest.mark.usefixtures("finished")
def test_a_finished_training_is_not_resumed_without_a_larger_budget() -> None:
    for options in ((), ("--epochs", "1"), ("--epochs", "0.5")):
        message = refuse("train", "a.txt", "--resume", *options)
        assert message.startswith("this training has used up its budget (")
        assert "larger --minutes or --epochs" in message


def test_a_finished_training_goes_on_with_more_epochs(finished: Path) -> None:
    outcome = succeed("train", "a.txt", "--resume", "--epochs", "4")
    assert "resuming after step 28 (epoch 1.00)" in outcome.lines
    (line,) = [line for line in outcome.lines if "schedule" in line]
    assert re.fullmatch(
        "the learning rate follows the schedule of a run of 4 epochs, of which 25% is over: "
        r"it goes on at 0\.00\d+",
        line,
    )
    assert "training for 4 epochs; checkpoint: a.npz" in outcome.lines
    assert saved_step(finished) == 4 * WINDOWS
    history = header(finished)["training"]["history"]
    losses = [entry["validation_loss"] for entry in history if entry["validation_loss"] is not None]
    assert losses[-1] < losses[0]


def test_a_training_goes_on_with_minutes_instead_of_epochs(finished: Path) -> None:
    spent = header(finished)["training"]["seconds"] / 60
    outcome = succeed("train", "a.txt", "--resume", "--minutes", f"{spent + 0.002}")
    assert "resuming after step 28" in outcome.errors
    assert "epochs;" not in outcome.errors
    assert header(finished)["training"]["options"]["epochs"] is None
    assert saved_step(finished) > 28


@pytest.mark.usefixtures("finished")
def test_another_text_is_refused() -> None:
    write("a.txt", TEXT + "x")
    message = refuse("train", "a.txt", "--resume", "--epochs", "2")
    assert message.startswith("this training was on another text (a.txt, 1,024 characters)")
    assert "a.txt (1,025 characters)" in message
    write("a.txt", TEXT[:-1] + "!")
    assert "another text" in refuse("train", "a.txt", "--resume", "--epochs", "2")


@pytest.mark.parametrize(
    ("option", "value", "saved"),
    [
        ("--hidden-size", "9", "8"),
        ("--layers", "2", "1"),
        ("--batch-size", "5", "4"),
        ("--seq-length", "9", "8"),
        ("--validation-fraction", "0.2", "0.1"),
        ("--seed", "2", "1"),
    ],
)
@pytest.mark.usefixtures("finished")
def test_what_cannot_change_is_refused(option: str, value: str, saved: str) -> None:
    message = refuse("train", "a.txt", "--resume", "--epochs", "2", option, value)
    assert message.startswith(f"{option} {value} does not fit ")
    assert f"which has {saved}: leave the option out" in message
    succeed("train", "a.txt", "--resume", "--epochs", "2", option, saved)


def test_there_must_be_something_to_resume() -> None:
    message = refuse("train", "a.txt", "--resume")
    assert message == "there is no a.npz to resume: leave --resume out to begin it"


def test_options_left_out_keep_their_values(finished: Path) -> None:
    before = header(finished)["training"]["options"]
    succeed("train", "a.txt", "--resume", "--epochs", "2", "--learning-rate", "0.002")
    after = header(finished)["training"]["options"]
    assert after == before | {"epochs": 2, "learning_rate": 0.002}


@pytest.mark.parametrize(
    "cell", ["rnn", "lstm-peephole", "lstm-coupled", "lstm-multiplicative", "gru"]
)
def test_every_cell_trains_resumes_and_writes(cell: str) -> None:
    first = succeed("train", "a.txt", *SMALL, "--epochs", "2", "--cell", cell)
    assert f"network: 1 × 8 {cell.upper()}, " in first.errors
    again = succeed("train", "a.txt", "--resume", "--epochs", "3")
    assert f"{cell.upper()}, " in again.errors
    assert len(succeed("sample", "-n", "20", "--suppress", "\n").text) == 21


def test_a_training_goes_on_with_its_own_cell() -> None:
    succeed("train", "a.txt", *SMALL, "--epochs", "1", "--cell", "gru", "-q")
    outcome = call("train", "a.txt", "--resume", "--epochs", "2", "--cell", "lstm")
    assert outcome.code == 1
    assert "--cell lstm does not fit the checkpoint, which has gru" in outcome.errors


@pytest.mark.parametrize("optimizer", ["adamw", "rmsprop", "adagrad", "sgd", "lion"])
def test_every_optimizer_trains_and_resumes(optimizer: str) -> None:
    options = (*SMALL, "--optimizer", optimizer, "--clip-value", "0.01", "-q")
    succeed("train", "a.txt", *options, "--epochs", "2", "-o", "whole.npz")
    whole = succeed("train", "a.txt", "--resume", "--epochs", "4", "-o", "whole.npz", "-q")
    assert whole.errors == ""
    record = read_checkpoint(Path("whole.npz")).training
    assert record["options"]["optimizer"] == optimizer
    assert record["options"]["clip_value"] == 0.01
    assert (record["options"]["weight_decay"] > 0) == (optimizer == "adamw")
    refused = call(
        "train", "a.txt", "--resume", "--epochs", "5", "--optimizer", "adam", "-o", "whole.npz"
    )
    assert refused.code == 1
    assert (
        f"--optimizer adam does not fit the training to be resumed, which has {optimizer}"
        in refused.errors
    )
