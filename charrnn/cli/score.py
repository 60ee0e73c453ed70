"""`charrnn score`."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from charrnn.cli import error_table, score_output
from charrnn.cli.command import Command
from charrnn.cli.dynamic import dynamic_options, with_training_text
from charrnn.cli.formatting import harmless
from charrnn.cli.input_texts import encoded_text
from charrnn.cli.mixing import LoadedMixture, MixtureFiles, mixing_options
from charrnn.cli.own_text import OwnText
from charrnn.cli.shared_options import checkpoint_option, json_option, unknown_option
from charrnn.cli.standard_streams import emit
from charrnn.errors import CorpusError

if TYPE_CHECKING:
    from charrnn.analysis.dynamic_evaluation import Adaptation
    from charrnn.mixtures.gate import Domain
    from charrnn.types import IdArray

View = Literal["total", "per_char", "lines", "heat", "errors"]
VIEWS: tuple[View, ...] = ("per_char", "lines", "heat", "errors")


@click.command(cls=Command, short_help="Measure how well a model predicts a text.")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@checkpoint_option("Model to use; repeat it to compare models, or with --mix.", multiple=True)
@click.option(
    "--mix",
    is_flag=True,
    help="Mix the models. FILE=WEIGHT gives a model a weight; without weights, they are learned "
    "from the validation part of the training text, or else from the text while it is scored.",
)
@mixing_options
@click.option("--per-char", is_flag=True, help="Print a table of characters and their bits.")
@click.option("--lines", is_flag=True, help="Print each line with its bits per character.")
@click.option("--heat", is_flag=True, help="Print the text, redder where it cost more bits.")
@click.option(
    "--errors",
    is_flag=True,
    help="Print a table of the model's errors by what would have avoided them.",
)
@dynamic_options(
    "Dynamic evaluation: a copy of the model learns from the text after predicting it."
)
@json_option("Print JSON, one object a line.")
@unknown_option("a text or of --ngram")
def score(
    texts: tuple[str, ...],
    checkpoints: tuple[Path, ...],
    mix: bool,
    ngram: str | None,
    mixing: "Domain",
    per_char: bool,
    lines: bool,
    heat: bool,
    errors: bool,
    dynamic: bool,
    rate: float | None,
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

    is_mixed = mix or ngram is not None
    chosen = dict(zip(VIEWS, (per_char, lines, heat, errors), strict=True))
    view = chosen_view(chosen, needs_one=len(checkpoints) > 1 and not is_mixed)
    adaptation = Adaptation(rate) if dynamic else None
    files = MixtureFiles.of(checkpoints, ngram, mixing, unknown, "scoring with")
    train = training_text(files) if errors else None
    with one_thread():  # the steps are too short to be shared out
        scorers = loaded_scorers(files, adaptation, is_mixed=is_mixed)
        for text in texts:
            scored = scored_text(text, scorers, unknown)
            emit(output(text, scored, view, train, as_json=as_json, adapting=dynamic))


def chosen_view(chosen: Mapping[View, bool], *, needs_one: bool) -> View:
    """The view that is asked for. Raises UsageError for two of them, or for one where there are
    several models."""
    views = [view for view, is_chosen in chosen.items() if is_chosen]
    if len(views) > 1:
        raise click.UsageError("--per-char, --lines, --heat and --errors exclude each other")
    if views and needs_one:
        raise click.UsageError(
            "--per-char, --lines, --heat and --errors need a single --checkpoint or --mix"
        )
    return views[0] if views else "total"


def training_text(files: MixtureFiles) -> "IdArray":
    """The training text of the first model. Raises CorpusError where it is not found."""
    path = files.checkpoints[0].path
    train = OwnText(path).train
    if train is None:
        raise CorpusError(f"`errors` needs the training text of {path}, which is not found")
    return train


def loaded_scorers(
    files: MixtureFiles, adaptation: "Adaptation | None", *, is_mixed: bool
) -> dict[Path, LoadedMixture]:
    """The models by the names of their files; a mixture has the names of all of its files."""
    from charrnn.model import load

    if is_mixed:
        scorers = {Path(files.name): (files.load(), files.checkpoints[0].path)}
    elif files.weights is not None:
        raise click.UsageError("the weights of models need --mix")
    else:
        paths = [each.path for each in files.checkpoints]
        scorers = {path: (LoadedMixture(load(path)), path) for path in paths}
    if adaptation is None:
        return {name: loaded for name, (loaded, _) in scorers.items()}
    return {
        name: replace(loaded, adaptation=with_training_text(adaptation, path))
        for name, (loaded, path) in scorers.items()
    }


def scored_text(
    text: str,
    scorers: Mapping[Path, LoadedMixture],
    unknown: Literal["error", "skip"],
) -> dict[Path, score_output.ScoredText]:
    """The score of a file, or of standard input for `-`, by each model."""
    from charrnn.analysis.scoring import score, symbol_losses
    from charrnn.text.sources import read_source

    data = read_source(text)
    scored = {}
    for path, scorer in scorers.items():
        ids = encoded_text(data, text, scorer.model, unknown)
        if len(ids) == 0:
            raise CorpusError(f"{harmless(text)} is empty: there is nothing to score")
        model, learn = scorer.for_scoring(ids, text)
        losses = symbol_losses(model, ids, scorer.adaptation, learn=learn)
        scored[path] = score_output.ScoredText(model, ids, losses, score(model, ids, losses))
    return scored


def output(
    text: str,
    scored: Mapping[Path, score_output.ScoredText],
    view: View,
    train: "IdArray | None" = None,
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
    if train is not None:
        return error_table.table(text, first, train, as_json=as_json)
    if as_json:
        return score_output.records(text, scored)
    if len(scored) > 1:
        return score_output.comparison(text, scored)
    return score_output.table(text, first, adapting=adapting)
