"""What every command of charrnn shares: errors of the library, in the words of the command line."""

import re
from collections.abc import Sequence
from typing import Any

import click

from charrnn.errors import CharRNNError


class Command(click.Command):
    """A command that names its options in the errors of the library.

    The library writes the names of parameters between backticks, `hidden_size`; where the command
    has a parameter of that name, the user reads its option, --hidden-size.
    """

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CharRNNError as error:
            raise type(error)(with_option_names(str(error), self.params)) from error


def with_option_names(message: str, parameters: Sequence[click.Parameter]) -> str:
    """The message, with the option in the place of each parameter's name between backticks."""
    options = {
        parameter.name: max(parameter.opts, key=len)
        for parameter in parameters
        if isinstance(parameter, click.Option)
    }
    return re.sub(r"`(\w+)`", lambda found: options.get(found[1], found[0]), message)
