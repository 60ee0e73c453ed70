"""What a checkpoint says about its training, and whether that training can go on."""

from dataclasses import replace
from typing import Any

from charrnn.checkpoints.format import TRAINING_ARRAYS, Checkpoint
from charrnn.errors import CheckpointError, OptionError
from charrnn.options import TrainingOptions
from charrnn.text.corpus import Corpus
from charrnn.text.vocabulary import Vocabulary

RECORD: dict[str, Any] = {
    "corpus": dict,
    "options": dict,
    "step": int,
    "seconds": int | float,
    "history": list,
    "best_loss": int | float | None,
    "validation_loss": int | float | None,
    "validation_seconds": int | float,
    "stale_looks": int,
    "test_loss": int | float | None,
    "finished": bool,
    "smoothed": int | float | None,
    "optimizer_steps": int,
    "halvings": int,
    "rescues": int,
}
"""What `Trainer` writes down about a training."""


def check_record(checkpoint: Checkpoint) -> dict[str, Any]:
    """The record of the training in a checkpoint. Raises CheckpointError for none of use."""
    record = {"finished": True} | checkpoint.training  # which older ones do not say
    if set(checkpoint.arrays) != set(TRAINING_ARRAYS):
        raise CheckpointError(
            "this checkpoint holds a model only, not a training that could go on: "
            "train anew with another --output"
        )
    for name, kind in RECORD.items():
        if name not in record or not isinstance(record[name], kind):
            raise CheckpointError(f"this checkpoint is damaged: its training has no {name} of use")
    if not {"name", "sha256", "symbols"} <= set(record["corpus"]):
        raise CheckpointError("this checkpoint is damaged: it does not say what text it learned")
    return record


def saved_options(record: dict[str, Any]) -> TrainingOptions:
    """The options in a record. Raises CheckpointError if they make no sense."""
    try:
        return TrainingOptions.from_json(record["options"])
    except (TypeError, OptionError) as error:
        raise CheckpointError(
            "this checkpoint is damaged, or another version of charrnn wrote it: its options make "
            f"no sense ({error})"
        ) from error


def check_corpus(checkpoint: Checkpoint, corpus: Corpus) -> Corpus:
    """The corpus in the symbols of the checkpoint. Raises CheckpointError unless the training was
    on this very corpus."""
    record, vocabulary = checkpoint.training["corpus"], checkpoint.vocabulary
    if record["sha256"] != corpus.sha256:
        raise CheckpointError(
            f"this training was on another text ({record['name']}, {record['symbols']:,} "
            f"characters) than {corpus.name} ({len(corpus.ids):,} characters): resume it with the "
            "very same text, or train anew with another --output"
        )
    # a model that was trained on other texts before knows more symbols than those of this one
    if record["symbols"] != len(corpus.ids) or not vocabulary.includes(corpus.vocabulary):
        # the same bytes, but not the same symbols
        raise CheckpointError(
            f"this training read {corpus.name} as {_kind(vocabulary)}, not as "
            f"{_kind(corpus.vocabulary)}: resume it with the --bytes or --encoding that it had"
        )
    return corpus.recoded(vocabulary)


def _kind(vocabulary: Vocabulary) -> str:
    kind = "bytes" if vocabulary.is_bytes else "characters"
    return f"{vocabulary.size:,} different {kind}"


FIXED = ("batch_size", "seq_length", "validation_fraction", "test_fraction", "seed", "optimizer")
"""Options that a training keeps to its end."""


def changed(options: TrainingOptions, changes: dict[str, Any]) -> TrainingOptions:
    """The options with some of them changed. Raises OptionError for one that is `FIXED`."""
    for name in FIXED:
        if name in changes and changes[name] != getattr(options, name):
            raise OptionError(
                f"--{name.replace('_', '-')} {changes[name]} does not fit the training to be "
                f"resumed, which has {getattr(options, name)}: leave the option out"
            )
    if "epochs" in changes or "minutes" in changes:
        # a new budget takes the place of the old one
        changes = {"epochs": None, "minutes": None} | changes
    return replace(options, **changes)


HISTORY: dict[str, Any] = {
    "step": int,
    "characters": int,
    "epoch": int | float,
    "loss": int | float,
    "validation_loss": int | float | None,
    "learning_rate": int | float,
    "characters_per_second": int | float,
    "seconds": int | float,
}
"""What is sure to be in an entry of the history."""


def history(checkpoint: Checkpoint) -> list[dict[str, Any]]:
    """The history of the training, oldest entry first; empty where there was none. Raises
    CheckpointError where it makes no sense."""
    entries = checkpoint.training.get("history", [])
    good = isinstance(entries, list) and all(
        isinstance(entry, dict)
        and all(isinstance(entry.get(name), kind) for name, kind in HISTORY.items())
        for entry in entries
    )
    if not good:
        raise CheckpointError("this checkpoint is damaged: its history makes no sense")
    return list(entries)
