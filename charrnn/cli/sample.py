"""`charrnn sample`."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from charrnn.cli.command import Command
from charrnn.cli.formatting import harmless
from charrnn.cli.input_texts import encoded_file, known_text
from charrnn.errors import OptionError

if TYPE_CHECKING:
    from charrnn.cli.writing import Writing
    from charrnn.model import Model
    from charrnn.sampling.copying import Source


@click.command(cls=Command)
@click.option(
    "-c",
    "--checkpoint",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Model to use.  [default: the newest of this folder]",
)
@click.option("-n", "--length", type=int, default=500, help="Characters to write; 0 for no end.")
@click.option(
    "-t",
    "--temperature",
    type=float,
    default=1.0,
    help="Below 1 safer, above 1 wilder; 0 always takes the most probable character.",
)
@click.option(
    "--top-k", type=int, default=0, help="Only the k most probable characters; 0 for all."
)
@click.option(
    "--top-p",
    type=float,
    default=1.0,
    help="Only the most probable characters that have this share together.",
)
@click.option(
    "--min-p",
    type=float,
    default=0.0,
    help="Only characters with this share of the most probable one's probability.",
)
@click.option(
    "--suppress", default="", metavar="CHARS", help="Characters never to write.  [default: none]"
)
@click.option("--allow", metavar="CHARS", help="The only characters to write.  [default: all]")
@click.option(
    "--stop",
    "stops",
    multiple=True,
    metavar="TEXT",
    help="End a text before this one, in which \\n is a line end; repeatable.  [default: none]",
)
@click.option(
    "--lines", type=click.IntRange(1), help="End a text after so many lines.  [default: no limit]"
)
@click.option("--seed", type=int, help="The same seed writes the same text.  [default: chance]")
@click.option("--prime", help="Text to go on from; it is written first.")
@click.option(
    "--prime-file",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="File with the text to go on from; - for standard input.",
)
@click.option(
    "--unknown",
    type=click.Choice(["error", "skip"]),
    default="error",
    help="What to do with characters of the prime that the model does not know.",
)
@click.option("--samples", type=int, default=1, help="Texts to write.")
@click.option(
    "--clamp",
    "clamps",
    multiple=True,
    metavar="UNIT=VALUE",
    help="Hold a cell at a value while reading and writing, such as L1:42=0.9: its tanh(c) where "
    "it has a c, else its h, from -1 to 1; repeatable.  [default: none]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "jsonl"]),
    default="text",
    help="jsonl: a JSON object a text, with the log-probability of each character in nats.",
)
@click.option(
    "--input-lines",
    is_flag=True,
    help="Go on from each line of standard input, and write one line for each.",
)
@click.option(
    "--novelty",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Say on standard error what of the texts is copied from this one.  [default: none]",
)
@click.option(
    "--max-copy",
    type=click.IntRange(1),
    help="Copy no more characters in a row from the text of --novelty.  [default: no limit]",
)
@click.option("--raw", is_flag=True, help="Send control characters to a terminal as they are, too.")
def sample(
    checkpoint: Path | None,
    length: int,
    temperature: float,
    top_k: int,
    top_p: float,
    min_p: float,
    suppress: str,
    allow: str | None,
    stops: tuple[str, ...],
    lines: int | None,
    seed: int | None,
    prime: str | None,
    prime_file: str | None,
    unknown: Literal["error", "skip"],
    samples: int,
    clamps: tuple[str, ...],
    form: Literal["text", "jsonl"],
    input_lines: bool,
    novelty: str | None,
    max_copy: int | None,
    raw: bool,
) -> None:
    """Write text with a trained model, to standard output, as it comes."""
    from charrnn.checkpoints.format import newest_checkpoint
    from charrnn.cli.writing import Writing, write_quietly
    from charrnn.model import load
    from charrnn.sampling.filters import Choice

    if prime is not None and prime_file is not None:
        raise click.UsageError("--prime and --prime-file exclude each other")
    if samples > 1 and length == 0 and not (stops or lines):
        raise click.UsageError(
            "--samples needs a --length, --stop or --lines: the first text would never end"
        )
    if input_lines and (prime is not None or prime_file is not None or samples > 1):
        raise click.UsageError("--input-lines excludes --prime, --prime-file and --samples")
    if max_copy is not None and novelty is None:
        raise click.UsageError("--max-copy needs --novelty: the text that is not to be copied")
    if length == 0 and not (stops or lines) and (input_lines or novelty or form == "jsonl"):
        raise click.UsageError(
            "--input-lines, --novelty and --format jsonl need a --length, --stop or --lines"
        )
    if seed is not None and seed < 0:
        raise OptionError(f"--seed must be 0 or more, not {seed}")
    if checkpoint is None:
        checkpoint = newest_checkpoint(Path())
        click.echo(f"charrnn: writing with {checkpoint}", err=True)
    model = load(checkpoint)
    writing = Writing(
        model,
        Choice(temperature, top_k, top_p, min_p, model.forbidden(suppress, allow)),
        length=length,
        stops=[text.replace("\\n", "\n") for text in stops],
        lines=lines,
        seed=secrets.randbits(32) if seed is None else seed,
        clamp=dict(parsed_clamp(item, model) for item in clamps),
        source=None if novelty is None else source_text(model, novelty),
        max_copy=max_copy,
        as_json=form == "jsonl",
    )
    if input_lines:
        pieces = writing.continued_lines(unknown)
    else:
        known = (
            model.vocabulary.encode(prime or "", unknown=unknown)
            if prime_file is None
            else encoded_file(prime_file, model, unknown)
        )
        pieces = writing.texts(known, samples)
    try:
        write_quietly(pieces, raw=raw)
    except SystemExit:  # whoever read the text has seen enough of it
        report_copies(writing, novelty)
        raise
    report_copies(writing, novelty)


def report_copies(writing: "Writing", novelty: str | None) -> None:
    if novelty is not None:
        click.echo("\n".join(writing.copied(novelty)), err=True)


def source_text(model: "Model", path: str) -> "Source":
    """The text of --novelty."""
    from charrnn.text.sources import read_source

    return model.source(known_text(read_source(path), path, model))


def parsed_clamp(item: str, model: "Model") -> tuple[tuple[int, int], float]:
    """The place of a unit and its value, of UNIT=VALUE."""
    from charrnn.cli.formatting import parsed_unit

    name, _, value = item.partition("=")
    unit = parsed_unit(name, model.network.config)
    try:
        return unit, float(value)
    except ValueError as error:
        raise OptionError(f"--clamp {harmless(item)} has no value: give UNIT=VALUE") from error
