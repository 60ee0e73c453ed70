"""How large a network, how much dropout and weight decay suit a text and the time that there is.

Rules of thumb from the runs in `docs/recipe.md`: a large network pays once it can read many more
characters than it has weights, in a text that is not too small for it; dropout and weight decay
once it reads the same text again and again.
"""

from dataclasses import dataclass

from charrnn.nn.network import NetworkConfig
from charrnn.options import (
    DEFAULT_CELL,
    DEFAULT_EPOCHS,
    DEFAULT_HIDDEN_SIZE,
    DEFAULT_LAYERS,
    DEFAULT_MINUTES,
    TrainingOptions,
)
from charrnn.text.corpus import Corpus

OPERATIONS = 1.0e11
"""Floating-point operations a second that a thread is taken to make in training."""
OPERATIONS_A_WEIGHT = 6
"""For each character: a multiplication and an addition forward, and two of each backward."""
LARGE_HIDDEN_SIZE = 512
"""Units in a layer of the large network."""
CHARACTERS_A_WEIGHT = 5.0
"""The large network needs time to read this many characters for each of its weights."""
LENGTH_A_WEIGHT = 0.5
"""The large network needs a text of this many characters for each of its weights."""


@dataclass(frozen=True)
class Regularisation:
    """What keeps a network from learning a text by heart."""

    dropout: float
    weight_decay: float = 0.0
    recurrent_dropout: float = 0.0


BY_EPOCHS = (
    (3.0, Regularisation(0.0)),
    (8.0, Regularisation(0.1)),
    (20.0, Regularisation(0.3, 0.1)),
    (float("inf"), Regularisation(0.3, 0.1, 0.1)),
)
"""The largest number of epochs, and what suits it in a network of the usual size."""
BY_EPOCHS_OF_LARGE = (
    (3.0, Regularisation(0.0)),
    (8.0, Regularisation(0.2)),
    (float("inf"), Regularisation(0.5, 0.1, 0.2)),
)


@dataclass(frozen=True)
class Size:
    hidden_size: int
    layers: int
    dropout: float
    weight_decay: float
    recurrent_dropout: float


def _suits(
    weights: int, characters: int, *, minutes: float | None, epochs: float | None, threads: int
) -> bool:
    """Whether a network of so many weights suits a text of so many characters in that time: never
    without `minutes`."""
    if minutes is None:
        return False
    read = speed(weights, threads) * 60 * minutes
    if epochs is not None:
        read = min(read, epochs * characters)
    return read >= CHARACTERS_A_WEIGHT * weights and characters >= LENGTH_A_WEIGHT * weights


def choose(
    characters: int,
    vocabulary_size: int,
    *,
    minutes: float | None,
    epochs: float | None,
    threads: int,
    cell: str = DEFAULT_CELL,
    hidden_size: int | None = None,
    layers: int | None = None,
    dropout: float | None = None,
    weight_decay: float | None = None,
    recurrent_dropout: float | None = None,
) -> Size:
    """The sizes and regularisation that suit a training, where they are not given (None).

    Without `minutes` time is no limit, and the size is the usual one.
    """
    layers = DEFAULT_LAYERS if layers is None else layers
    if hidden_size is None:
        large = NetworkConfig(vocabulary_size, LARGE_HIDDEN_SIZE, layers, cell).size
        is_large = _suits(large, characters, minutes=minutes, epochs=epochs, threads=threads)
        hidden_size = LARGE_HIDDEN_SIZE if is_large else DEFAULT_HIDDEN_SIZE
    size = NetworkConfig(vocabulary_size, hidden_size, layers, cell).size
    by_epochs = float("inf") if epochs is None else epochs
    by_time = float("inf")
    if minutes is not None:
        by_time = speed(size, threads) * 60 * minutes / characters
    read_again = min(by_epochs, by_time)
    table = BY_EPOCHS_OF_LARGE if hidden_size >= LARGE_HIDDEN_SIZE else BY_EPOCHS
    usual = next(usual for most, usual in table if read_again <= most)
    return Size(
        hidden_size,
        layers,
        usual.dropout if dropout is None else dropout,
        usual.weight_decay if weight_decay is None else weight_decay,
        usual.recurrent_dropout if recurrent_dropout is None else recurrent_dropout,
    )


def for_training(
    corpus: Corpus,
    options: TrainingOptions,
    *,
    cell: str,
    hidden_size: int | None,
    layers: int | None,
    dropout: float | None,
    weight_decay: float | None,
    recurrent_dropout: float | None,
) -> Size:
    """The same for a corpus and its options, in which those that may be chosen have no say."""
    train, _, _ = corpus.split(options.validation_fraction, options.test_fraction)
    timed = options.minutes is not None or options.epochs is None
    return choose(
        len(train),
        corpus.vocabulary.size,
        minutes=(options.minutes or DEFAULT_MINUTES) if timed else None,
        epochs=options.epochs if options.epochs or options.minutes else DEFAULT_EPOCHS,
        threads=options.threads,
        cell=cell,
        hidden_size=hidden_size,
        layers=layers,
        dropout=dropout,
        weight_decay=weight_decay,
        recurrent_dropout=recurrent_dropout,
    )


def speed(weights: int, threads: int) -> float:
    """An estimate of the characters a second that a network of this size learns from."""
    return OPERATIONS * threads / (OPERATIONS_A_WEIGHT * weights)
