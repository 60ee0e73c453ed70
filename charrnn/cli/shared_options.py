"""Options that several commands have, and the checkpoint that a command takes by itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
NEWEST = "[default: the newest of this folder]"


def checkpoint_option(help: str = "Model to use.", *, multiple: bool = False) -> Decorator:
    """-c, --checkpoint: parameter `checkpoint`, or `checkpoints` where there may be several."""
    return click.option(
        "-c",
        "--checkpoint",
        "checkpoints" if multiple else "checkpoint",
        multiple=multiple,
        type=click.Path(path_type=Path, dir_okay=False),
        help=f"{help}  {NEWEST}",
    )


def unknown_option(text: str) -> Decorator:
    """--unknown: what to do with characters of `text`, such as "the prime"."""
    return click.option(
        "--unknown",
        type=click.Choice(["error", "skip"]),
        default="error",
        help=f"What to do with characters of {text} that the model does not know.",
    )


def text_option(purpose: str, *, allow_stdin: bool) -> Decorator:
    """--text: the text to read, by default what the training held out."""
    stdin = "; - for standard input" if allow_stdin else ""
    return click.option(
        "--text",
        type=click.Path(path_type=Path, dir_okay=False, allow_dash=allow_stdin),
        help=f"{purpose}{stdin}.  [default: the validation part of the training text]",
    )


def json_option(help: str) -> Decorator:
    """--json: the flag `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=help)


def chosen_checkpoint(named: Path | None, doing: str | None = None) -> Path:
    """The checkpoint that was named, or the newest one of this folder.

    A notice on standard error says what the command is `doing` with the newest one, such as
    "writing with"; without `doing` there is none. Raises CheckpointError for an empty folder.
    """
    if named is not None:
        return named
    from charrnn.checkpoints.format import newest_checkpoint

    newest = newest_checkpoint(Path())
    if doing is not None:
        click.echo(f"charrnn: {doing} {newest}", err=True)
    return newest
