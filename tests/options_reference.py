"""The README's reference of every option, from the program itself.

python tests/options_reference.py      writes it anew
"""

import re
from pathlib import Path

import click

from charrnn.cli import CONTEXT, main

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "<!-- options -->\n", "<!-- end of options -->\n"


def reference() -> str:
    """A table for each command, of what its help says."""
    return "\n".join(table(name, command) for name, command in main.commands.items())


def table(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"charrnn {name}", **CONTEXT)
    usage = command.get_usage(context).removeprefix("Usage: ")
    rows = [f"### {' '.join(usage.split())}", "", "| option | what |", "|---|---|"]
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option):
            shown = parameter.get_help_record(context)
            assert shown
            option, text = (" ".join(part.split()).replace("|", "\\|") for part in shown)
            rows.append(f"| `{option}` | {text} |")
    return "\n".join(rows) + "\n"


def written(readme: str) -> str:
    """The README with the reference as it should be."""
    pattern = re.compile(f"(?<={re.escape(BEGIN)}).*(?={re.escape(END)})", re.DOTALL)
    assert pattern.search(readme), "the README has a place for the reference"
    return pattern.sub(lambda _: "\n" + reference() + "\n", readme)


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
