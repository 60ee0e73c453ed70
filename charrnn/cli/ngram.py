"""`charrnn ngram`."""

from pathlib import Path
from typing import Literal

import click

from charrnn.cli.command import Command
from charrnn.cli.formatting import harmless
from charrnn.cli.own_text import OwnText
from charrnn.cli.shared_options import checkpoint_option, chosen_checkpoint, unknown_option
from charrnn.errors import CorpusError, OptionError

ORDER = 8


@click.command(cls=Command, short_help="Count the n-grams of a text, to mix with a model.")
@click.argument("text", required=False, metavar="[TEXT]")
@checkpoint_option("Model whose vocabulary, and whose training text, to use.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write.  [default: next to the model: MODEL.ngram.npz]",
)
@click.option("--order", type=int, default=ORDER, help="Symbols of the longest n-grams.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@unknown_option("TEXT")
def ngram(
    text: str | None,
    checkpoint: Path | None,
    output: Path | None,
    order: int,
    force: bool,
    unknown: Literal["error", "skip"],
) -> None:
    """Count the n-grams of TEXT (a file, or - for standard input; by default the training part of
    the model's own text), for `charrnn sample --ngram` and `charrnn score --ngram`.
    """
    from charrnn.checkpoints.ngram_file import SavedNgrams, write_ngrams
    from charrnn.cli.input_texts import encoded_text
    from charrnn.model import load
    from charrnn.ngram.model import NgramModel
    from charrnn.text.sources import read_source

    path = chosen_checkpoint(checkpoint, "counting for")
    output = path.with_suffix(".ngram.npz") if output is None else output
    if output.exists() and not force:
        raise OptionError(f"{output} exists: overwrite it with `force`, or name another `output`")
    model, own, data = load(path), OwnText(path), None if text is None else read_source(text)
    if data is not None and not own.is_text(data):
        ids, name = encoded_text(data, str(text), model, unknown), str(text)
    elif own.train is None:
        raise CorpusError(f"the training text of {path} is not found: name a TEXT")
    else:
        ids, name = own.train, f"the training part of the text of {path.name}"
    counted = NgramModel.of(ids, model.vocabulary.size, order)
    write_ngrams(output, SavedNgrams(counted, model.vocabulary, name))
    size = sum(len(each.codes) for each in counted.counts)
    click.echo(
        f"charrnn: wrote {harmless(str(output))}: {size:,} n-grams up to order {counted.order} of "
        f"{len(ids):,} {model.vocabulary.kind}, {harmless(name)}",
        err=True,
    )
