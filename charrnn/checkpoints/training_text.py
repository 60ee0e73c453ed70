"""Finds the text that a model was trained on, by the paths and the digest in its checkpoint."""

import os
from pathlib import Path

from charrnn.checkpoints.format import Checkpoint
from charrnn.checkpoints.training_record import check_corpus, saved_options
from charrnn.errors import CharRNNError, CorpusError
from charrnn.text.corpus import Corpus, read_corpus
from charrnn.text.vocabulary import Ids

ADVICE = "name a text with `text`"


def own_text(checkpoint: Checkpoint, folder: Path) -> Corpus:
    """The text of the training in the ids of the model. Files that are not where they were are
    looked for in `folder`, that of the checkpoint. Raises CorpusError where the text is not found,
    or has changed."""
    record = checkpoint.training.get("corpus", {})
    sources = record.get("sources", [])
    if not sources:
        raise CorpusError(f"the checkpoint does not say where its text is: {ADVICE}")
    places = [path if os.path.exists(path) else folder / Path(path).name for path in sources]
    try:
        corpus = read_corpus(
            places,
            encoding=record.get("encoding") or "utf-8",
            as_bytes=checkpoint.vocabulary.is_bytes,
        )
        return check_corpus(checkpoint, corpus)
    except CharRNNError as error:
        raise CorpusError(
            f"the text of this training, {record['name']}, has changed or is not where it was "
            f"({error}): {ADVICE}"
        ) from error


def held_out(checkpoint: Checkpoint, corpus: Corpus) -> tuple[Ids, Ids]:
    """The training part of the text, and the rest: validation and test part together."""
    options = saved_options(checkpoint.training)
    train, validation, test = corpus.split(options.validation_fraction, options.test_fraction)
    return train, corpus.ids[len(train) : len(train) + len(validation) + len(test)]
