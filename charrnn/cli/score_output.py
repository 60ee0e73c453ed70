"""The forms in which `charrnn score` prints the score of a text."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charrnn.cli.formatting import harmless

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console
    from rich.text import Text

    from charrnn.analysis.scoring import Score
    from charrnn.model import Model
    from charrnn.types import IdArray


@dataclass(frozen=True)
class ScoredText:
    """A text as the symbols `ids` (N,) of a model, their `losses` (N,) in nats, and its score."""

    model: "Model"
    ids: "IdArray"
    losses: "NDArray[np.float64]"
    score: "Score"


def table(text: str, scored: ScoredText, *, adapting: bool) -> Iterator[str]:
    """The score of a text by one model, beside the entropy of single symbols and xz."""
    score = scored.score
    kind = scored.model.vocabulary.kind
    one = kind[:-1]
    how = ", while the model learns from them" if adapting else ""
    yield f"{harmless(text)}: {score.symbols:,} {kind}{how}\n"
    yield f"  model       {score.nats:.4f} nats  {score.bits:.4f} bits per {one}"
    yield f"  perplexity {score.perplexity:.4g}\n"
    order0 = score.order0 / math.log(2)
    yield f"  order 0     {score.order0:.4f} nats  {order0:.4f} bits per {one}\n"
    xz = score.xz_bits * math.log(2)
    yield f"  xz -9       {xz:.4f} nats  {score.xz_bits:.4f} bits per {one}\n"


def as_record(text: str, scored: Mapping[Path, ScoredText]) -> dict[str, Any]:
    """The scores of a text by several models, as JSON."""
    from charrnn.analysis.scoring import posterior

    scores = {path: one.score for path, one in scored.items()}
    probabilities = posterior([score.nats * score.symbols for score in scores.values()])
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
                "probability": probability,
            }
            for (path, score), probability in zip(scores.items(), probabilities, strict=True)
        ],
    }


def records(text: str, scored: Mapping[Path, ScoredText]) -> Iterator[str]:
    """The same, in a line."""
    yield json.dumps(as_record(text, scored)) + "\n"


def comparison(text: str, scored: Mapping[Path, ScoredText]) -> Iterator[str]:
    """The probability that each model wrote the text, the most probable first."""
    models = as_record(text, scored)["models"]
    yield f"{harmless(text)}\n"
    for model in sorted(models, key=lambda model: -model["probability"]):
        yield (
            f"  {model['probability']:8.2%}  {model['bits']:.4f} bits per character  "
            f"{harmless(model['checkpoint'])}\n"
        )


def per_character(scored: ScoredText, *, as_json: bool) -> Iterator[str]:
    """Each symbol, by its printable name, with its bits."""
    vocabulary = scored.model.vocabulary
    names = [vocabulary.symbol(id) for id in range(vocabulary.size)]
    for id, loss in zip(scored.ids.tolist(), scored.losses.tolist(), strict=True):
        bits = loss / math.log(2)
        if as_json:
            yield json.dumps({"symbol": names[id], "bits": round(bits, 4)}) + "\n"
        else:
            yield f"{names[id]}\t{bits:.4f}\n"


def per_line(scored: ScoredText, *, as_json: bool) -> Iterator[str]:
    """The bits per character of each line, its line end included, and the line."""
    model, ids, losses = scored.model, scored.ids, scored.losses
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


def heat_map(scored: ScoredText) -> Iterator[str]:
    """The text, the redder the more bits a character costs; 8 bits and more are the deepest red.

    Without colours, as in a pipe, a digit below each character gives its bits.
    """
    import shutil
    import sys

    from rich.cells import cell_len
    from rich.console import Console
    from rich.text import Text

    from charrnn.neurons.build_report import symbols_shown
    from charrnn.render.terminal import probability_style

    model, ids = scored.model, scored.ids
    console = Console(file=sys.stdout, highlight=False)
    colors = console.color_system is not None and not console.no_color
    width = shutil.get_terminal_size().columns
    row, digits = Text(), ""
    newline = model.line_end()
    for symbol, id, loss in zip(
        symbols_shown(model, ids), ids.tolist(), scored.losses.tolist(), strict=True
    ):
        bits = loss / math.log(2)
        row.append(symbol, probability_style(min(bits / 8, 1.0) ** 2) if colors else None)
        digits += str(min(9, int(bits))) + " " * (cell_len(symbol) - 1)
        if len(digits) >= width or (len(newline) and id == newline[0]):
            yield from _drawn_row(console, row, "" if colors else digits)
            row, digits = Text(), ""
    if digits:
        yield from _drawn_row(console, row, "" if colors else digits)


def _drawn_row(console: "Console", row: "Text", digits: str) -> Iterator[str]:
    with console.capture() as capture:
        console.print(row, soft_wrap=True)
    yield capture.get()
    if digits:
        yield digits + "\n"
