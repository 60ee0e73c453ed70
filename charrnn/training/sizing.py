"""How large a network, how long windows, how much dropout and weight decay suit a text and the time
that there is.

Rules of thumb from the runs in `docs/recipe.md`: a large network pays once it can read many more
characters than it has weights, in a text that is not too small for it; dropout and weight decay
once it reads the same text again and again; shorter windows, and with them more steps, where there
would be few steps.
"""

import math
from dataclasses import dataclass, replace
from functools import partial

from charrnn.nn.cells import CELLS
from charrnn.nn.network import NetworkConfig
from charrnn.options import (
    DEFAULT_BATCH_SIZE,
    DEFAULT_CELL,
    DEFAULT_EPOCHS,
    DEFAULT_HIDDEN_SIZE,
    DEFAULT_LAYERS,
    DEFAULT_MINUTES,
    DEFAULT_SEQ_LENGTH,
    DEFAULT_STEPS,
    TrainingOptions,
)
from charrnn.text.batches import fit_shape
from charrnn.text.corpus import Corpus

OPERATIONS = 1.0e11
"""Floating-point operations a second that a thread is taken to make in training."""
OPERATIONS_A_WEIGHT = 6
"""For each character: a multiplication and an addition forward, and two of each backward."""
CHARACTERS_A_WEIGHT = 5.0
"""The large network needs time to read this many characters for each of its weights."""
FEW_STEPS = 1000
"""A run that is estimated to have fewer steps than this has windows of half the length: measured
runs gained up to 600 steps, and gained or lost between 1,000 and 2,000."""
SHORTEST_SEQ_LENGTH = 16
LENGTH_A_WEIGHT = 0.5
"""The large network needs a text of this many characters for each of its weights."""


@dataclass(frozen=True)
class Regularisation:
    """What keeps a network from learning a text by heart."""

    dropout: float
    weight_decay: float = 0.0
    recurrent_dropout: float = 0.0


ByEpochs = tuple[tuple[float, Regularisation], ...]
"""The largest number of epochs, and what suits it."""
INFINITY = float("inf")
USUAL: ByEpochs = (
    (3.0, Regularisation(0.0)),
    (8.0, Regularisation(0.1)),
    (20.0, Regularisation(0.3, 0.1)),
    (INFINITY, Regularisation(0.3, 0.1, 0.1)),
)
LARGE: ByEpochs = (
    (3.0, Regularisation(0.0)),
    (8.0, Regularisation(0.2)),
    (INFINITY, Regularisation(0.5, 0.1, 0.2)),
)
WIDE: ByEpochs = (
    (3.0, Regularisation(0.0)),
    (INFINITY, Regularisation(0.4, 0.1, 0.25)),
)


@dataclass(frozen=True)
class Shape:
    """A number of layers, and the hidden size of a usual and of a large network, with what keeps
    either of them from learning a text by heart."""

    layers: int
    usual_size: int
    large_size: int
    usual: ByEpochs
    large: ByEpochs

    def by_epochs(self, hidden_size: int) -> ByEpochs:
        """What suits a network of this size."""
        if hidden_size >= self.large_size:
            return self.large
        return self.usual if hidden_size >= self.usual_size else USUAL


STACKED = Shape(DEFAULT_LAYERS, DEFAULT_HIDDEN_SIZE, 512, USUAL, LARGE)
ONE_WIDE_LAYER = Shape(1, 448, 768, WIDE, WIDE)
"""For cells whose recurrent weights depend on the input: that tells more in the first layer, whose
input is a symbol."""


def shape_for(cell: str, layers: int | None) -> Shape:
    """The shape that suits a cell, with that number of layers if it is given."""
    is_wide = cell in CELLS and CELLS[cell].scales_h and layers in (None, ONE_WIDE_LAYER.layers)
    shape = ONE_WIDE_LAYER if is_wide else STACKED
    return shape if layers is None else replace(shape, layers=layers)


@dataclass(frozen=True)
class Size:
    hidden_size: int
    layers: int
    dropout: float
    weight_decay: float
    recurrent_dropout: float
    seq_length: int


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
    batch_size: int = DEFAULT_BATCH_SIZE,
    seq_length: int | None = None,
) -> Size:
    """The sizes and regularisation that suit a training, where they are not given (None).

    Without `minutes` time is no limit, and the size is the usual one.
    """
    shape = shape_for(cell, layers)
    if hidden_size is None:
        large = NetworkConfig(vocabulary_size, shape.large_size, shape.layers, cell).size
        is_large = _suits(large, characters, minutes=minutes, epochs=epochs, threads=threads)
        hidden_size = shape.large_size if is_large else shape.usual_size
    config = NetworkConfig(vocabulary_size, hidden_size, shape.layers, cell)
    times = partial(times_read, characters, minutes=minutes, epochs=epochs, threads=threads)
    read_again = times(config.size)
    table = shape.by_epochs(hidden_size)
    usual = next(usual for most, usual in table if read_again <= most)
    return Size(
        hidden_size,
        shape.layers,
        usual.dropout if dropout is None else dropout,
        usual.weight_decay if weight_decay is None else weight_decay,
        usual.recurrent_dropout if recurrent_dropout is None else recurrent_dropout,
        usual_seq_length(characters, batch_size, times(multiplied_weights(config)))
        if seq_length is None
        else seq_length,
    )


def times_read(
    characters: int, weights: int, *, minutes: float | None, epochs: float | None, threads: int
) -> float:
    """An estimate of how many times a network of so many weights reads a text."""
    by_epochs = INFINITY if epochs is None else epochs
    if minutes is None:
        return by_epochs
    return min(by_epochs, speed(weights, threads) * 60 * minutes / characters)


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
    seq_length: int | None,
) -> Size:
    """The same for a corpus and its options, in which those that may be chosen have no say."""
    train, _, _ = corpus.split(options.validation_fraction, options.test_fraction)
    timed = options.minutes is not None or options.epochs is None
    epochs = options.epochs
    if not (epochs or options.minutes):  # as many epochs as the least steps take, or more
        window = options.batch_size * DEFAULT_SEQ_LENGTH
        epochs = max(DEFAULT_EPOCHS, DEFAULT_STEPS * window / max(1, len(train)))
    return choose(
        len(train),
        corpus.vocabulary.size,
        minutes=(options.minutes or DEFAULT_MINUTES) if timed else None,
        epochs=epochs,
        threads=options.threads,
        cell=cell,
        hidden_size=hidden_size,
        layers=layers,
        dropout=dropout,
        weight_decay=weight_decay,
        recurrent_dropout=recurrent_dropout,
        batch_size=options.batch_size,
        seq_length=seq_length,
    )


def multiplied_weights(config: NetworkConfig) -> int:
    """All but those of the input, which are looked up: with many symbols they are the most, and
    cost no time."""
    return config.size - math.prod(config.shapes()["U0"])


def usual_seq_length(characters: int, batch_size: int, read_again: float) -> int:
    """Characters of a window for a text that is read so many times: fewer than usual where the run
    would have few training steps, as long as shorter windows give it more of them."""

    def windows(length: int) -> int:
        batch, steps = fit_shape(max(characters, 2), batch_size, length)
        return (characters - 1) // batch // steps

    length = DEFAULT_SEQ_LENGTH
    while length > SHORTEST_SEQ_LENGTH and windows(length) * read_again < FEW_STEPS:
        if windows(length // 2) <= windows(length):
            break
        length //= 2
    return length


def speed(weights: int, threads: int) -> float:
    """An estimate of the characters a second that a network of this size learns from."""
    return OPERATIONS * threads / (OPERATIONS_A_WEIGHT * weights)
