"""Training from a notebook or another program."""

import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from charrnn.errors import CorpusError
from charrnn.model import Model
from charrnn.options import NETWORK_OPTIONS, TRAINING_OPTIONS
from charrnn.text.corpus import Corpus, read_corpus
from charrnn.training.events import Event
from charrnn.training.session import open_training
from charrnn.training.trainer import Trainer

PathLike = str | os.PathLike[str]


def train(
    text: str | bytes | os.PathLike[str] | Sequence[PathLike],
    output: PathLike | None = None,
    *,
    resume: bool = False,
    overwrite: bool = False,
    init_from: PathLike | None = None,
    encoding: str = "utf-8",
    as_bytes: bool = False,
    cell: str | None = None,
    hidden_size: int | None = None,
    layers: int | None = None,
    batch_size: int | None = None,
    seq_length: int | None = None,
    epochs: float | None = None,
    minutes: float | None = None,
    optimizer: str | None = None,
    learning_rate: float | None = None,
    beta1: float | None = None,
    schedule: str | None = None,
    weight_decay: float | None = None,
    clip: float | None = None,
    clip_value: float | None = None,
    dropout: float | None = None,
    recurrent_dropout: float | None = None,
    patience: int | None = None,
    keep: int | None = None,
    keep_at: Sequence[int] | None = None,
    validation_fraction: float | None = None,
    test_fraction: float | None = None,
    seed: int | None = None,
    threads: int | None = None,
    on_event: Callable[[Event], object] | None = None,
) -> Model:
    """Train a model and return it, with the weights of the lowest validation loss.

    `text` is a file or folder (its `*.txt`) as a `Path`, several of them in a list, or the text
    itself as `str` or `bytes` (for a model of bytes). Files are read in `encoding`, or as bytes
    with `as_bytes`.

    With `output`, checkpoints are written there, as `charrnn train` does: one that exists is an
    error, unless the training in it is to `resume`, or it is to `overwrite`. `init_from` names a
    checkpoint whose model goes on to learn this text, with its own cell and sizes.

    All other arguments are the options of `charrnn train` (those for several machines are of the
    command line alone); None is its default, or what it had before for a resumed training
    (`charrnn.options.TrainingOptions`). `on_event` is called with every event of the training
    (`charrnn.training.events`). Raises CharRNNError.
    """
    names = {*NETWORK_OPTIONS, *TRAINING_OPTIONS}
    given = {name: value for name, value in locals().items() if name in names and value is not None}
    paths = _paths(text)
    with open_training(
        lambda: _corpus(text, paths, encoding, as_bytes),
        given,
        output=None if output is None else Path(output),
        resume=resume,
        overwrite=overwrite,
        init_from=None if init_from is None else Path(init_from),
        texts=paths,
    ) as trainer:
        return _run(trainer, on_event)


def _run(trainer: Trainer, on_event: Callable[[Event], object] | None) -> Model:
    for event in trainer.run():
        if on_event is not None:
            on_event(event)
    best = trainer.network.with_weights(trainer.validation.best_weights)
    return Model(best, trainer.plan.corpus.vocabulary)


def _paths(text: object) -> list[str]:
    """The files and folders to read; none where `text` is the text itself."""
    if isinstance(text, str):
        if len(text) < 1000 and "\n" not in text and os.path.exists(text):
            warnings.warn(
                f"{text!r} is learned as a text, although there is a file of that name: give "
                "pathlib.Path(...) to read the file",
                stacklevel=3,
            )
        return []
    if isinstance(text, bytes):
        return []
    if isinstance(text, os.PathLike):
        return [os.fspath(text)]
    if isinstance(text, Sequence):
        return [os.fspath(each) for each in text]
    raise CorpusError(f"`text` must be a text, bytes, a path or a list of paths, not {text!r:.100}")


def _corpus(text: object, paths: Sequence[str], encoding: str, as_bytes: bool) -> Corpus:
    if isinstance(text, str):
        return Corpus.from_text(_encoded(text, encoding) if as_bytes else text)
    if isinstance(text, bytes):
        return Corpus.from_text(text)
    return read_corpus(paths, encoding=encoding, as_bytes=as_bytes)


def _encoded(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except (LookupError, ValueError) as error:
        raise CorpusError(f"the text has no bytes in this `encoding`: {error}") from error
