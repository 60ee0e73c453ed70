"""The network, and options of its training, by text and time."""

import pytest

from charrnn.nn.network import NetworkConfig
from charrnn.options import DEFAULT_EPOCHS, DEFAULT_MINUTES, TrainingOptions
from charrnn.text.corpus import Corpus
from charrnn.training.sizing import (
    CHARACTERS_A_WEIGHT,
    FEW_STEPS,
    LENGTH_A_WEIGHT,
    Reading,
    Size,
    choose,
    speed,
)


def size(
    characters: int, minutes: float | None, epochs: float | None = None, **given: object
) -> Size:
    """What is chosen on two threads for a text of 65 different characters."""
    return choose(Reading(characters, 65, minutes, epochs, threads=2), given)


def test_a_larger_network_needs_more_time() -> None:
    assert size(10**6, 3).hidden_size == size(10**6, 10).hidden_size == 256
    assert size(10**7, 120).hidden_size == 512
    assert {size(10**6, minutes).layers for minutes in (3, 10, 1000)} == {2}


def test_one_wide_layer_suits_a_multiplicative_cell() -> None:
    def wide(*text: float, **given: object) -> tuple[int, int]:
        found = size(*text, cell="lstm-multiplicative", **given)  # type: ignore[arg-type]
        return found.layers, found.hidden_size

    assert wide(10**6, 10) == (1, 448)
    assert wide(10**7, 120) == (1, 768)
    assert wide(10**7, 120, layers=2) == (2, 512)
    assert wide(10**6, 10, layers=2) == (2, 256)
    assert wide(10**6, 10, hidden_size=77) == (1, 77)


def test_a_run_of_few_steps_has_shorter_windows() -> None:
    steps = 64 * 64  # symbols of a usual window
    lengths = {
        share: size(10**6, None, share * FEW_STEPS * steps / 10**6, cell="lstm").seq_length
        for share in (1.01, 0.99, 0.51, 0.49, 0.01)
    }
    assert lengths == {1.01: 64, 0.99: 32, 0.51: 32, 0.49: 16, 0.01: 16}
    assert size(1000, None, epochs=1).seq_length == 64, "shorter windows would not be more"
    assert size(10**6, 0.1).seq_length == 16
    in_eight_streams = Reading(10**6, 65, minutes=1, epochs=None, threads=2, batch_size=8)
    assert choose(in_eight_streams, {}).seq_length == 64
    assert size(10**6, 0.1, seq_length=100).seq_length == 100


@pytest.mark.parametrize(("share", "beta1"), [(1.01, 0.9), (0.99, 0.8), (0.3, 0.8)])
def test_a_run_of_few_steps_forgets_gradients_sooner(share: float, beta1: float) -> None:
    epochs = share * FEW_STEPS * 64 * 64 / 10**6
    assert size(10**6, None, epochs, layers=2).beta1 == beta1
    assert size(10**6, None, epochs, layers=2, seq_length=7).beta1 == beta1
    assert size(10**6, None, epochs, beta1=0.7).beta1 == 0.7


def test_a_run_of_few_steps_has_a_multiplicative_cell() -> None:
    few = size(2 * 10**6, None, 1.0)
    assert (few.cell, few.hidden_size, few.layers) == ("lstm-multiplicative", 448, 1)
    assert size(10**6, 1).cell == "lstm-multiplicative"
    others = [
        size(2 * 10**6, None, 2.5),  # more steps
        size(10**6, None, 3.5),  # more epochs
        size(9 * 10**5, None, 1.0),  # a text too small for its size
        size(2 * 10**6, None, 1.0, hidden_size=448),
        size(2 * 10**6, None, 1.0, layers=1),
        size(2 * 10**6, None, 1.0, cell="lstm"),
    ]
    assert {other.cell for other in others} == {"lstm"}
    many_symbols = Reading(2 * 10**6, 5000, None, 1.0, threads=2)
    assert choose(many_symbols, {}).cell == "lstm", "its weights are more than the characters"


def test_a_large_vocabulary_is_looked_up_and_costs_no_steps() -> None:
    few, many = (choose(Reading(10**6, symbols, 10, None, threads=2), {}) for symbols in (65, 5000))
    assert few.seq_length == many.seq_length == 64


@pytest.mark.parametrize("epochs", [1, 4, 100])
def test_a_wide_layer_needs_more_against_overfitting(epochs: float) -> None:
    wide = size(10**6, None, epochs, cell="lstm-multiplicative")
    rates = wide.dropout, wide.weight_decay, wide.recurrent_dropout
    assert rates == ((0, 0, 0) if epochs == 1 else (0.4, 0.1, 0.25))
    small = size(10**6, None, epochs, cell="lstm-multiplicative", hidden_size=64)
    of_lstm = size(10**6, None, epochs, hidden_size=64)
    assert small.dropout == of_lstm.dropout
    assert small.recurrent_dropout == of_lstm.recurrent_dropout


def test_it_can_read_so_many_times_its_weights() -> None:
    weights = NetworkConfig(65, 512, 2).size
    minutes = CHARACTERS_A_WEIGHT * weights / speed(weights, 2) / 60
    assert size(10**9, minutes * 0.99).hidden_size == 256
    assert size(10**9, minutes * 1.01).hidden_size == 512


def test_a_small_text_suits_no_large_network() -> None:
    weights = NetworkConfig(65, 512, 2).size
    assert size(int(LENGTH_A_WEIGHT * weights * 0.99), 1000).hidden_size == 256
    assert size(int(LENGTH_A_WEIGHT * weights * 1.01), 1000).hidden_size == 512


def test_what_is_not_read_does_not_count() -> None:
    assert size(10**6, 1e6, epochs=5).hidden_size == 256
    assert size(10**6, None, epochs=500).hidden_size == 256, "without minutes the usual size"


def test_dropout_grows_with_the_times_that_a_text_is_read() -> None:
    rates = [size(characters, 10).dropout for characters in (10**8, 4 * 10**6, 10**6, 10**5)]
    assert rates == sorted(rates)
    assert rates[0] == 0 < rates[1] < rates[2]
    assert size(10**5, 10, epochs=1).dropout == 0
    decays = [size(characters, 10).weight_decay for characters in (10**8, 4 * 10**6, 10**5)]
    assert decays == [0, 0, 0.1]
    of_weights = [size(10**6, None, epochs).recurrent_dropout for epochs in (1, 10, 20, 21, 99)]
    assert of_weights == [0, 0, 0, 0.1, 0.1]
    for name in ("dropout", "recurrent_dropout"):
        large, usual = (getattr(size(10**6, 120, hidden_size=H), name) for H in (512, 256))
        assert large > usual > 0


@pytest.mark.parametrize(
    "given",
    [
        {"hidden_size": 77},
        {"layers": 3},
        {"dropout": 0.37},
        {"weight_decay": 0.02},
        {"recurrent_dropout": 0.07},
        {"cell": "gru"},
        {"seq_length": 33},
        {"beta1": 0.5},
    ],
)
def test_what_is_given_is_taken(given: dict[str, object]) -> None:
    for minutes in (1, 100):
        found = size(10**6, minutes, **given)  # type: ignore[arg-type]
        ((name, value),) = given.items()
        assert getattr(found, name) == value


@pytest.mark.parametrize(
    ("given", "minutes", "epochs"),
    [
        ({}, DEFAULT_MINUTES, DEFAULT_EPOCHS),
        ({"minutes": 60.0}, 60.0, None),
        ({"epochs": 3.0}, None, 3.0),
        ({"minutes": 60.0, "epochs": 3.0}, 60.0, 3.0),
    ],
)
def test_the_time_of_a_training(
    given: dict[str, float], minutes: float | None, epochs: float | None
) -> None:
    corpus = Corpus.from_text("abcdefghij" * 30_000)
    options = TrainingOptions(**given, validation_fraction=0.2, threads=2)  # type: ignore[arg-type]
    assert Reading.of(corpus, options) == Reading(240_000, 10, minutes, epochs, threads=2)
