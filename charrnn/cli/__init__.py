"""The command line: one file a command. Only here are click, tqdm, rich and exit codes known."""

import contextlib
import sys
import warnings
from typing import Any

import click

import charrnn
from charrnn.cli.export import export
from charrnn.cli.formatting import harmless
from charrnn.cli.info import info
from charrnn.cli.mpi import only_rank_0_speaks
from charrnn.cli.ngram import ngram
from charrnn.cli.sample import sample
from charrnn.cli.score import score
from charrnn.cli.standard_streams import discard, occupy_closed, replace_unknown_characters
from charrnn.cli.train import train
from charrnn.cli.visualize import visualize_neurons
from charrnn.errors import CharRNNError

CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "show_default": True}


class Group(click.Group):
    """Turns every `CharRNNError` into one line on stderr and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order in which they are of use

    def main(self, *args: Any, **extra: Any) -> Any:
        with only_rank_0_speaks():
            return super().main(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with warnings.catch_warnings():
                # of an overflow the user hears, where it does harm, as an error of ours
                warnings.simplefilter("ignore", RuntimeWarning)
                return super().invoke(ctx)
        except CharRNNError as error:
            click.echo(f"charrnn: {one_line(error)}", err=True)
        except BrokenPipeError:  # whoever read the output has seen enough
            for stream in filter(None, (sys.stdout, sys.stderr)):
                with contextlib.suppress(OSError, ValueError):
                    stream.flush()
                    continue
                discard(stream)
            sys.exit(0)
        except MemoryError as error:
            tell_shortage(str(error))
        except RuntimeError as error:
            if "new thread" not in str(error):  # which is refused where memory is short
                raise
            tell_shortage(str(error))
        sys.exit(1)


def tell_shortage(reason: str) -> None:
    click.echo(f"charrnn: not enough memory: {reason or 'ask for something smaller'}", err=True)


LONGEST_MESSAGE = 1000
"""Characters."""


def one_line(error: Exception) -> str:
    """The message of an error, which may quote what somebody else wrote, as one harmless line."""
    message = harmless(" ".join(str(error).split()))
    return message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - 1] + "…"


@click.group(cls=Group, context_settings=CONTEXT)
@click.version_option(charrnn.__version__, "--version", message="charrnn %(version)s")
def main() -> None:
    """Learn to write like any text: a character-level recurrent network in NumPy.

    \b
    charrnn train war_and_peace.txt      learn; writes war_and_peace.npz
    charrnn sample --temperature 0.8     write, with the newest model of this folder
    charrnn score letter.txt             how well that model explains a text
    charrnn visualize-neurons            see what its cells do while it reads
    charrnn export m.npz page.html       a web page that writes with a model
    charrnn ngram                        count n-grams, to mix with that model
    charrnn info                         what that model is, and how it was trained
    """
    occupy_closed()
    replace_unknown_characters()


for command in (train, sample, score, visualize_neurons, export, ngram, info):
    command.context_settings = CONTEXT  # of its own, in case it is called without the group
    main.add_command(command)
