"""Columns of the tables on a terminal."""

from rich.cells import cell_len, set_cell_size

NAME_WIDTH = 17
"""Of the name of a feature."""


def feature_column(name: str) -> str:
    """The name of a feature, shortened or padded to `NAME_WIDTH` columns."""
    if cell_len(name) > NAME_WIDTH:
        name = set_cell_size(name, NAME_WIDTH - 1).rstrip() + "…"
    return set_cell_size(name, NAME_WIDTH)
