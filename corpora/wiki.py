"""A generated wiki about an invented country, with its hidden structure at every character.

Run it as a script (`python corpora/wiki.py --help`), or call `generate`. `corpora/README.md`
explains the arrays of hidden structure.
"""

from random import Random
from typing import Any, BinaryIO, cast

import click
import numpy as np

from pages import Subject, subjects
from scene import Scene
from tagged_text import TaggedText, Truth

CHARACTERS = 1_000_000
SEED = 1


def generate(characters: int = CHARACTERS, seed: int = SEED) -> tuple[str, Truth]:
    """Complete pages with at least `characters` characters, and the hidden state after each.

    The text is ASCII with '\\n' line ends; the arrays of the hidden state have the shape
    `(len(text),)`. The same arguments give the same result on every platform, and a longer text of
    the same seed begins with the shorter one.
    """
    rng = Random(seed)
    out = TaggedText()
    waiting: list[Subject] = []
    while out.length < characters:
        waiting = waiting or subjects(rng)
        write_page, facts = waiting.pop()
        if out.length:
            out.newline()
            out.newline()
        write_page(Scene(out, rng, facts))
    return out.finish()


@click.command()
@click.option(
    "--characters",
    type=click.IntRange(min=0),
    default=CHARACTERS,
    show_default=True,
    help="Least number of characters; the last page is completed.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=SEED,
    show_default=True,
    help="The same seed gives the same text.",
)
@click.option(
    "--output",
    type=click.File("wb", lazy=False, atomic=True),
    default="-",
    help="File for the text; - is stdout, and the default.",
)
@click.option(
    "--truth",
    type=click.File("wb", lazy=False, atomic=True),
    help="Also write the hidden state of every character to this .npz file.",
)
def main(characters: int, seed: int, output: BinaryIO, truth: BinaryIO | None) -> None:
    """Write wiki pages about an invented country."""
    text, arrays = generate(characters, seed)
    output.write(text.encode("ascii"))
    if truth is not None:
        np.savez_compressed(truth, **cast(dict[str, Any], arrays))


if __name__ == "__main__":
    main()
