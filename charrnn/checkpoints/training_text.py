"""The text that a model was trained on, found again by what its checkpoint says."""

import os
from pathlib import Path

from charrnn.checkpoints.format import Checkpoint
from charrnn.checkpoints.training_record import check_corpus, saved_options
from charrnn.errors import CharRNNError, CorpusError
from charrnn.text.corpus import Corpus, read_corpus
from charrnn.text.vocabulary import Ids

ADVICE = "name a text with `text`"


def own_text(checkpoint: Checkpoint, folder: Path) -> Corpus:
    """The text in the symbols of the model, from where it was, or else from the checkpoint's
    `folder`. Raises CorpusError where it is not to be found, or is another one by now."""
    record = checkpoint.training.get("corpus")
    sources = record.get("sources") if isinstance(record, dict) else None
    if not isinstance(record, dict) or not isinstance(sources, list) or not sources:
        raise CorpusError(f"the checkpoint does not say where its text is: {ADVICE}")
    places = [path if os.path.exists(path) else folder / Path(path).name for path in sources]
    encoding = record.get("encoding")
    try:
        corpus = read_corpus(places, encoding=encoding or "utf-8", as_bytes=encoding is None)
        return check_corpus(checkpoint, corpus)
    except CharRNNError as error:
        raise CorpusError(
            f"the text of this training, {record.get('name')}, is not what or where it was "
            f"({error}): {ADVICE}"
        ) from error


def held_out(checkpoint: Checkpoint, corpus: Corpus) -> tuple[Ids, Ids]:
    """What the training has read of its text, and the part after it that it has not learned from,
    validation and test together."""
    options = saved_options(checkpoint.training)
    train, validation, test = corpus.split(options.validation_fraction, options.test_fraction)
    return train, corpus.ids[len(train) : len(train) + len(validation) + len(test)]
