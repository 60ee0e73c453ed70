"""`charrnn sample`."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from charrnn.cli.shown import harmless
from charrnn.cli.streams import discard
from charrnn.errors import CharRNNError, CorpusError, OptionError

if TYPE_CHECKING:
    from charrnn.ending import Ending
    from charrnn.model import Model
    from charrnn.network import IdArray


@click.command()
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
) -> None:
    """Write text with a trained model, to standard output, as it comes."""
    from charrnn.checkpoint import newest_checkpoint
    from charrnn.choice import Choice
    from charrnn.model import load

    if prime is not None and prime_file is not None:
        raise click.UsageError("--prime and --prime-file exclude each other")
    if samples > 1 and length == 0 and not (stops or lines):
        raise click.UsageError(
            "--samples needs a --length, --stop or --lines: the first text would never end"
        )
    if seed is not None and seed < 0:
        raise OptionError(f"--seed must be 0 or more, not {seed}")
    if checkpoint is None:
        checkpoint = newest_checkpoint(Path())
        click.echo(f"charrnn: writing with {checkpoint}", err=True)
    model = load(checkpoint)
    prime_ids = encoded_prime(model, prime, prime_file, unknown)
    stream = model.sample_ids(
        length or None if length >= 0 else length,
        choice=Choice(temperature, top_k, top_p, min_p, model.forbidden(suppress, allow)),
        seed=seed,
        prime=prime_ids,
        samples=samples,
        clamp=dict(parsed_clamp(item, model) for item in clamps),
    )
    stop = [text.replace("\\n", "\n") for text in stops]
    write_quietly(texts(model, stream, prime_ids, samples, lambda: model.ending(stop, lines)))


def parsed_clamp(item: str, model: "Model") -> tuple[tuple[int, int], float]:
    """The place of a unit and its value, of UNIT=VALUE."""
    from charrnn.cli.shown import parsed_unit

    name, _, value = item.partition("=")
    unit = parsed_unit(name, model.network.config)
    try:
        return unit, float(value)
    except ValueError as error:
        raise OptionError(f"--clamp {harmless(item)} has no value: give UNIT=VALUE") from error


def encoded_prime(
    model: "Model",
    prime: str | None,
    prime_file: str | None,
    unknown: Literal["error", "skip"],
) -> "IdArray":
    """The ids of the prime; in a model of characters a file is read as UTF-8."""
    from charrnn.sources import read_source, shown

    text: str | bytes = prime or ""
    if prime_file is not None:
        text = read_source(prime_file)
        if not model.vocabulary.is_bytes:
            try:
                text = text.decode("utf-8")
            except UnicodeDecodeError as error:
                raise CorpusError(
                    f"{shown(prime_file)} is not UTF-8 at byte {error.start}: convert it first"
                ) from error
    return model.vocabulary.encode(text, unknown=unknown)


def texts(
    model: "Model",
    stream: Iterator[Any],
    prime: "IdArray",
    samples: int,
    new_ending: Callable[[], "Ending"],
) -> Iterator[bytes]:
    """The output, piece by piece: the first text as it comes, the others after it."""
    decode = model.vocabulary.decode_bytes
    if samples > 1:
        yield f"--- 1 of {samples} ---\n".encode()
    yield decode(prime)
    first = new_ending()
    others: list[tuple[Ending, list[int]]] = []
    for ids in stream:
        if len(others) < samples - 1:  # not before it is clear that there is room for so many
            others = [(new_ending(), []) for _ in range(samples - 1)]
        yield decode(first.push(int(ids[0])))
        for (ending, text), id in zip(others, ids[1:].tolist(), strict=True):
            text += ending.push(id)
        if first.is_over and all(ending.is_over for ending, _ in others):
            break
    yield decode(first.rest())
    for index in range(samples - 1):
        yield f"\n--- {index + 2} of {samples} ---\n".encode()
        yield decode(prime)
        if others:  # without a length there is nothing to write
            ending, text = others[index]
            yield decode(text + ending.rest())
    yield b"\n"


def write_quietly(pieces: Iterator[bytes]) -> None:
    """Write to standard output at once, and end without noise when its reader goes away."""
    if sys.stdout is None:
        raise CharRNNError("standard output is closed: there is nowhere to write to")
    output = sys.stdout.buffer
    try:
        for piece in pieces:
            output.write(piece)
            output.flush()
    except BrokenPipeError:
        discard(output)
        sys.exit(0)
    except OSError as error:
        discard(output)
        raise CharRNNError(f"cannot write to standard output: {error.strerror}") from error
    except KeyboardInterrupt:
        sys.exit(130)
