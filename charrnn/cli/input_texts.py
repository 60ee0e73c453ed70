"""Texts that a model reads: files, standard input, the validation part of its training text."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from charrnn.errors import CharRNNError, CorpusError

if TYPE_CHECKING:
    from charrnn.checkpoints.format import Checkpoint
    from charrnn.model import Model
    from charrnn.types import IdArray

PIECE = 50
"""Symbols in each of the pieces of a text that are looked for in another one."""
PIECES = 20


def read_text(path: str, model: "Model") -> str | bytes:
    """A file's text, or that of standard input for `-`, in the kind of symbols that the model
    knows; a model of characters reads UTF-8."""
    from charrnn.text.sources import read_source

    return known_text(read_source(path), path, model)


def encoded_text(
    data: bytes, path: str, model: "Model", unknown: Literal["error", "skip"]
) -> "IdArray":
    """The ids of the text `data`, which was read from `path`."""
    return model.vocabulary.encode(known_text(data, path, model), unknown=unknown)


def known_text(data: bytes, path: str, model: "Model") -> str | bytes:
    """The text `data`, which was read from `path`, in the kind of symbols the model knows."""
    from charrnn.text.sources import STDIN, STDIN_NAME, decoded, printable_name

    if model.vocabulary.is_bytes:
        return data
    return decoded(data, STDIN_NAME if path == STDIN else printable_name(path))


def text_ids(
    saved: "Checkpoint",
    model: "Model",
    path: Path,
    text: Path | None,
    unknown: Literal["error", "skip"],
) -> "IdArray":
    """The ids of a text, by default the validation part of the training text. A notice says how
    many characters were skipped, and whether the text overlaps with the training text."""
    from charrnn.checkpoints.training_text import held_out, own_text

    if text is None:
        _, rest = held_out(saved, own_text(saved, path.parent))
        if len(rest) == 0:
            raise CorpusError("the training had no validation text: name another text with --text")
        return rest
    whole = read_text(str(text), model)
    ids = model.vocabulary.encode(whole, unknown=unknown)
    if len(whole) > len(ids):
        click.echo(
            f"charrnn: skipped {len(whole) - len(ids):,} characters that the model does not know",
            err=True,
        )
    warn_of_overlap(saved, path, ids)
    return ids


def warn_of_overlap(saved: "Checkpoint", path: Path, ids: "IdArray") -> None:
    """Print a notice where pieces of the text, 50 symbols long, occur in the training text."""
    from charrnn.checkpoints.training_text import held_out, own_text

    try:
        train, _ = held_out(saved, own_text(saved, path.parent))
    except CharRNNError:
        return  # the training text is not there any more
    common = common_pieces(ids, train)
    if common:
        click.echo(
            f"charrnn: {common} of {PIECES} pieces of this text are in the training text: results "
            "may not hold for other texts",
            err=True,
        )


def common_pieces(ids: "IdArray", text: "IdArray") -> int:
    """How many of `PIECES` pieces of the symbols `ids` (N,) occur in a text (M,)."""
    import numpy as np

    if len(ids) < PIECE:
        return 0
    whole = text.tobytes()
    starts = np.linspace(0, len(ids) - PIECE, PIECES).astype(int)
    return sum(ids[start : start + PIECE].astype(text.dtype).tobytes() in whole for start in starts)
