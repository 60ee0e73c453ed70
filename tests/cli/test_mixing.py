"""Mixtures on the command line: `charrnn ngram`, `sample` and `score` with several models."""

import json
from pathlib import Path

import numpy as np
import pytest

from charrnn.analysis.scoring import symbol_losses
from charrnn.mixed_model import mix
from charrnn.model import load
from charrnn.ngram.model import NgramModel
from cli_helpers import SMALL, TEXT, refuse, succeed, usage_error, write

HELD_OUT = TEXT[-102:]


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two models of a text, and one of another text, in the current folder."""
    monkeypatch.chdir(tmp_path)
    write("a.txt", TEXT)
    write("b.txt", TEXT[::-1] + "\u5b57")
    write("new.txt", TEXT[200:300].replace("line", "text"))
    succeed("train", "b.txt", *SMALL, "--epochs", "1", "-q")
    succeed("train", "a.txt", "-o", "other.npz", *SMALL, "--epochs", "6", "--seed", "2", "-q")
    succeed("train", "a.txt", *SMALL, "--epochs", "6", "-q")


def nats(*options: str) -> float:
    (record,) = json.loads(succeed("score", "--json", *options).text)["models"]
    return float(record["nats"])


def test_an_ngram_file() -> None:
    outcome = succeed("ngram")
    assert outcome.lines[0] == "charrnn: counting for a.npz"
    assert "of 922 characters, the training part of the text of a.npz" in outcome.lines[1]
    assert "exists: overwrite it with --force, or name another --output" in refuse(
        "ngram", "-c", "a.npz"
    )
    whole = succeed("ngram", "a.txt", "-o", "c.npz", "--order", "3").lines[-1]
    assert "up to order 3 of 922 characters" in whole, "the held-out part is not counted"
    assert "of 100 characters, new.txt" in succeed("ngram", "new.txt", "--force").lines[-1]
    assert "--order must be at least 1" in refuse(
        "ngram", "-c", "a.npz", "-o", "d.npz", "--order", "0"
    )
    Path("a.txt").unlink()
    assert "is not found: name a TEXT" in refuse("ngram", "-c", "a.npz", "-o", "d.npz")


def test_a_score_with_fixed_weights_is_the_librarys() -> None:
    model, other = load("a.npz"), load("other.npz")
    ids = model.vocabulary.encode(Path("new.txt").read_text())
    train = model.vocabulary.encode(TEXT[:922])
    ngram = NgramModel.of(train, model.vocabulary.size)
    for mixing in ("log", "linear"):
        mixed = mix([model, other], ngram, weights=[1, 0.5, 2], mixing=mixing)
        expected = float(symbol_losses(mixed, ids).mean())
        options = ("-c", "a.npz", "-c", "other.npz=0.5", "--ngram", "a.txt=2", "--mixing", mixing)
        assert nats("new.txt", "--mix", *options) == pytest.approx(expected, rel=1e-6)


def test_an_ngram_model_helps() -> None:
    succeed("ngram")
    plain = nats("new.txt", "-c", "a.npz")
    assert nats("new.txt", "-c", "a.npz", "--ngram", "a.ngram.npz") < 0.9 * plain
    assert nats("new.txt", "-c", "a.npz", "--ngram", "a.txt") == nats(
        "new.txt", "-c", "a.npz", "--ngram", "a.ngram.npz"
    )
    assert nats("new.txt", "-c", "a.npz=0", "--ngram", "a.txt=1") > 0


def test_a_text_whose_validation_part_taught_the_weights() -> None:
    write("held_out.txt", HELD_OUT)
    outcome = succeed("score", "held_out.txt", "-c", "a.npz", "--ngram", "a.txt")
    assert "held_out.txt has a part of the validation text: the weights" in outcome.lines[-1]
    quiet = succeed("score", "new.txt", "-c", "a.npz", "--ngram", "a.txt")
    assert quiet.lines == ["charrnn: counting the training part of a.txt"]


def test_views_of_a_mixture() -> None:
    options = ("-c", "a.npz", "-c", "other.npz", "--mix")
    assert succeed("score", "new.txt", *options).text.startswith("new.txt: 100 characters\n")
    assert len(succeed("score", "new.txt", "--per-char", *options).text.splitlines()) == 100
    record = json.loads(succeed("score", "new.txt", "--json", *options).text)["models"]
    assert [model["checkpoint"] for model in record] == ["a.npz + other.npz"]
    adapted = nats("new.txt", "--dynamic", *options)
    assert adapted != nats("new.txt", *options)
    assert adapted == nats("new.txt", "--dynamic", *options), "it repeats to the bit"


def test_writing_with_a_mixture() -> None:
    options = ("-c", "a.npz", "-c", "other.npz", "--ngram", "a.txt", "--seed", "5", "-n", "60")
    one = succeed("sample", *options, "--temperature", "0.3", "--prime", "line 7")
    assert "of the text" in one.text
    many = succeed("sample", *options, "--samples", "3", "--format", "jsonl")
    records = [json.loads(line) for line in many.text.splitlines()]
    assert len({record["text"] for record in records}) == 3
    model = mix(
        [load("a.npz"), load("other.npz")],
        NgramModel.of(load("a.npz").vocabulary.encode(TEXT[:922]), load("a.npz").vocabulary.size),
        learn_from=load("a.npz").vocabulary.encode(HELD_OUT),
    )
    ids = model.vocabulary.encode(records[0]["text"])
    np.testing.assert_allclose(
        symbol_losses(model, ids), -np.array(records[0]["log_probabilities"]), atol=1e-4
    )
    lines = succeed("sample", *options, "--input-lines", given="line 1\nline 2\nline 1\n").text
    alone = succeed("sample", *options, "--input-lines", given="line 1\n").text
    assert lines.splitlines()[0] == alone.splitlines()[0]
    assert len(lines.splitlines()) == 3


def test_units_held_in_a_mixture() -> None:
    succeed("ngram")
    base = ("sample", "-c", "a.npz", "--ngram", "a.ngram.npz", "--seed", "5", "-n", "60")
    assert succeed(*base, "--clamp", "L0:1=0.9").text != succeed(*base).text
    assert "--clamp holds the units of one network, and here are several" in refuse(
        *base, "-c", "other.npz", "--clamp", "L0:1=0.9"
    )


def test_without_the_training_text() -> None:
    succeed("ngram")
    Path("a.txt").unlink()
    outcome = succeed("sample", "-c", "a.npz", "--ngram", "a.ngram.npz", "-n", "5")
    assert "is not found: all models of the mixture have the same weight" in outcome.lines[-1]
    assert nats("new.txt", "-c", "a.npz", "--ngram", "a.ngram.npz") > 0


def test_what_cannot_be_mixed() -> None:
    succeed("train", "a.txt", "--bytes", "-o", "bytes.npz", *SMALL, "--epochs", "1", "-q")
    succeed("ngram", "-c", "b.npz")
    score = ("score", "new.txt", "-c", "a.npz")
    assert "models of different vocabularies (" in refuse(*score, "-c", "b.npz", "--mix")
    assert "bytes and a model of characters" in refuse(*score, "-c", "bytes.npz", "--mix")
    assert "b.ngram.npz has the n-grams of another text (the training part of " in refuse(
        *score, "--ngram", "b.ngram.npz"
    )
    assert "a.npz is not a file of n-grams" in refuse(*score, "--ngram", "a.npz")
    assert "cannot read no.npz" in refuse(*score, "--ngram", "no.npz")
    assert "no.txt does not exist" in refuse(*score, "--ngram", "no.txt")
    assert "that the model does not know: '\u5b57'" in refuse(*score, "--ngram", "b.txt")
    assert "number of at least 0, not -1" in refuse(*score, "-c", "other.npz=-1", "--mix")
    assert "must be a finite number" in refuse(*score, "--ngram", "a.txt=nan")
    assert "must be a finite number" in refuse(*score, "-c", "other.npz=inf", "--mix")
    assert "'x' is no weight" in refuse("score", "new.txt", "-c", "a.npz=x", "--mix")
    assert "not all of them 0: 0, 0" in refuse(
        "sample", "-c", "a.npz=0", "-c", "other.npz=0", "-n", "5"
    )
    assert "the weights of models need --mix" in usage_error(
        "score", "new.txt", "-c", "a.npz=1", "-c", "other.npz=2"
    )


def test_writing_after_learning_from_the_prime() -> None:
    prime = "a quite other thing, " * 12
    options = ("-c", "a.npz", "--unknown", "skip", "--seed", "3", "-n", "40", "--prime", prime)
    outcome = succeed("sample", *options, "--dynamic", "--dynamic-rate", "0.02")
    assert outcome.text != succeed("sample", *options).text
    assert outcome.text == succeed("sample", *options, "--dynamic", "--dynamic-rate", "0.02").text
    mixed = succeed("sample", *options, "--ngram", "a.txt", "--dynamic")
    assert len(mixed.text) > 40
    Path("a.txt").unlink()
    assert (
        "is not found: its gradients do not set the learning rates"
        in (succeed("sample", *options, "--dynamic").lines[-1])
    )
    assert "--dynamic needs --prime" in usage_error("sample", "-c", "a.npz", "--dynamic")
    assert "--dynamic-rate must be above 0" in refuse(
        "sample", *options, "--dynamic", "--dynamic-rate", "0"
    )
