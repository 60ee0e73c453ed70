"""`charrnn score`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from charrnn.cli import score_output
from charrnn.cli.command import Command
from charrnn.cli.formatting import harmless
from charrnn.cli.input_texts import encoded_text
from charrnn.cli.shared_options import (
    checkpoint_option,
    chosen_checkpoint,
    json_option,
    unknown_option,
)
from charrnn.cli.standard_streams import emit
from charrnn.errors import CorpusError
from charrnn.options import DEFAULT_DYNAMIC_RATE

if TYPE_CHECKING:
    from charrnn.analysis.dynamic_evaluation import Adaptation
    from charrnn.model import Model

View = Literal["total", "per_char", "lines", "heat"]


@click.command(cls=Command, short_help="Measure how well a model predicts a text.")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@checkpoint_option("Model to use; repeat it to compare models.", multiple=True)
@click.option("--per-char", is_flag=True, help="Print a table of characters and their bits.")
@click.option("--lines", is_flag=True, help="Print each line with its bits per character.")
@click.option("--heat", is_flag=True, help="Print the text, redder where it cost more bits.")
@click.option(
    "--dynamic",
    is_flag=True,
    help="Dynamic evaluation: a copy of the model learns from the text after predicting it.",
)
@click.option(
    "--dynamic-rate",
    "rate",
    type=float,
    default=DEFAULT_DYNAMIC_RATE,
    help="Learning rate of dynamic evaluation.",
)
@json_option("Print JSON, one object a line.")
@unknown_option("a text")
def score(
    texts: tuple[str, ...],
    checkpoints: tuple[Path, ...],
    per_char: bool,
    lines: bool,
    heat: bool,
    dynamic: bool,
    rate: float,
    as_json: bool,
    unknown: Literal["error", "skip"],
) -> None:
    """Measure how well a model predicts TEXT (files, or - for standard input).

    Prints the bits per character that the model needs, and for comparison the entropy of single
    characters (order 0) and the size after xz -9. With several models, prints the probability that
    each of them wrote the text.
    """
    from charrnn.analysis.dynamic_evaluation import Adaptation
    from charrnn.machine.blas import one_thread
    from charrnn.model import load

    if sum((per_char, lines, heat)) > 1:
        raise click.UsageError("--per-char, --lines and --heat exclude each other")
    if (per_char or lines or heat) and len(checkpoints) > 1:
        raise click.UsageError("--per-char, --lines and --heat need a single --checkpoint")
    view: View = "per_char" if per_char else "lines" if lines else "heat" if heat else "total"
    adaptation = Adaptation(rate)
    paths = checkpoints or (chosen_checkpoint(None, "scoring with"),)
    models = {path: load(path) for path in paths}
    with one_thread():  # the steps are too short to be shared out
        for text in texts:
            scored = scored_text(text, models, unknown, adaptation if dynamic else None)
            emit(output(text, scored, view, as_json=as_json, adapting=dynamic))


def scored_text(
    text: str,
    models: Mapping[Path, "Model"],
    unknown: Literal["error", "skip"],
    adaptation: "Adaptation | None",
) -> dict[Path, score_output.ScoredText]:
    """The score of a file, or of standard input for `-`, by each model."""
    from charrnn.analysis.scoring import score, symbol_losses
    from charrnn.text.sources import read_source

    data = read_source(text)
    scored = {}
    for path, model in models.items():
        ids = encoded_text(data, text, model, unknown)
        if len(ids) == 0:
            raise CorpusError(f"{harmless(text)} is empty: there is nothing to score")
        losses = symbol_losses(model, ids, adaptation)
        scored[path] = score_output.ScoredText(model, ids, losses, score(model, ids, losses))
    return scored


def output(
    text: str,
    scored: Mapping[Path, score_output.ScoredText],
    view: View,
    *,
    as_json: bool,
    adapting: bool,
) -> Iterator[str]:
    """What is printed of one text; all views but the total are of the first model."""
    first = next(iter(scored.values()))
    if view == "per_char":
        return score_output.per_character(first, as_json=as_json)
    if view == "lines":
        return score_output.per_line(first, as_json=as_json)
    if view == "heat":
        return score_output.heat_map(first)
    if as_json:
        return score_output.records(text, scored)
    if len(scored) > 1:
        return score_output.comparison(text, scored)
    return score_output.table(text, first, adapting=adapting)
