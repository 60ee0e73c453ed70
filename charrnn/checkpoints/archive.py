"""Reads `.npz` archives that nobody vouches for: nothing is unpickled, and memory is allocated only
for what the archive can hold."""

import io
import json
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import CheckpointError, OptionError

HEADER = "header.npy"
LARGEST_HEADER = 9 * 10**6
"""In bytes; a vocabulary of all of Unicode takes 8 million."""
BYTES_READ_AT_ONCE = 2**20
"""Bytes of an array that are read at a time."""
# what NumPy, zipfile and zlib raise for malformed files
MALFORMED = (
    EOFError, ValueError, KeyError, TypeError, RuntimeError, NotImplementedError, OverflowError,
    RecursionError, MemoryError, SyntaxError, tokenize.TokenError, zipfile.BadZipFile,
    zlib.error, struct.error,
)  # fmt: skip


@contextmanager
def reading(path: Path, kind: str, remedy: str = "") -> Iterator[zipfile.ZipFile]:
    """The archive in `path`, while it is read as `kind`, for example "a charrnn checkpoint". Raises
    CheckpointError for what cannot be read, and in place of all that malformed content raises;
    a `remedy` is what its message ends with."""
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            yield archive
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}") from error
    except OptionError as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error
    except MALFORMED as error:
        fault = str(error).strip().split("\n")[0] or type(error).__name__
        raise CheckpointError(
            f"{path} is not {kind}, or it is damaged ({fault})" + (remedy and f": {remedy}")
        ) from error


def read_header(archive: zipfile.ZipFile, name: str, newest: int, path: Path) -> dict[str, Any]:
    """The header of a file whose format has this `name` and versions up to `newest`.

    Raises CheckpointError where a newer charrnn wrote the file, ValueError for what no charrnn
    writes.
    """
    if HEADER not in archive.namelist():
        raise ValueError("it has no header")
    header = _header(archive)
    if not isinstance(header, dict) or header.get("format") != name:
        raise ValueError("its header names another format")
    version = header.get("version")
    if type(version) is int and version > newest:
        raise CheckpointError(
            f"{path} was written by a newer charrnn (format {version}, this one reads up to "
            f"{newest}): upgrade charrnn to use it"
        )
    if type(version) is not int or version != newest:
        raise ValueError(f"format version {version!r}")
    return header


def _header(archive: zipfile.ZipFile) -> Any:
    """The header of a file, as JSON. Raises ValueError for one that is larger than any could be."""
    with _opened(archive, HEADER) as entry:
        text = entry.read(LARGEST_HEADER + 1)
    if len(text) > LARGEST_HEADER:
        raise ValueError("its header is too large")
    return json.loads(_bytes(text))


def has_format(path: Path, name: str) -> bool:
    """Whether `path` is an archive whose header names this format; the rest may be damaged."""
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            header = _header(archive)
            return isinstance(header, dict) and header.get("format") == name
    except (OSError, *MALFORMED):
        return False


def read_array(
    archive: zipfile.ZipFile,
    name: str,
    shape: tuple[int | None, ...],
    dtypes: Sequence[np.dtype[Any]],
    *,
    most_unpacked: float,
) -> NDArray[Any]:
    """An array of that shape (None: any length) and one of the `dtypes`. Memory is allocated only
    after type, shape and size in the file have been checked: its size may be `most_unpacked` times
    that in the file. Raises what `MALFORMED` lists."""
    info = archive.getinfo(f"{name}.npy")
    with _opened(archive, info.filename) as entry:
        found, by_columns, dtype = _described(entry)
        if dtype not in dtypes:
            wanted = " or ".join(map(str, dtypes))
            raise ValueError(f"{name} has numbers of type {dtype} instead of {wanted}")
        fits = len(found) == len(shape) and all(
            wanted in (None, length) for wanted, length in zip(shape, found, strict=True)
        )
        if not fits or (by_columns and len(found) > 1):
            wanted = ", ".join("any" if length is None else str(length) for length in shape)
            raise ValueError(f"{name} has the shape {found}, not ({wanted})")
        size = dtype.itemsize * math.prod(found)
        if size != info.file_size - entry.tell() or size > most_unpacked * info.compress_size:
            raise ValueError(f"{name} does not have the size that it claims")
        content = memoryview(bytearray(size))
        for start in range(0, size, BYTES_READ_AT_ONCE):
            part = content[start : start + BYTES_READ_AT_ONCE]
            part[:] = entry.read(len(part))
    native = dtype.newbyteorder("=")
    return np.frombuffer(content, dtype).astype(native, copy=False).reshape(found)


def _opened(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """An entry of the archive. Raises ValueError for compression that NumPy does not use."""
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is compressed in a way that NumPy does not know")
    return archive.open(name)


def _bytes(text: bytes) -> bytes:
    """The content of a vector of bytes in NumPy's format."""
    stream = io.BytesIO(text)
    shape, _, dtype = _described(stream)
    content = stream.read()
    if dtype != np.uint8 or shape != (len(content),):
        raise ValueError("its header is not a vector of bytes")
    return content


def _described(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether it is in column-major order, and type of an array, from the header of NumPy's
    format at the beginning of the stream."""
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f"version {version} of NumPy's format")
    described: tuple[tuple[int, ...], bool, np.dtype[Any]] = read(stream)
    return described
