"""`charrnn score`."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

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
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console
    from rich.text import Text

    from charrnn.analysis.dynamic_evaluation import Adaptation
    from charrnn.analysis.scoring import Score
    from charrnn.model import Model
    from charrnn.types import IdArray

    Losses = NDArray[np.float64]


@click.command(cls=Command)
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@checkpoint_option("Model to use; of several, which explains a text best.", multiple=True)
@click.option(
    "--per-char", is_flag=True, help="Print each character with its bits, as a tab-separated table."
)
@click.option("--lines", is_flag=True, help="Print each line after its bits per character.")
@click.option("--heat", is_flag=True, help="Print the text, coloured by its bits.")
@click.option(
    "--dynamic",
    is_flag=True,
    help="Let each model go on learning from the text, after it has predicted it; the checkpoint "
    "stays as it is.",
)
@click.option(
    "--dynamic-rate",
    type=float,
    default=DEFAULT_DYNAMIC_RATE,
    help="How fast it learns then.",
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
    dynamic_rate: float,
    as_json: bool,
    unknown: Literal["error", "skip"],
) -> None:
    """Say how well a model explains TEXT (files, or - for standard input).

    Bits per character, beside what knowing the frequency of each character costs, and xz -9. With
    several models: the probability that each of them wrote the text.
    """
    from charrnn.analysis.dynamic_evaluation import Adaptation
    from charrnn.machine.blas import one_thread
    from charrnn.model import load

    if sum((per_char, lines, heat)) > 1:
        raise click.UsageError("--per-char, --lines and --heat exclude each other")
    if (per_char or lines or heat) and len(checkpoints) > 1:
        raise click.UsageError("--per-char, --lines and --heat need a single --checkpoint")
    adaptation = Adaptation(dynamic_rate)
    paths = checkpoints or (chosen_checkpoint(None, "scoring with"),)
    models = {path: load(path) for path in paths}
    with one_thread():  # the steps are too short to be shared out
        for text in texts:
            emit(
                output(
                    text,
                    models,
                    adaptation if dynamic else None,
                    unknown,
                    per_char,
                    lines,
                    heat,
                    as_json,
                )
            )


def output(
    text: str,
    models: dict[Path, "Model"],
    adaptation: "Adaptation | None",
    unknown: Literal["error", "skip"],
    per_char: bool,
    lines: bool,
    heat: bool,
    as_json: bool,
) -> Iterator[str]:
    """What is printed of one text."""
    from charrnn.analysis.scoring import score, symbol_losses
    from charrnn.text.sources import read_source

    data = read_source(text)
    found: dict[Path, tuple[Score, IdArray, Losses]] = {}
    for path, model in models.items():
        ids = encoded_text(data, text, model, unknown)
        if len(ids) == 0:
            raise CorpusError(f"{harmless(text)} is empty: there is nothing to score")
        losses = symbol_losses(model, ids, adaptation)
        found[path] = score(model, ids, losses), ids, losses
    path, model = next(iter(models.items()))
    whole, ids, losses = found[path]
    if per_char:
        yield from characters(model, ids, losses, as_json)
    elif lines:
        yield from scored_lines(model, ids, losses, as_json)
    elif heat:
        yield from coloured(model, ids, losses)
    elif as_json:
        yield json.dumps(as_record(text, {p: s for p, (s, _, _) in found.items()})) + "\n"
    elif len(found) > 1:
        yield from compared(text, {p: s for p, (s, _, _) in found.items()})
    else:
        yield from described(text, whole, model, adapting=adaptation is not None)


def described(text: str, score: "Score", model: "Model", *, adapting: bool) -> Iterator[str]:
    """A score for people."""
    kind = "bytes" if model.vocabulary.is_bytes else "characters"
    one = kind[:-1]
    how = ", while the model learns from them" if adapting else ""
    yield f"{harmless(text)}: {score.symbols:,} {kind}{how}\n"
    yield f"  model       {score.nats:.4f} nats  {score.bits:.4f} bits per {one}"
    yield f"  perplexity {score.perplexity:.4g}\n"
    order0 = score.order0 / math.log(2)
    yield f"  order 0     {score.order0:.4f} nats  {order0:.4f} bits per {one}\n"
    xz = score.xz_bits * math.log(2)
    yield f"  xz -9       {xz:.4f} nats  {score.xz_bits:.4f} bits per {one}\n"


def as_record(text: str, scores: Mapping[Path, "Score"]) -> dict[str, Any]:
    """The scores of a text as JSON."""
    from charrnn.analysis.scoring import posterior

    chances = posterior([score.nats * score.symbols for score in scores.values()])
    return {
        "text": text,
        "models": [
            {
                "checkpoint": str(path),
                "symbols": score.symbols,
                "nats": score.nats,
                "bits": score.bits,
                "perplexity": score.perplexity,
                "order0_nats": score.order0,
                "xz_bits": score.xz_bits,
                "probability": chance,
            }
            for (path, score), chance in zip(scores.items(), chances, strict=True)
        ],
    }


def compared(text: str, scores: Mapping[Path, "Score"]) -> Iterator[str]:
    """Which model explains a text best, the best one first."""
    models = as_record(text, scores)["models"]
    yield f"{harmless(text)}\n"
    for model in sorted(models, key=lambda model: -model["probability"]):
        yield (
            f"  {model['probability']:8.2%}  {model['bits']:.4f} bits  "
            f"{harmless(model['checkpoint'])}\n"
        )


def characters(model: "Model", ids: "IdArray", losses: "Losses", as_json: bool) -> Iterator[str]:
    """Each symbol with its bits: its printable name, so that a table stays one."""
    names = [model.vocabulary.symbol(id) for id in range(model.vocabulary.size)]
    for id, loss in zip(ids.tolist(), losses.tolist(), strict=True):
        bits = loss / math.log(2)
        if as_json:
            yield json.dumps({"symbol": names[id], "bits": round(bits, 4)}) + "\n"
        else:
            yield f"{names[id]}\t{bits:.4f}\n"


def scored_lines(model: "Model", ids: "IdArray", losses: "Losses", as_json: bool) -> Iterator[str]:
    """Bits per character of each line with its end, and the line."""
    newline = model.line_end()
    ends = [n + 1 for n, id in enumerate(ids.tolist()) if len(newline) and id == newline[0]]
    start = 0
    for end in dict.fromkeys([*ends, len(ids)]):
        if end == start:
            continue
        bits = float(losses[start:end].mean()) / math.log(2)
        line = model.vocabulary.decode(ids[start:end]).rstrip("\n")
        if as_json:
            yield json.dumps({"bits": round(bits, 4), "line": line}) + "\n"
        else:
            yield f"{bits:.4f}\t{harmless(line)}\n"
        start = end


def coloured(model: "Model", ids: "IdArray", losses: "Losses") -> Iterator[str]:
    """The text, the redder the more bits a character costs: 8 and more are the deepest red. Where
    there is no colour, as in a pipe, a digit below each character says its bits."""
    import shutil
    import sys

    from rich.cells import cell_len
    from rich.console import Console
    from rich.text import Text

    from charrnn.neurons.build_report import symbols_shown
    from charrnn.render.terminal import probability_style

    bits = losses / math.log(2)
    shown = symbols_shown(model, ids)
    console = Console(file=sys.stdout, highlight=False)
    colors = console.color_system is not None and not console.no_color
    width = shutil.get_terminal_size().columns
    row, below, used = Text(), "", 0
    newline = model.line_end()
    for symbol, id, cost in zip(shown, ids.tolist(), bits.tolist(), strict=True):
        row.append(symbol, probability_style(min(cost / 8, 1.0) ** 2) if colors else None)
        below += str(min(9, int(cost))) + " " * (cell_len(symbol) - 1)
        used += cell_len(symbol)
        if used >= width or (len(newline) and id == newline[0]):
            yield from drawn_row(console, row, below, colors)
            row, below, used = Text(), "", 0
    if used:
        yield from drawn_row(console, row, below, colors)


def drawn_row(console: "Console", row: "Text", below: str, colors: bool) -> Iterator[str]:
    with console.capture() as capture:
        console.print(row, soft_wrap=True)
    yield capture.get()
    if not colors:
        yield below + "\n"
