"""What `charrnn visualize-neurons` prints, and the files that it writes."""

import io
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from charrnn.cli.output_files import check_writable, write_file
from charrnn.cli.standard_streams import discard, emit

if TYPE_CHECKING:
    from charrnn.neurons.build_report import ReportBuilder
    from charrnn.neurons.report import Report

SHOWN = 800
"""Characters on the terminal and in a picture, unless told."""
SHOWN_ON_PAGE = 4000
"""Characters on a page and in files of data, unless told."""
UNITS_ON_PAGE = 64
"""Units in files of data, unless all are wanted."""


@dataclass(frozen=True)
class NeuronOutput:
    """Where a report goes, and how much of it: to the terminal if no file is named."""

    html: Path | None
    json: Path | None
    npz: Path | None
    svg: Path | None
    length: int | None
    rows: int
    predictions: int
    width: int
    opened: Sequence[str] = ()
    """Features whose cells are listed, instead of a line for each feature."""

    @property
    def has_data(self) -> bool:
        """Whether more is written than the terminal shows."""
        return not (self.html is self.json is self.npz is None)

    @property
    def characters(self) -> int:
        """Characters of the text to show, at most."""
        return self.length or (SHOWN_ON_PAGE if self.has_data else SHOWN)

    def check(self) -> None:
        """Raise CharRNNError where a file cannot be written."""
        for path in (self.html, self.json, self.npz, self.svg):
            check_writable(path)

    def write(self, report: "Report") -> None:
        """Write the files that were asked for, or else to the terminal."""
        if self.html is not None:
            from charrnn.render.page import page

            write_file(self.html, page(report, self.opened).encode())
        if self.json is not None:
            from charrnn.neurons.report_json import as_json

            text = json.dumps(as_json(report), ensure_ascii=True, separators=(",", ":")) + "\n"
            if str(self.json) == "-":
                emit([text])
            else:
                write_file(self.json, text.encode())
        if self.npz is not None:
            write_file(self.npz, as_npz(report))
        if self.svg is not None:
            write_file(self.svg, self._picture(report).encode())
        elif not self.has_data:
            self._show(report)

    def _picture(self, report: "Report") -> str:
        from charrnn.render.svg import svg
        from charrnn.render.terminal import report_lines

        lines = report_lines(
            report,
            rows=self.rows,
            predictions=self.predictions,
            width=self.width,
            colors=True,
            length=self.length or SHOWN,
            opened=self.opened,
        )
        return svg(lines, title=report.title, palette=report.palette, width=self.width)

    def _show(self, report: "Report") -> None:
        from rich.console import Console

        from charrnn.render.terminal import report_lines

        emit([])  # there must be a standard output
        console = Console(
            file=sys.stdout, highlight=False, markup=False, soft_wrap=True, emoji=False
        )
        lines = report_lines(
            report,
            rows=self.rows,
            predictions=self.predictions,
            width=shutil.get_terminal_size().columns,
            colors=console.color_system is not None and not console.no_color,
            opened=self.opened,
        )
        try:
            for line in lines:
                console.print(line, crop=False, overflow="ignore")
        except BrokenPipeError:
            discard(sys.stdout)
            sys.exit(0)


def shown_units(
    builder: "ReportBuilder",
    first: tuple[int, int],
    excerpt: slice,
    output: NeuronOutput,
    *,
    all_units: bool,
) -> list[tuple[int, int]]:
    """The units whose values are written; more than the first one only for files of data."""
    if not output.has_data:
        return [first]
    units = builder.with_others(first, None if all_units else UNITS_ON_PAGE)
    if all_units:
        tell_size(len(units), excerpt)
    return units


def tell_size(units: int, excerpt: slice) -> None:
    """Say how much space the values of the units take in a file."""
    size = units * (excerpt.stop - excerpt.start) * 4 / 3
    click.echo(f"charrnn: {units:,} units take about {size / 1e6:.1f} MB", err=True)


def as_npz(report: "Report") -> bytes:
    """The arrays of a report as the content of a file for NumPy."""
    import numpy as np

    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **report.arrays())
    return content.getvalue()
