"""Files that a command writes beside its output."""

from pathlib import Path

import click

from charrnn.cli.formatting import harmless
from charrnn.errors import CharRNNError


def check_writable(path: Path | None) -> None:
    """Raise CharRNNError before the work where a file cannot be written."""
    if path is None or str(path) == "-":
        return
    try:
        existed = path.exists()
        if existed and not path.is_file():
            return  # a pipe may wait for its reader
        path.open("ab").close()
        if not existed:
            path.unlink()
    except OSError as error:
        raise cannot_write(path, error) from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file so that it is either whole or as it was before; what is not a regular file, such
    as a device or a pipe, is written to directly. A notice on standard error names a regular file
    and its size. Raises CharRNNError."""
    from charrnn.checkpoints.atomic_write import replace_file

    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        replace_file(path, lambda file: file.write(content))
    except OSError as error:
        raise cannot_write(path, error) from error
    click.echo(f"charrnn: wrote {harmless(str(path))} ({len(content) / 1e6:.1f} MB)", err=True)


def cannot_write(path: Path, error: OSError) -> CharRNNError:
    return CharRNNError(f"cannot write {path}: {error.strerror or error}")
