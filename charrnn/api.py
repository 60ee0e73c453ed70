"""Training from a notebook or another program."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from charrnn.checkpoints.safetensors_format import read_model
from charrnn.model import Model
from charrnn.options import (
    DEFAULT_CELL,
    DEFAULT_OPTIMIZER,
    TrainingOptions,
    usable_threads,
)
from charrnn.registries import OPTIMIZERS
from charrnn.text.corpus import Corpus, read_corpus
from charrnn.training.events import Event
from charrnn.training.sizing import for_training
from charrnn.training.trainer import Trainer


def train(
    text: str | bytes | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    *,
    cell: str = DEFAULT_CELL,
    hidden_size: int | None = None,
    layers: int | None = None,
    batch_size: int = TrainingOptions.batch_size,
    seq_length: int = TrainingOptions.seq_length,
    epochs: float | None = None,
    minutes: float | None = None,
    optimizer: str | None = None,
    learning_rate: float | None = None,
    schedule: str = TrainingOptions.schedule,
    weight_decay: float | None = None,
    clip: float = TrainingOptions.clip,
    clip_value: float = TrainingOptions.clip_value,
    dropout: float | None = None,
    recurrent_dropout: float | None = None,
    patience: int = TrainingOptions.patience,
    validation_fraction: float = TrainingOptions.validation_fraction,
    test_fraction: float = TrainingOptions.test_fraction,
    seed: int = TrainingOptions.seed,
    threads: int | None = None,
    init_from: str | os.PathLike[str] | None = None,
    on_event: Callable[[Event], object] | None = None,
) -> Model:
    """Train a new model and return it, with the weights that were best on the held-out text.

    `text` is the text itself as `str`, raw bytes for a model of bytes, or a file or folder as a
    `Path`. With `output`, checkpoints are written there, over what may be there. `on_event` sees
    every event (`charrnn.training.events`) of the training. Sizes, dropout and weight decay that
    are None are chosen by the length of the text and the time (`charrnn.training.sizing`).
    `init_from` names a checkpoint whose model goes on to learn this text, with its own cell and
    sizes. Raises CharRNNError.
    """
    corpus = Corpus.from_text(text) if isinstance(text, str | bytes) else read_corpus([text])
    optimizer_chosen = optimizer is not None
    optimizer = optimizer or DEFAULT_OPTIMIZER
    usual = OPTIMIZERS.get(optimizer, OPTIMIZERS[DEFAULT_OPTIMIZER]).defaults
    options = TrainingOptions(
        batch_size=batch_size,
        seq_length=seq_length,
        epochs=epochs,
        minutes=minutes,
        optimizer=optimizer,
        learning_rate=usual["learning_rate"] if learning_rate is None else learning_rate,
        schedule=schedule,
        weight_decay=usual.get("weight_decay", 0.0) if weight_decay is None else weight_decay,
        clip=clip,
        clip_value=clip_value,
        patience=patience,
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        seed=seed,
        threads=usable_threads() if threads is None else threads,
    )
    path = None if output is None else Path(output)
    checkpoint = None
    if init_from is not None:
        checkpoint = read_model(Path(init_from))
        config = checkpoint.config
        cell, hidden_size, layers = config.cell, config.hidden_size, config.layers
    size = for_training(
        corpus,
        options,
        cell=cell,
        hidden_size=hidden_size,
        layers=layers,
        dropout=dropout,
        weight_decay=options.weight_decay if optimizer_chosen else weight_decay,
        recurrent_dropout=recurrent_dropout,
    )
    options = replace(
        options,
        dropout=size.dropout,
        weight_decay=size.weight_decay,
        recurrent_dropout=size.recurrent_dropout,
    )
    if checkpoint is not None:
        trainer = Trainer.start_from(checkpoint, corpus, options, output=path)
    else:
        trainer = Trainer.start(
            corpus,
            options,
            hidden_size=size.hidden_size,
            layers=size.layers,
            cell=cell,
            output=path,
        )
    for event in trainer.run():
        if on_event is not None:
            on_event(event)
    best = trainer.network.with_weights(trainer.validation.best_weights)
    return Model(best, trainer.corpus.vocabulary)
