"""The package as a library: what it offers, and training from another program."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import charrnn
from charrnn import api
from charrnn.checkpoints.format import read_checkpoint
from charrnn.errors import CharRNNError, CheckpointError, CorpusError, OptionError
from charrnn.model import Model
from charrnn.options import DEFAULT_MINUTES, DEFAULT_STEPS, NETWORK_OPTIONS, TrainingOptions
from charrnn.training import plan
from charrnn.training.events import Event, Finished, Measuring, Report, Saved, Step
from charrnn.training.trainer import Trainer
from helpers import STEPS, TEXT, finish, start

SMALL: dict[str, Any] = {
    "hidden_size": 8,
    "layers": 1,
    "batch_size": 4,
    "seq_length": 8,
    "epochs": 2.3,
    "threads": 1,
}


class Stop(Exception):
    pass


# --- training


def test_text_bytes_and_files_are_learned(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    from_text, from_file, from_folder, from_bytes = (
        charrnn.train(source, **SMALL) for source in (TEXT, path, tmp_path, TEXT.encode())
    )
    weights = from_text.network.parameters.flat
    for model in (from_file, from_folder, from_bytes):
        # ASCII has the same symbols either way
        np.testing.assert_array_equal(model.network.parameters.flat, weights)
    assert from_bytes.vocabulary.is_bytes
    assert from_file.vocabulary == from_folder.vocabulary == from_text.vocabulary
    assert not from_text.vocabulary.is_bytes


def test_a_str_is_the_text_and_no_file_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hello.txt").write_text(TEXT)
    with pytest.warns(UserWarning, match="learned as a text, although there is a file"):
        model = charrnn.train("hello.txt", **SMALL)
    assert set(map(chr, model.vocabulary.symbols)) == set("hello.txt")


def test_the_model_can_write_at_once() -> None:
    model = charrnn.train("hello " * 40, **SMALL | {"hidden_size": 16, "epochs": 60})
    assert isinstance(model, Model)
    assert model.sample(12, temperature=0, prime="hello ") == "hello hello "


def test_without_output_no_file_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    charrnn.train(TEXT, **SMALL)
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("kind", [Path, str])
def test_an_output_holds_the_model(tmp_path: Path, kind: Any) -> None:
    path = tmp_path / "a.npz"
    model = charrnn.train(TEXT, kind(path), **SMALL)
    saved = charrnn.load(path)
    np.testing.assert_array_equal(saved.network.parameters.flat, model.network.parameters.flat)
    assert saved.vocabulary == model.vocabulary
    assert saved.sample(50, seed=1) == model.sample(50, seed=1)
    assert read_checkpoint(path).training["step"] == STEPS


def test_an_output_that_exists_is_not_overwritten_without_a_word(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_text("something else")
    with pytest.raises(CheckpointError, match=r"`resume`.*`overwrite`"):
        charrnn.train(TEXT, path, **SMALL)
    assert path.read_text() == "something else"
    charrnn.train(TEXT, path, overwrite=True, **SMALL)
    assert charrnn.load(path).vocabulary.size > 1


def test_a_training_is_resumed(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole.npz", tmp_path / "parts.npz"
    charrnn.train(TEXT, whole, **SMALL)

    def stop(event: Event) -> None:
        if type(event) is Step and event.step == 7:
            raise Stop

    with pytest.raises(Stop):
        charrnn.train(TEXT, parts, on_event=stop, **SMALL)
    charrnn.train(TEXT, parts, resume=True)
    np.testing.assert_array_equal(
        read_checkpoint(whole).arrays["last"], read_checkpoint(parts).arrays["last"]
    )
    with pytest.raises(OptionError, match="used up its budget"):
        charrnn.train(TEXT, parts, resume=True)


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        (None, {}, "`resume` needs an `output`"),
        ("a.npz", {"overwrite": True}, "`resume` goes on .* `overwrite` begins one"),
        ("a.npz", {"init_from": "b.npz"}, "`resume` goes on .* `init_from` begins one"),
    ],
)
def test_what_does_not_go_with_resume(
    output: str | None, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        charrnn.train(TEXT, output, resume=True, **options)


def test_several_files_in_an_encoding(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "one.txt").write_text(TEXT + "é", encoding="latin-1")
    (folder / "two.txt").write_text("ö" + TEXT, encoding="latin-1")
    model = charrnn.train([tmp_path / "one.txt", str(folder)], encoding="latin-1", **SMALL)
    assert {"é", "ö"} <= set(map(chr, model.vocabulary.symbols))
    raw = charrnn.train([tmp_path / "one.txt", folder], as_bytes=True, **SMALL)
    assert raw.vocabulary.is_bytes


def test_the_model_has_the_best_weights(tmp_path: Path) -> None:
    # learned by heart, the front of the text makes its end less likely
    text = "hello world " * 40 + "dlrow olleh " * 5
    path = tmp_path / "a.npz"
    model = charrnn.train(text, path, **SMALL | {"epochs": 5, "learning_rate": 0.03})
    checkpoint = read_checkpoint(path)
    np.testing.assert_array_equal(model.network.parameters.flat, checkpoint.weights)
    assert (checkpoint.weights != checkpoint.arrays["last"]).any()


def test_every_event_is_seen(tmp_path: Path) -> None:
    path, seen = tmp_path / "a.npz", list[Event]()
    charrnn.train(TEXT, path, on_event=seen.append, **SMALL)
    assert {type(event) for event in seen} == {Step, Report, Saved, Measuring, Finished}
    assert [event.step for event in seen if type(event) is Step] == list(range(1, STEPS + 1))
    finished = seen[-1]
    assert isinstance(finished, Finished)
    assert (finished.step, finished.stopped, finished.path) == (STEPS, False, path)
    assert finished.validation_loss is not None


def test_an_error_of_the_watcher_ends_the_training(tmp_path: Path) -> None:
    def fail(event: Event) -> None:
        if isinstance(event, Step) and event.step == 5:
            raise ZeroDivisionError

    path = tmp_path / "a.npz"
    with pytest.raises(ZeroDivisionError):
        charrnn.train(TEXT, path, on_event=fail, **SMALL)
    assert read_checkpoint(path).training["step"] < 5


def options_of(monkeypatch: pytest.MonkeyPatch, **options: Any) -> dict[str, Any]:
    """The network and the options of the training that is started."""
    started: dict[str, Any] = {}

    def catch(trainer: Trainer) -> None:
        config = trainer.plan.network.config
        network = {name: getattr(config, name) for name in NETWORK_OPTIONS}
        started.update(trainer.options.to_json() | network)
        raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "run", catch)
        with pytest.raises(Stop):
            charrnn.train(TEXT, **options)
    return started


def test_every_option_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "cell": "gru",
        "hidden_size": 9,
        "layers": 3,
        "batch_size": 5,
        "seq_length": 7,
        "epochs": 1.5,
        "minutes": 2.5,
        "optimizer": "lion",
        "learning_rate": 0.02,
        "beta1": 0.8,
        "schedule": "step",
        "weight_decay": 0.2,
        "clip_value": 0.7,
        "clip": 0.3,
        "dropout": 0.4,
        "recurrent_dropout": 0.3,
        "patience": 9,
        "keep": 8,
        "keep_at": (2, 5),
        "validation_fraction": 0.2,
        "test_fraction": 0.1,
        "seed": 11,
        "threads": 2,
    }
    of_ranks = {"sync_every": 1, "compress": False}  # which the command line alone can start
    assert options_of(monkeypatch, output=tmp_path / "a.npz", **given) == given | of_ranks


def test_the_defaults_are_those_of_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "usable_threads", lambda: 3)
    found = options_of(monkeypatch)
    # the text is short: eight streams, and at least 2,000 steps
    budget = {"minutes": DEFAULT_MINUTES, "epochs": DEFAULT_STEPS}
    expected = TrainingOptions(threads=3).to_json() | budget
    assert found == expected | {
        "cell": "lstm",
        "hidden_size": 256,
        "layers": 2,
        "dropout": 0.3,
        "weight_decay": 0.1,
        "recurrent_dropout": 0.1,
    }


@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        (("",), {}, CorpusError),
        (("aaaa",), {}, CorpusError),
        ((Path("there/is/no.txt"),), {}, CorpusError),
        ((TEXT + "é",), {"as_bytes": True, "encoding": "ascii"}, CorpusError),
        ((TEXT,), {"as_bytes": True, "encoding": "there is none"}, CorpusError),
        ((TEXT,), {"epochs": -1}, OptionError),
        ((TEXT,), {"hidden_size": 0}, OptionError),
        ((TEXT,), {"threads": 0}, OptionError),
        ((TEXT, Path("there/is/no/a.npz")), {}, CheckpointError),
    ],
)
def test_what_can_go_wrong_is_a_charrnn_error(
    arguments: Any, options: dict[str, Any], error: type[CharRNNError]
) -> None:
    with pytest.raises(error) as raised:
        charrnn.train(*arguments, **SMALL | options)
    assert isinstance(raised.value, charrnn.CharRNNError)
    assert str(raised.value).isprintable()


def test_it_is_the_training_of_the_trainer() -> None:
    trainer = start(epochs=1, validation_fraction=0)
    finish(trainer)
    model = charrnn.train(TEXT, **SMALL | {"epochs": 1, "validation_fraction": 0})
    np.testing.assert_array_equal(model.network.parameters.flat, trainer.network.parameters.flat)


# --- the package


def test_everything_that_is_offered_is_there() -> None:
    for name in charrnn.__all__:
        assert getattr(charrnn, name) is not None
    assert charrnn.train is api.train
    assert charrnn.Model is Model
    assert charrnn.CharRNNError is CharRNNError


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'charrnn' has no attribute 'trian'"):
        charrnn.trian  # noqa: B018  # looking it up is the test
    assert not hasattr(charrnn, "sampel")


def test_the_import_loads_nothing_that_takes_time() -> None:
    code = (
        "import sys, charrnn; print(sorted({'numpy', 'click', 'rich', 'tqdm'} & set(sys.modules)));"
        "charrnn.load; print('numpy' in sys.modules, 'click' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\nTrue False\n"
    assert done.stderr == ""
