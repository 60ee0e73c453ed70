"""Errors of the library, in the words of the command line."""

import click
import pytest

from charrnn.cli.command import Command, with_option_names
from charrnn.errors import OptionError

PARAMETERS = [
    click.Option(["--hidden-size"]),
    click.Option(["-c", "--checkpoint", "checkpoint"]),
    click.Option(["--force", "overwrite"]),
    click.Argument(["texts"]),
]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("`hidden_size` must be at least 1", "--hidden-size must be at least 1"),
        ("it is there: pass `overwrite`", "it is there: pass --force"),
        ("name another `checkpoint`", "name another --checkpoint"),
        ("`layers` and `texts` stay, as do `charrnn train`", None),
    ],
)
def test_names_of_parameters_become_options(message: str, expected: str | None) -> None:
    assert with_option_names(message, PARAMETERS) == (expected or message)


def test_a_command_passes_the_error_on_with_its_type() -> None:
    def refuse(**_: object) -> None:
        raise OptionError("`hidden_size` must be at least 1")

    command = Command("try", params=PARAMETERS[:1], callback=refuse)
    with pytest.raises(OptionError, match=r"^--hidden-size must be at least 1$"):
        command.main([], standalone_mode=False)
