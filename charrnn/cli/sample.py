"""`charrnn sample`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from charrnn.cli.shown import harmless
from charrnn.cli.streams import discard
from charrnn.errors import CharRNNError, CorpusError, OptionError

if TYPE_CHECKING:
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
    seed: int | None,
    prime: str | None,
    prime_file: str | None,
    unknown: Literal["error", "skip"],
    samples: int,
    clamps: tuple[str, ...],
) -> None:
    """Write text with a trained model, to standard output, as it comes."""
    from charrnn.checkpoint import newest_checkpoint
    from charrnn.model import load

    if prime is not None and prime_file is not None:
        raise click.UsageError("--prime and --prime-file exclude each other")
    if samples > 1 and length == 0:
        raise click.UsageError("--samples needs a --length: the first text would never end")
    if seed is not None and seed < 0:
        raise OptionError(f"--seed must be 0 or more, not {seed}")
    if checkpoint is None:
        checkpoint = newest_checkpoint(Path())
        click.echo(f"charrnn: writing with {checkpoint}", err=True)
    model = load(checkpoint)
    prime_ids = encoded_prime(model, prime, prime_file, unknown)
    stream = model.sample_ids(
        length or None if length >= 0 else length,
        temperature=temperature,
        seed=seed,
        prime=prime_ids,
        samples=samples,
        clamp=dict(parsed_clamp(item, model) for item in clamps),
    )
    write_quietly(texts(model, stream, prime_ids, samples))


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
    text: str | bytes = prime or ""
    if prime_file is not None:
        text = read_prime(prime_file)
        if not model.vocabulary.is_bytes:
            try:
                text = text.decode("utf-8")
            except UnicodeDecodeError as error:
                raise CorpusError(
                    f"{prime_file} is not UTF-8 at byte {error.start}: convert it first"
                ) from error
    return model.vocabulary.encode(text, unknown=unknown)


def read_prime(path: str) -> bytes:
    """The bytes of a file, or of standard input for `-`."""
    try:
        if path != "-":
            return Path(path).read_bytes()
        if sys.stdin is None:
            raise CorpusError("standard input is closed: name a file instead of `-`")
        return sys.stdin.buffer.read()
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror}") from error


def texts(model: "Model", stream: Iterator[Any], prime: "IdArray", samples: int) -> Iterator[bytes]:
    """The output, piece by piece: the first text as it comes, the others after it."""
    others: list[Any] = []
    decode = model.vocabulary.decode_bytes
    if samples > 1:
        yield f"--- 1 of {samples} ---\n".encode()
    yield decode(prime)
    for ids in stream:
        yield decode(ids[:1])
        if samples > 1:
            others.append(ids[1:])
    for index in range(samples - 1):
        yield f"\n--- {index + 2} of {samples} ---\n".encode()
        yield decode(prime)
        yield decode([ids[index] for ids in others])
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
