"""Options of dynamic evaluation, for the commands that have them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from charrnn.cli.formatting import harmless
from charrnn.cli.own_text import OwnText
from charrnn.cli.shared_options import Decorator
from charrnn.options import DEFAULT_DYNAMIC_RATE, DYNAMIC_RATE_WITHOUT_TEXT

if TYPE_CHECKING:
    from charrnn.analysis.dynamic_evaluation import Adaptation


def dynamic_options(help: str) -> Decorator:
    """--dynamic and --dynamic-rate: parameters `dynamic` and `rate`."""

    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        rate = click.option(
            "--dynamic-rate",
            "rate",
            type=float,
            help="Learning rate of dynamic evaluation.  "
            f"[default: {DEFAULT_DYNAMIC_RATE}, or {DYNAMIC_RATE_WITHOUT_TEXT} where the training "
            "text is not found]",
        )
        flag = click.option("--dynamic", is_flag=True, help=help)
        return flag(rate(function))

    return decorated


def with_training_text(adaptation: "Adaptation", checkpoint: Path) -> "Adaptation":
    """How the model in a checkpoint adapts. A notice says if its training text is not found."""
    train = OwnText(checkpoint).train
    if train is None:
        click.echo(
            f"charrnn: the training text of {harmless(str(checkpoint))} is not found: its "
            "gradients do not set the learning rates",
            err=True,
        )
    return replace(adaptation, training_text=train)
