"""A model as a library user holds it: text in, text out."""

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import charrnn
from charrnn.errors import CheckpointError, OptionError, UnknownSymbolError
from charrnn.model import Model, load, model_of
from charrnn.nn.network import NetworkConfig
from charrnn.sampling.sampler import Sampler
from charrnn.text.vocabulary import Vocabulary
from helpers import start, stop_after
from reference import random_network


def example(symbols: str | bytes = "\n abcé") -> Model:
    points = list(symbols) if isinstance(symbols, bytes) else [ord(symbol) for symbol in symbols]
    vocabulary = Vocabulary(np.array(points, np.uint32), is_bytes=isinstance(symbols, bytes))
    config = NetworkConfig(vocabulary.size, hidden_size=16, layers=2)
    network = random_network(np.random.default_rng(92), config, np.float32)
    network.parameters["U0"][:] *= 3  # so that what was read makes a difference
    network.parameters["V"][:, -1] = 0
    return Model(network, vocabulary)


def blas_threads() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def first_characters(model: Model, prime: str = "") -> str:
    """Of 200 texts: enough to tell what the network has read from what it has not."""
    return "".join(model.sample(1, seed=seed, prime=prime) for seed in range(200))


# --- sampling


def test_a_sample_has_the_length_that_was_asked_for() -> None:
    model = example()
    for length in (0, 1, 20):
        assert len(model.sample(length, seed=1)) == length
    assert len(model.sample()) == 500
    assert set(model.sample(200, seed=1)) <= set("\n abcé")


def test_the_same_seed_writes_the_same() -> None:
    model = example()
    assert model.sample(50, seed=1) == model.sample(50, seed=1)
    assert model.sample(50, seed=1) != model.sample(50, seed=2)
    assert model.sample(50) != model.sample(50), "without a seed it is another text each time"


@pytest.mark.parametrize("temperature", [0, 0.5, 1.0])
def test_a_stream_is_the_sample_character_by_character(temperature: float) -> None:
    model = example()
    pieces = list(model.stream(60, temperature=temperature, seed=3, prime="abc"))
    assert {len(piece) for piece in pieces} == {1}
    assert "".join(pieces) == model.sample(60, temperature=temperature, seed=3, prime="abc")


def test_a_stream_without_length_never_ends() -> None:
    model = example()
    endless = model.stream(seed=3)
    assert "".join(itertools.islice(endless, 700)) == model.sample(700, seed=3)


def test_temperature_0_leaves_nothing_to_chance() -> None:
    model = example()
    assert len({model.sample(50, temperature=0, seed=seed) for seed in (1, 2, None)}) == 1


def test_a_text_goes_on_from_its_prime() -> None:
    model = example()
    whole = model.sample(30, temperature=0, prime="ab")
    begun, rest = whole[:10], whole[10:]
    assert model.sample(20, temperature=0, prime="ab" + begun) == rest


def test_a_prime_makes_a_difference() -> None:
    model = example()
    primes = ("", "a", "aa", "b", "ab")
    assert len({first_characters(model, prime) for prime in primes}) == len(primes)


def test_without_a_prime_a_text_begins_as_after_a_line_end() -> None:
    for model in (example(), example(b"\n abc")):
        assert first_characters(model) == first_characters(model, "\n")
        assert first_characters(model) != first_characters(model, "\n\n")


def test_a_model_without_line_ends_begins_with_nothing() -> None:
    model = example("abc")
    text = model.sample(40, temperature=0)
    sampler = Sampler(model.network)
    best = sampler.probabilities[:, 0].argmax()
    assert text[0] == "abc"[best]


def test_samples_side_by_side() -> None:
    model = example()
    rows = list(model.sample_ids(30, seed=5, samples=4))
    assert {row.shape for row in rows} == {(4,)}
    texts = [model.vocabulary.decode(column) for column in np.array(rows).T]
    assert len(set(texts)) == 4
    again = np.array(list(model.sample_ids(30, seed=5, samples=4)))
    np.testing.assert_array_equal(rows, again)


def test_one_sample_is_the_text() -> None:
    model = example()
    ids = np.array(list(model.sample_ids(30, seed=5)))
    assert model.vocabulary.decode(ids[:, 0]) == model.sample(30, seed=5)


def test_sampling_leaves_the_model_as_it_is() -> None:
    model = example()
    weights = model.network.parameters.flat.copy()
    model.sample(50, seed=1)
    np.testing.assert_array_equal(model.network.parameters.flat, weights)


def test_a_stream_that_is_not_read_to_its_end_leaves_the_threads_of_numpy_alone() -> None:
    before = blas_threads()
    streams = [example().stream(seed=seed) for seed in range(3)]
    for stream in streams:
        next(stream)
    assert blas_threads() == before


# --- what makes no sense


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": -1}, "length of -1"),
        ({"temperature": -0.5}, "temperature of -0.5"),
        ({"temperature": math.nan}, "temperature of nan"),
        ({"temperature": math.inf}, "temperature of inf"),
        ({"seed": -1}, "seed of -1"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    model = example()
    calls: list[Any] = [model.sample, model.stream]
    calls += [model.sample_ids] if "temperature" not in options else []
    for call in calls:
        with pytest.raises(OptionError, match=f"{message} makes no sense"):
            call(**options)


@pytest.mark.parametrize("samples", [0, -3])
def test_a_number_of_samples_that_makes_no_sense(samples: int) -> None:
    with pytest.raises(OptionError, match=f"{samples} samples make no sense"):
        example().sample_ids(samples=samples)


def test_unknown_symbols_are_named() -> None:
    model = example()
    for call in (model.sample, model.stream):
        with pytest.raises(UnknownSymbolError, match="'x', 'ñ'"):
            call(5, prime="abxñba")
    with pytest.raises(UnknownSymbolError, match="0xC3"):
        example(b"ab").sample(5, prime="aé")


# --- bytes


def writing(monkeypatch: pytest.MonkeyPatch, data: bytes) -> Model:
    """A model of bytes that writes just these."""
    model = example(bytes(range(256)))
    ids = model.vocabulary.encode(data)
    monkeypatch.setattr(model, "sample_ids", lambda *_, **__: iter(ids.reshape(-1, 1)))
    return model


def test_a_model_of_bytes_writes_characters_once_they_are_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = writing(monkeypatch, "aé床🙂b".encode())
    assert list(model.stream()) == ["a", "", "é", "", "", "床", "", "", "", "🙂", "b"]
    assert writing(monkeypatch, "aé床🙂b".encode()).sample() == "aé床🙂b"


def test_bytes_that_are_no_text_become_replacement_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = b"a\xffb\xe5\xbac\xc3\x80d"
    assert writing(monkeypatch, data).sample() == data.decode("utf-8", "replace")
    assert data.decode("utf-8", "replace").count("\ufffd") == 3 - 1


def test_a_model_of_bytes_counts_bytes() -> None:
    model = example(b"a\xa9\xc3\xff")
    written = b"".join(map(model.vocabulary.decode_bytes, model.sample_ids(40, seed=1)))
    assert len(written) == 40
    assert model.sample(40, seed=1) == written.decode("utf-8", "replace")


def test_a_character_that_is_cut_off_at_the_end_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert writing(monkeypatch, "aé床".encode()[:-1]).sample() == "aé"


def test_a_prime_for_a_model_of_bytes_is_text_or_bytes() -> None:
    model = example(b"\n ab\xa9\xc3")
    assert model.sample(30, seed=1, prime="aé") == model.sample(30, seed=1, prime=b"a\xc3\xa9")


# --- step by step


def test_step_tells_the_probability_of_every_symbol() -> None:
    probabilities = example().step("a")
    assert list(probabilities) == list("\n abcé")
    assert sum(probabilities.values()) == pytest.approx(1, rel=1e-12)
    assert all(type(p) is float and p > 0 for p in probabilities.values())


def test_steps_read_like_a_prime() -> None:
    model, text = example(), "abc é\ncab"
    for symbol in text:
        probabilities = model.step(symbol)
    sampler = Sampler(model.network)
    sampler.prime(model.vocabulary.encode(text))
    assert list(probabilities.values()) == sampler.probabilities[:, 0].tolist()
    best = max(probabilities, key=lambda symbol: probabilities[symbol])
    assert model.sample(1, temperature=0, prime=text) == best


def test_reset_forgets_what_was_read() -> None:
    model = example()
    first = model.step("a")
    assert model.step("a") != first
    model.reset()
    assert model.step("a") == first
    model.reset()
    model.reset()
    assert model.step("a") == first


def test_samples_and_steps_do_not_disturb_each_other() -> None:
    model = example()
    model.step("a")
    expected = model.step("b")
    text = model.sample(30, seed=1)
    model.reset()
    assert model.sample(30, seed=1) == text
    model.step("a")
    model.sample(30, seed=1)
    assert model.step("b") == expected


def test_a_step_that_fails_reads_nothing() -> None:
    model = example()
    model.step("a")
    expected = model.step("b")
    model.reset()
    model.step("a")
    for symbols in ("", "ab"):
        with pytest.raises(OptionError, match=f"one symbol, not {len(symbols)}"):
            model.step(symbols)
    with pytest.raises(UnknownSymbolError, match="'x'"):
        model.step("x")
    assert model.step("b") == expected


def test_steps_of_a_model_of_bytes() -> None:
    model = example(b"\x00a\xc3\xff")
    assert list(model.step(b"\xff")) == ["\x00", "a", "\xc3", "\xff"]
    model.step("a")
    with pytest.raises(OptionError, match="not 2"):
        example(b"\xa9\xc3").step("é")


# --- from a file


def test_a_model_from_a_file_writes_as_the_trained_one(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    trainer = start(output=path, validation_fraction=0)
    stop_after(trainer, 10)
    expected = Model(trainer.network, trainer.corpus.vocabulary).sample(50, seed=1)
    for model in (load(path), load(str(path)), charrnn.load(path)):
        assert isinstance(model, Model)
        assert model.sample(50, seed=1) == expected
        assert model.vocabulary == trainer.corpus.vocabulary


def test_a_model_of_a_checkpoint_has_its_best_weights(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    stop_after(start(output=path), 20)
    checkpoint = charrnn.checkpoints.format.read_checkpoint(path)
    assert (checkpoint.weights != checkpoint.arrays["last"]).any(), "the example proves nothing"
    model = model_of(checkpoint)
    np.testing.assert_array_equal(model.network.parameters.flat, checkpoint.weights)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot read"):
        load(tmp_path / "a.npz")


# --- what is chosen, and where it ends


def test_rules_of_the_choice() -> None:
    model = example()
    free = model.sample(60, seed=1)
    assert model.sample(60, seed=1, top_k=1) == model.sample(60, temperature=0)
    letters = sorted(set(free))
    assert letters[0] not in model.sample(60, seed=1, suppress=letters[0])
    assert set(model.sample(60, seed=1, allow="".join(letters[:2]))) <= set(letters[:2])
    with pytest.raises(OptionError, match="no character is left to write"):
        model.sample(5, allow="")


def test_a_text_ends_before_a_stop() -> None:
    model = example()
    free = model.sample(200, seed=1)
    stop = free[40:43]
    assert model.sample(200, seed=1, stop=[stop]) == free.partition(stop)[0]
    assert model.sample(200, seed=1, stop=["\u5b57"]) == free, "it never comes"
