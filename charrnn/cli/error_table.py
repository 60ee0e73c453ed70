"""The table of `charrnn score --errors`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from charrnn.cli.formatting import harmless

if TYPE_CHECKING:
    from charrnn.analysis.error_types import ErrorReport, ErrorType
    from charrnn.cli.score_output import ScoredText
    from charrnn.types import IdArray

DESCRIPTIONS = {
    "n-gram": "an 8-gram model of the training text gives it more than 1/2",
    "closing mark": "closes a quote or a bracket",
    "recent word": "in a word that the last 1,000 characters have, too",
    "rare word": "in a word that the training text has at most 5 times",
    "word start": "first letter of another word",
    "word": "in another word, or just behind a word",
    "punctuation": "behind punctuation or a line end",
    "other": "all else",
}


def table(text: str, scored: "ScoredText", train: "IdArray", *, as_json: bool) -> Iterator[str]:
    """The errors of a model on a text by their types; `train` is its training text (M,)."""
    report = report_on(scored, train)
    if as_json:
        yield json.dumps({"text": text, **as_record(report)}) + "\n"
        return
    yield from rows(text, report)


def report_on(scored: "ScoredText", train: "IdArray") -> "ErrorReport":
    """The errors of a model on a text."""
    import numpy as np

    from charrnn.analysis.error_types import error_report, text_of
    from charrnn.ngram.model import NgramModel

    vocabulary = scored.model.vocabulary
    ngram = NgramModel.of(train, vocabulary.size)
    # a line end is read before the text, as by the model; what stands before is not known
    start = scored.model.line_end() if len(scored.model.line_end()) else scored.ids[:1]
    return error_report(
        text_of(scored.ids, vocabulary.symbols),
        scored.losses,
        training_text=text_of(train, vocabulary.symbols),
        ngram_probabilities=ngram.of_next(np.concatenate([start, scored.ids])),
    )


def as_record(report: "ErrorReport") -> dict[str, Any]:
    """The report as JSON."""
    return {
        "types": {name: asdict(of_type) for name, of_type in report.types.items()},
        "closing_marks_by_distance": {
            name: asdict(of_range) for name, of_range in report.closing.items()
        },
    }


def rows(text: str, report: "ErrorReport") -> Iterator[str]:
    """The tables, for people."""
    errors = sum(each.errors for each in report.types.values())
    characters = sum(each.characters for each in report.types.values())
    nats = sum(each.nats for each in report.types.values())
    share = errors / max(characters, 1)
    yield (
        f"{harmless(text)}: {errors:,} of {characters:,} characters ({share:.1%}) are errors: "
        "the model gave them at most 1/2\n\n"
    )
    yield f"  {'':16} {'characters':>11} {'errors':>9} {'of errors':>10} {'of loss':>9}\n"
    yield from _lines(report.types, errors, nats, DESCRIPTIONS)
    closing = {name: each for name, each in report.closing.items() if each.characters}
    if closing:
        yield "\nclosing marks, by the characters since the opening one\n"
        yield from _lines(closing, errors, nats, {})


def _lines(
    types: "Mapping[str, ErrorType]", errors: int, nats: float, descriptions: Mapping[str, str]
) -> Iterator[str]:
    for name, each in types.items():
        of_errors, of_loss = each.errors / max(errors, 1), each.nats / max(nats, 1e-9)
        row = f"  {name:16} {each.characters:11,} {each.errors:9,} {of_errors:10.1%} {of_loss:9.1%}"
        yield f"{row}  {descriptions.get(name, '')}".rstrip() + "\n"
