"""Which network, how long windows, how much dropout and weight decay suit a text and the time that
there is.

Rules of thumb from the runs in `docs/recipe.md`: a large network pays once it can read many more
characters than it has weights, in a text that is not too small for it; dropout and weight decay
once it reads the same text again and again. Where there would be few steps, shorter windows give
more of them, a smaller β₁ makes each follow the latest gradients, and a multiplicative cell learns
more in each.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from charrnn.nn.cells import CELLS
from charrnn.nn.network import NetworkConfig
from charrnn.options import (
    BETA1_OF_FEW_STEPS,
    CELL_OF_FEW_STEPS,
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
from charrnn.registries import BETA1
from charrnn.text.batches import fit_shape
from charrnn.text.corpus import Corpus

OPERATIONS = 1.0e11
"""Floating-point operations a second that a thread is taken to make in training."""
OPERATIONS_A_WEIGHT = 6
"""For each character: a multiplication and an addition forward, and two of each backward."""
CHARACTERS_A_WEIGHT = 5.0
"""The large network needs time to read this many characters for each of its weights."""
FEW_STEPS = 1000
"""A run that is estimated to have fewer steps than this, with windows of the usual length, has
windows of half that length, and `BETA1_OF_FEW_STEPS`: measured runs gained up to 600 steps, and
gained or lost between 1,000 and 2,000."""
SHORTEST_SEQ_LENGTH = 16
FEW_EPOCHS = 3.0
"""Up to this many epochs, one wide layer of `CELL_OF_FEW_STEPS` does not memorise a text that has
as many characters as it has weights."""
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
    """What is chosen for a training: options of the network, and of the training."""

    cell: str
    hidden_size: int
    layers: int
    dropout: float
    weight_decay: float
    recurrent_dropout: float
    seq_length: int
    beta1: float


@dataclass(frozen=True)
class Reading:
    """What a training has to read, and for how long: the limits that are not None."""

    characters: int
    vocabulary_size: int
    minutes: float | None
    epochs: float | None
    threads: int
    batch_size: int = DEFAULT_BATCH_SIZE

    @classmethod
    def of(cls, corpus: Corpus, options: TrainingOptions) -> "Reading":
        """A training on a corpus: of its options, those that limit the run count."""
        train, _, _ = corpus.split(options.validation_fraction, options.test_fraction)
        timed = options.minutes is not None or options.epochs is None
        epochs = options.epochs
        if not (epochs or options.minutes):  # as many epochs as the least steps take, or more
            window = options.batch_size * DEFAULT_SEQ_LENGTH
            epochs = max(DEFAULT_EPOCHS, DEFAULT_STEPS * window / max(1, len(train)))
        return cls(
            len(train),
            corpus.vocabulary.size,
            (options.minutes or DEFAULT_MINUTES) if timed else None,
            epochs,
            options.threads,
            options.batch_size,
        )

    def times_read(self, weights: int) -> float:
        """An estimate of how many times a network of so many weights reads the text."""
        by_epochs = INFINITY if self.epochs is None else self.epochs
        if self.minutes is None:
            return by_epochs
        return min(by_epochs, speed(weights, self.threads) * 60 * self.minutes / self.characters)

    def windows(self, seq_length: int) -> int:
        """Windows of one epoch, each a step of the training."""
        batch, steps = fit_shape(max(self.characters, 2), self.batch_size, seq_length)
        return (self.characters - 1) // batch // steps

    def has_few_steps(self, config: NetworkConfig, seq_length: int = DEFAULT_SEQ_LENGTH) -> bool:
        """Whether that network would make fewer than `FEW_STEPS` steps."""
        return self.windows(seq_length) * self.times_read(multiplied_weights(config)) < FEW_STEPS

    def config(self, shape: Shape, hidden_size: int, cell: str) -> NetworkConfig:
        return NetworkConfig(self.vocabulary_size, hidden_size, shape.layers, cell)


def choose(reading: Reading, given: Mapping[str, Any]) -> Size:
    """What suits a training, but for what is `given` by name and not None.

    Without minutes time is no limit, and the hidden size is the usual one.
    """
    given = {name: value for name, value in given.items() if value is not None}
    cell = given.get("cell") or _cell(reading, given)
    shape = shape_for(cell, given.get("layers"))
    hidden_size = given.get("hidden_size") or _hidden_size(reading, shape, cell)
    config = reading.config(shape, hidden_size, cell)
    read_again = reading.times_read(config.size)
    usual = next(usual for most, usual in shape.by_epochs(hidden_size) if read_again <= most)
    chosen = Size(
        cell,
        hidden_size,
        shape.layers,
        usual.dropout,
        usual.weight_decay,
        usual.recurrent_dropout,
        _seq_length(reading, config),
        BETA1_OF_FEW_STEPS if reading.has_few_steps(config) else BETA1,
    )
    return replace(chosen, **given)


def _cell(reading: Reading, given: Mapping[str, Any]) -> str:
    """The cell that suits a network of which nothing is given."""
    if "hidden_size" in given or "layers" in given:
        return DEFAULT_CELL
    shape = shape_for(CELL_OF_FEW_STEPS, None)
    wide = reading.config(shape, shape.usual_size, CELL_OF_FEW_STEPS)
    suits = (
        reading.has_few_steps(wide)
        and reading.times_read(wide.size) <= FEW_EPOCHS
        and reading.characters >= wide.size
    )
    return CELL_OF_FEW_STEPS if suits else DEFAULT_CELL


def _hidden_size(reading: Reading, shape: Shape, cell: str) -> int:
    """That of the large network where it has the time to read enough characters for each of its
    weights, of a text that has enough; else the usual one."""
    weights = reading.config(shape, shape.large_size, cell).size
    is_large = (
        reading.minutes is not None
        and reading.times_read(weights) * reading.characters >= CHARACTERS_A_WEIGHT * weights
        and reading.characters >= LENGTH_A_WEIGHT * weights
    )
    return shape.large_size if is_large else shape.usual_size


def _seq_length(reading: Reading, config: NetworkConfig) -> int:
    """Characters of a window: fewer than usual where there would be few steps, as long as shorter
    windows give more of them."""
    length = DEFAULT_SEQ_LENGTH
    while length > SHORTEST_SEQ_LENGTH and reading.has_few_steps(config, length):
        if reading.windows(length // 2) <= reading.windows(length):
            break
        length //= 2
    return length


def multiplied_weights(config: NetworkConfig) -> int:
    """All but those of the input, which are looked up: with many symbols they are the most, and
    cost no time."""
    return config.size - math.prod(config.shapes()["U0"])


def speed(weights: int, threads: int) -> float:
    """An estimate of the characters a second that a network of this size learns from."""
    return OPERATIONS * threads / (OPERATIONS_A_WEIGHT * weights)
