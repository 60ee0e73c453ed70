"""A model as a library user holds it: text in, text out."""

import itertools
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import charrnn
from charrnn.errors import CheckpointError, OptionError, UnknownSymbolError
from charrnn.model import Model, load, model_of
from charrnn.nn.network import NetworkConfig
from charrnn.sampling.filters import Filters
from charrnn.sampling.options import SamplingOptions
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
    options = SamplingOptions(length=30, seed=5)
    texts = [text.text for text in model.texts(options, samples=4)]
    assert [len(text) for text in texts] == [30] * 4
    assert len(set(texts)) == 4
    assert [text.text for text in model.texts(options, samples=4)] == texts
    joined = [""] * 4
    for piece in model.pieces(options, samples=4):
        joined[piece.number] += model.vocabulary.decode(piece.ids)
    assert joined == texts


def test_one_sample_is_the_text() -> None:
    model = example()
    (text,) = model.texts(SamplingOptions(length=30, seed=5))
    assert text.text == model.sample(30, seed=5) == model.vocabulary.decode(text.ids)


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
        ({"length": -1}, "`length` must be a whole number of at least 0, not -1"),
        ({"temperature": -0.5}, "`temperature` must be a number of at least 0, not -0.5"),
        ({"temperature": math.nan}, "`temperature` must be a number of at least 0, not nan"),
        ({"seed": -1}, "`seed` must be a whole number of at least 0, not -1"),
        ({"clamp": {(0, 99): 0.5}}, "there is no unit L0:99"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    model = example()
    calls: list[Any] = [model.sample, model.stream]
    for call in calls:  # at the call, not only when the text is read
        with pytest.raises(OptionError, match=re.escape(message)):
            call(**options)
    with pytest.raises(TypeError, match="temprature"):
        model.sample(5, temprature=0.5)


@pytest.mark.parametrize("samples", [0, -3])
def test_a_number_of_samples_that_makes_no_sense(samples: int) -> None:
    for call in (example().texts, example().pieces):
        with pytest.raises(OptionError, match=f"`samples` must be at least 1, not {samples}"):
            call(SamplingOptions(), samples=samples)


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
    ids = iter(model.vocabulary.encode(data).reshape(-1, 1))
    monkeypatch.setattr(Filters, "draw", lambda *_: next(ids))
    return model


def test_a_model_of_bytes_writes_characters_once_they_are_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = writing(monkeypatch, "aé床🙂b".encode())
    assert list(model.stream(11)) == ["a", "", "é", "", "", "床", "", "", "", "🙂", "b"]
    assert writing(monkeypatch, "aé床🙂b".encode()).sample(11) == "aé床🙂b"


def test_bytes_that_are_no_text_become_replacement_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = b"a\xffb\xe5\xbac\xc3\x80d"
    assert writing(monkeypatch, data).sample(len(data)) == data.decode("utf-8", "replace")
    assert data.decode("utf-8", "replace").count("\ufffd") == 3 - 1


def test_a_model_of_bytes_counts_bytes() -> None:
    model = example(b"a\xa9\xc3\xff")
    (text,) = model.texts(SamplingOptions(length=40, seed=1))
    written = model.vocabulary.decode_bytes(text.ids)
    assert len(written) == 40
    assert model.sample(40, seed=1) == written.decode("utf-8", "replace")


def test_a_character_that_is_cut_off_at_the_end_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert writing(monkeypatch, "aé床".encode()[:-1]).sample(5) == "aé"


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
    expected = Model(trainer.network, trainer.plan.corpus.vocabulary).sample(50, seed=1)
    for model in (load(path), load(str(path)), charrnn.load(path)):
        assert isinstance(model, Model)
        assert model.sample(50, seed=1) == expected
        assert model.vocabulary == trainer.plan.corpus.vocabulary


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


# --- several texts, with what the network says of them


def test_a_text_comes_with_its_symbols_and_their_log_probabilities() -> None:
    model = example()
    options = SamplingOptions(length=40, seed=3, temperature=0.5, stop=["é "])
    texts = model.texts(options, prime="ab", samples=6)
    assert [text.number for text in texts] == [0, 1, 2, 3, 4, 5]
    assert {len(text.text) < 40 for text in texts} == {True, False}, "some are stopped"
    for text in texts:
        assert (text.seed, text.prime) == (3, "ab")
        assert model.vocabulary.decode(text.ids) == text.text
        assert model.vocabulary.decode(text.whole_ids) == "ab" + text.text
        model.reset()
        told = [model.step(symbol) for symbol in "ab" + text.text]
        expected = [math.log(p[symbol]) for p, symbol in zip(told[1:], text.text, strict=False)]
        np.testing.assert_allclose(text.log_probabilities, expected, rtol=1e-5)


def test_without_a_seed_the_texts_name_the_one_that_writes_the_same() -> None:
    model = example()
    (text,) = model.texts(SamplingOptions(length=40))
    assert model.sample(40, seed=text.seed) == text.text


def test_lines_are_continued_one_by_one() -> None:
    model = example()
    options = SamplingOptions(length=30, seed=3)
    lines = [["a", "bc", "", "é a"][n % 4] for n in range(150)]
    texts = list(model.continue_lines(lines, options))
    assert [text.number for text in texts] == list(range(150))
    assert [text.prime for text in texts] == lines
    assert all("\n" not in text.text for text in texts)
    (alone,) = model.continue_lines([lines[77]], options, first=77)
    assert alone.text == texts[77].text
    endless = model.continue_lines(itertools.repeat("a"), options)
    assert next(endless).text == texts[0].text, "no more lines are read than needed"


def test_lines_that_do_not_fit_are_named() -> None:
    model = example()
    options = SamplingOptions(length=5, seed=1)
    with pytest.raises(UnknownSymbolError, match=r"line 2: .* 'x'"):
        list(model.continue_lines(["a", "x"], options))
    skipped = model.continue_lines(["a", "x"], options, unknown="skip")
    assert [text.prime for text in skipped] == ["a", ""]


def test_texts_without_an_end_are_refused() -> None:
    model, options = example(), SamplingOptions(length=None)
    with pytest.raises(OptionError, match="the texts would never end: give a `length`"):
        model.texts(options)
    with pytest.raises(OptionError, match="never end"):
        model.continue_lines(["a"], options)
    assert model.texts(SamplingOptions(length=None, lines=1, seed=1))[0].text.endswith("\n")


@pytest.mark.parametrize("ends", [{"lines": 2}, {"stop": ["x"]}, {"stop": ["ax"], "lines": 1}])
def test_texts_that_wait_for_a_symbol_the_model_does_not_know_are_refused(
    ends: dict[str, Any],
) -> None:
    model = example("abc")
    with pytest.raises(OptionError, match=r"would never end, .* `lines` or `stop`"):
        next(model.stream(None, **ends))
    assert len(model.sample(7, **ends)) == 7
    assert "a" not in "".join(model.stream(None, stop=["a", "x"]))


def test_no_copies_from_a_text_are_longer_than_allowed() -> None:
    pytest.importorskip("pydivsufsort", reason="the package that finds copies is not there")
    model = example()
    source = model.sample(300, seed=1)
    novelty = model.reference_text(source)
    free = model.sample(60, seed=1)
    assert free in source
    bounded = model.sample(60, seed=1, novelty=novelty, max_copy=5)
    assert not any(bounded[n : n + 6] in source for n in range(55))


# --- weights that are too large


@pytest.mark.parametrize("temperature", [0, 0.5, 1])
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_weights_that_are_too_large_are_named(temperature: float, samples: int) -> None:
    model = example()
    weights = model.network.parameters
    weights.flat[:] = np.where(weights.flat < 0, -3e38, 3e38)
    message = "the model's weights are too large: its predictions are no numbers"
    with pytest.raises(CheckpointError, match=message):
        model.texts(SamplingOptions(temperature=temperature, seed=1), samples=samples)
    with pytest.raises(CheckpointError, match=message):
        model.step("a")


def test_a_logit_of_minus_infinity_is_a_probability_of_0() -> None:
    model = example()
    model.network.parameters["V"][:] = 0
    model.network.parameters["V"][1, -1] = -np.inf
    assert set(model.sample(300, seed=1)) == set("\nabcé")
    assert set(model.sample(300, seed=1, temperature=0)) == {"\n"}
