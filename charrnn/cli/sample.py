"""`charrnn sample`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from charrnn.cli.command import Command
from charrnn.cli.dynamic import dynamic_options, with_training_text
from charrnn.cli.formatting import harmless
from charrnn.cli.input_texts import read_text
from charrnn.cli.mixing import MixtureFiles, mixing_options
from charrnn.cli.shared_options import checkpoint_option, unknown_option
from charrnn.errors import OptionError

if TYPE_CHECKING:
    from charrnn.cli.writing import Writing
    from charrnn.mixtures.gate import Domain
    from charrnn.model import Model
    from charrnn.sampling.options import SamplingOptions
    from charrnn.types import Text


@click.command(cls=Command, short_help="Write text with a model.")
@checkpoint_option(
    "Model to use; repeat it to mix several. FILE=WEIGHT gives a model a weight; without weights, "
    "they are learned from the validation part of the training text.",
    multiple=True,
)
@mixing_options
@click.option(
    "-n", "--length", type=int, default=500, help="Characters to write; 0 to write without end."
)
@click.option(
    "-t",
    "--temperature",
    type=float,
    default=1.0,
    help="Divides the logits: below 1 safer, above 1 wilder; 0 takes the most probable character.",
)
@click.option(
    "--top-k", type=int, default=0, help="Draw only from the k most probable characters; 0 for all."
)
@click.option(
    "--typical-p",
    type=float,
    default=1.0,
    help="Draw only from the most typical characters, those whose surprise (-ln p) is nearest to "
    "its mean: the fewest whose probabilities add up to this; 1 for all.",
)
@click.option(
    "--top-p",
    type=float,
    default=1.0,
    help="Draw only from the most probable characters: the fewest whose probabilities add up to "
    "this; 1 for all.",
)
@click.option(
    "--min-p",
    type=float,
    default=0.0,
    help="Draw only from characters at least this times as probable as the most probable one; 0 "
    "for all.",
)
@click.option(
    "--suppress",
    default="",
    show_default=False,
    metavar="CHARS",
    help="Characters that are never written.  [default: none]",
)
@click.option(
    "--allow", metavar="CHARS", help="The only characters that are written.  [default: all]"
)
@click.option(
    "--stop",
    multiple=True,
    metavar="TEXT",
    help="Stop before this text would be written (\\n in it is a line end); repeatable.  "
    "[default: none]",
)
@click.option(
    "--lines", type=click.IntRange(1), help="Stop after this many lines.  [default: no limit]"
)
@click.option(
    "--seed",
    type=int,
    help="Seed of the random numbers: the same seed writes the same text.  [default: random]",
)
@click.option("--prime", help="Text to continue; it is written first.")
@click.option(
    "--prime-file",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="File with the text to continue; - for standard input.",
)
@dynamic_options("Let a copy of the model learn from the prime before it writes.")
@unknown_option("the prime and of --ngram")
@click.option("--samples", type=int, default=1, help="Number of texts.")
@click.option(
    "--clamp",
    multiple=True,
    metavar="UNIT=VALUE",
    help="Hold a unit at a value from -1 to 1 while the model reads and writes. L1:42=0.9 holds "
    "unit 42 of layer 1 (both counted from 0); the value is tanh(c), or h if the cell has no c. "
    "Repeatable.  [default: none]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "jsonl"]),
    default="text",
    help="jsonl writes a JSON object for each text, with the log-probability of each character in "
    "nats.",
)
@click.option(
    "--input-lines",
    is_flag=True,
    help="Continue each line of standard input: write one line for each, without the line itself.",
)
@click.option(
    "--novelty",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Report on standard error which passages are copied from this text.  [default: none]",
)
@click.option(
    "--max-copy",
    type=click.IntRange(1),
    help="Copy at most this many characters in a row from the text of --novelty.  [default: no "
    "limit]",
)
@click.option("--raw", is_flag=True, help="Write control characters to a terminal unchanged.")
def sample(
    checkpoints: tuple[Path, ...],
    ngram: str | None,
    mixing: "Domain",
    prime: str | None,
    prime_file: str | None,
    dynamic: bool,
    rate: float | None,
    unknown: Literal["error", "skip"],
    samples: int,
    form: Literal["text", "jsonl"],
    input_lines: bool,
    raw: bool,
    **given: Any,
) -> None:
    """Write text with a trained model to standard output, character by character."""
    from charrnn.cli.writing import Writing, write_quietly

    if prime is not None and prime_file is not None:
        raise click.UsageError("--prime and --prime-file exclude each other")
    if input_lines and (prime is not None or prime_file is not None or samples > 1):
        raise click.UsageError("--input-lines excludes --prime, --prime-file and --samples")
    if dynamic and prime is None and prime_file is None:
        raise click.UsageError("--dynamic needs --prime or --prime-file: a text to learn from")
    check_sampling_options(given, samples, form, input_lines)
    files = MixtureFiles.of(checkpoints, ngram, mixing, unknown)
    model = files.writer()
    begun = (prime or "") if prime_file is None else read_text(prime_file, model)
    if dynamic:
        model = adapted(model, begun, files, rate)
    writing = Writing(model, sampling_options(model, given), unknown)
    pieces = what_is_written(writing, begun, samples, form, input_lines)
    try:
        write_quietly(pieces, raw=raw)
    except SystemExit:  # the reader of the texts has gone away
        report_copies(writing, given["novelty"])
        raise
    report_copies(writing, given["novelty"])


def adapted(model: "Model", prime: "Text", files: MixtureFiles, rate: float | None) -> "Model":
    """The model after it has learned from the prime."""
    from charrnn.analysis.adapting_models import adapted_model
    from charrnn.analysis.dynamic_evaluation import Adaptation
    from charrnn.machine.blas import one_thread

    adaptation = with_training_text(Adaptation(rate), files.checkpoints[0].path)
    ids = model.vocabulary.encode(prime, unknown=files.unknown)
    with one_thread():
        return adapted_model(model, ids, adaptation)


def check_sampling_options(
    given: Mapping[str, Any], samples: int, form: str, input_lines: bool
) -> None:
    """Raise UsageError for sampling options that do not go together."""
    if given["max_copy"] is not None and given["novelty"] is None:
        raise click.UsageError("--max-copy needs --novelty: the text that is not to be copied")
    if given["length"] or given["stop"] or given["lines"]:
        return
    if samples > 1:
        raise click.UsageError(
            "--samples needs a --length, --stop or --lines: the first text would never end"
        )
    if input_lines or given["novelty"] or form == "jsonl":
        raise click.UsageError(
            "--input-lines, --novelty and --format jsonl need a --length, --stop or --lines"
        )


def sampling_options(model: "Model", given: Mapping[str, Any]) -> "SamplingOptions":
    """The options of the command line that are sampling options, as the library has them."""
    from charrnn.sampling.options import SamplingOptions

    path = given["novelty"]
    changed = {
        "length": given["length"] or None,
        "stop": [text.replace("\\n", "\n") for text in given["stop"]],
        "clamp": dict(parsed_clamp(item, model) for item in given["clamp"]),
        "novelty": None if path is None else model.reference_text(read_text(path, model)),
    }
    return SamplingOptions(**{**given, **changed})


def report_copies(writing: "Writing", novelty: str | None) -> None:
    if novelty is not None:
        click.echo("\n".join(writing.copies(novelty)), err=True)


def parsed_clamp(item: str, model: "Model") -> tuple[tuple[int, int], float]:
    """The unit and the value that UNIT=VALUE names."""
    from charrnn.cli.formatting import parsed_unit

    name, _, value = item.partition("=")
    unit = parsed_unit(name, model.network.config)
    try:
        return unit, float(value)
    except ValueError as error:
        raise OptionError(f"--clamp {harmless(item)} has no value: give UNIT=VALUE") from error


def what_is_written(
    writing: "Writing", begun: "Text", samples: int, form: str, input_lines: bool
) -> Iterator[bytes]:
    """The output, piece by piece."""
    if input_lines:
        texts = writing.continued_lines()
        return writing.records(texts) if form == "jsonl" else writing.lines(texts)
    if form == "jsonl":
        return writing.records(writing.texts(begun, samples))
    return writing.plain(begun, samples)
