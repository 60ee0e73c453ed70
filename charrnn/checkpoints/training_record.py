"""The record of a training in its checkpoint, and whether the training can go on from it."""

from dataclasses import replace
from typing import Any

from charrnn.checkpoints.format import TRAINING_ARRAYS, Checkpoint
from charrnn.checkpoints.record_fields import check_fields, with_defaults
from charrnn.errors import CheckpointError, OptionError
from charrnn.options import TrainingOptions
from charrnn.text.corpus import Corpus
from charrnn.text.vocabulary import Vocabulary


def check_record(checkpoint: Checkpoint) -> dict[str, Any]:
    """The record of the training in a checkpoint, with what older versions leave out. Raises
    CheckpointError where no training can go on from it."""
    if not set(TRAINING_ARRAYS) <= set(checkpoint.arrays):
        raise CheckpointError(
            "this checkpoint holds a model only, not a training that could go on: "
            "train anew with another `output`"
        )
    try:
        check_fields(checkpoint.training)
        return with_defaults(checkpoint.training)
    except ValueError as error:
        raise CheckpointError(f"this checkpoint is damaged: in its training, {error}") from error


def saved_options(record: dict[str, Any]) -> TrainingOptions:
    """The options in a record. Raises CheckpointError where they are missing, or make no sense."""
    try:
        return TrainingOptions.from_json(record.get("options"))  # type: ignore[arg-type]
    except (TypeError, OptionError) as error:
        raise CheckpointError(
            "this checkpoint is damaged, or another version of charrnn wrote it: its options make "
            f"no sense ({error})"
        ) from error


def check_corpus(checkpoint: Checkpoint, corpus: Corpus) -> Corpus:
    """The corpus in the ids of the checkpoint's vocabulary. Raises CheckpointError unless it is the
    one of the training."""
    record, vocabulary = checkpoint.training["corpus"], checkpoint.vocabulary
    if record["sha256"] != corpus.sha256:
        raise CheckpointError(
            f"this training was on another text ({record['name']}, {record['symbols']:,} "
            f"characters) than {corpus.name} ({len(corpus.ids):,} characters): resume it with the "
            "very same text, or train anew with another `output`"
        )
    # after fine-tuning, a vocabulary has symbols that the text has not
    if record["symbols"] != len(corpus.ids) or not vocabulary.includes(corpus.vocabulary):
        # the same bytes, decoded in another way
        raise CheckpointError(
            f"this training read {corpus.name} as {_kind(vocabulary)}, not as "
            f"{_kind(corpus.vocabulary)}: resume it with the `as_bytes` or `encoding` that it had"
        )
    return corpus.recoded(vocabulary)


def _kind(vocabulary: Vocabulary) -> str:
    return f"{vocabulary.size:,} different {vocabulary.kind}"


FIXED = ("batch_size", "seq_length", "validation_fraction", "test_fraction", "seed", "optimizer")
"""Options that a training keeps to its end."""


def changed(options: TrainingOptions, changes: dict[str, Any]) -> TrainingOptions:
    """The options with some of them changed. Raises OptionError for one that is `FIXED`."""
    for name in FIXED:
        if name in changes and changes[name] != getattr(options, name):
            raise OptionError(
                f"`{name}` {changes[name]} does not fit the training to be resumed, which has "
                f"{getattr(options, name)}: leave the option out"
            )
    if "epochs" in changes or "minutes" in changes:
        # a new budget takes the place of the old one
        changes = {"epochs": None, "minutes": None} | changes
    return replace(options, **changes)


def history(checkpoint: Checkpoint) -> list[dict[str, Any]]:
    """The history of the training, oldest entry first; empty where there was none."""
    entries: list[dict[str, Any]] = checkpoint.training.get("history", [])
    return entries
