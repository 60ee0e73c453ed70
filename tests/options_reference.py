"""docs/options.md: every option of every command, from the program itself.

python tests/options_reference.py      writes it anew
"""

from pathlib import Path

import click

from charrnn.cli import CONTEXT, main

PAGE = Path(__file__).resolve().parents[1] / "docs" / "options.md"
HEAD = """\
# Every option

What `charrnn COMMAND --help` says, as a table for each command. `python tests/options_reference.py`
writes this page, and a test compares it with the program. [guide.md](guide.md) explains what the
options do, with examples.
"""


def reference() -> str:
    """The page: a table for each command."""
    return "\n".join([HEAD, *(table(name, command) for name, command in main.commands.items())])


def table(name: str, command: click.Command) -> str:
    """What a command's help says of its arguments and options."""
    context = click.Context(command, info_name=f"charrnn {name}", **CONTEXT)
    usage = command.get_usage(context).removeprefix("Usage: ")
    about = (command.help or "").partition("\n\n")[0]
    rows = [f"## {' '.join(usage.split())}", "", " ".join(about.split()), ""]
    rows += ["| option | what |", "|---|---|"]
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option):
            shown = parameter.get_help_record(context)
            assert shown
            option, text = (" ".join(part.split()).replace("|", "\\|") for part in shown)
            rows.append(f"| `{option}` | {text} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
