"""List well-known public corpora, or download one and verify its size and SHA-256.

    python corpora/public.py list
    python corpora/public.py get tinyshakespeare

`public.toml` has the sizes, hashes and addresses.
"""

import hashlib
import os
import shutil
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import click
from tqdm import tqdm

LIST = Path(__file__).with_name("public.toml")
_CHUNK = 1 << 16  # bytes
_TIMEOUT = 30  # seconds without a byte


class CorpusError(Exception):
    """An error message of one line: what went wrong, and what to do about it."""


@dataclass(frozen=True)
class Corpus:
    """One entry of the list. `bytes` and `sha256` are those of the file at `url`."""

    name: str
    title: str
    licence: str
    url: str
    bytes: int
    sha256: str
    member: str | None = None  # the text's name in a zip archive
    member_bytes: int | None = None

    @property
    def text_bytes(self) -> int:
        """Size of the text itself."""
        return self.bytes if self.member_bytes is None else self.member_bytes


def load(path: Path = LIST) -> dict[str, Corpus]:
    """The list of corpora, by name."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: Corpus(name, **entry) for name, entry in entries.items()}


def find(name: str, corpora: dict[str, Corpus]) -> Corpus:
    """The corpus called `name`. Raises CorpusError, with all names, if there is none."""
    if name not in corpora:
        raise CorpusError(f"there is no corpus called {name!r}; there are {', '.join(corpora)}")
    return corpora[name]


def _ignore(_count: int) -> None:
    """A `tick` that shows nothing."""


def fetch(
    corpus: Corpus, target: Path, force: bool = False, tick: Callable[[int], object] = _ignore
) -> None:
    """Download `corpus` to `target` and verify it, or raise CorpusError and leave no file behind.

    `tick` is called with the number of bytes of each piece that arrives. An existing `target` is
    replaced only with `force`.
    """
    _refuse_existing(target, force)
    try:
        with _temporary(target) as (path, file):
            _verify(corpus, _download(corpus, file, tick))
            if corpus.member is None:
                _put(file, path, target, force)
                return
            with _temporary(target, "text") as (text_path, text):
                _unpack(corpus, path, text)
                _put(text, text_path, target, force)
    except OSError as error:
        raise CorpusError(f"cannot write {target}: {error.strerror or error}") from error


def _refuse_existing(target: Path, force: bool) -> None:
    if target.exists() and not force:
        raise CorpusError(f"{target} exists already; --force replaces it, --output names another")


@contextmanager
def _temporary(target: Path, kind: str = "part") -> Iterator[tuple[Path, BinaryIO]]:
    """A new file beside `target`, which is removed at the end unless it was renamed."""
    path = target.with_name(f".{target.name}.{os.getpid()}.{kind}")
    try:
        with path.open("xb") as file:
            yield path, file
    finally:
        path.unlink(missing_ok=True)


def _download(corpus: Corpus, file: BinaryIO, tick: Callable[[int], object]) -> tuple[int, str]:
    """Write what the server sends to `file`; return its size in bytes and its SHA-256.

    Reads at most one byte more than expected, so that a file that is too long is noticed without
    being downloaded.
    """
    digest = hashlib.sha256()
    size = 0
    for chunk in _stream(corpus, corpus.bytes + 1):
        file.write(chunk)
        digest.update(chunk)
        size += len(chunk)
        tick(len(chunk))
    file.flush()
    return size, digest.hexdigest()


def _stream(corpus: Corpus, limit: int) -> Iterator[bytes]:
    """At most `limit` bytes from the server. Raises CorpusError when the network fails."""
    request = Request(corpus.url, headers={"User-Agent": "charrnn-corpora"})
    try:
        with urlopen(request, timeout=_TIMEOUT) as response:
            while limit and (chunk := response.read(min(_CHUNK, limit))):
                limit -= len(chunk)
                yield chunk
    except HTTPError as error:
        error.close()
        raise CorpusError(f"{corpus.url}: HTTP {error.code} {error.reason}") from error
    except URLError as error:
        raise CorpusError(f"cannot reach {corpus.url}: {error.reason}") from error
    except (HTTPException, OSError) as error:
        reason = str(error) or type(error).__name__
        raise CorpusError(f"the connection to {corpus.url} broke: {reason}") from error


def _verify(corpus: Corpus, found: tuple[int, str]) -> None:
    size, sha256 = found
    if size != corpus.bytes:
        came = f"more than {corpus.bytes:,}" if size > corpus.bytes else f"{size:,}"
        raise CorpusError(f"{corpus.url}: expected {corpus.bytes:,} bytes, got {came}")
    if sha256 != corpus.sha256:
        raise CorpusError(f"{corpus.url}: expected SHA-256 {corpus.sha256}, got {sha256}")


def _unpack(corpus: Corpus, archive: Path, text: BinaryIO) -> None:
    with zipfile.ZipFile(archive) as content, content.open(corpus.member or "") as member:
        shutil.copyfileobj(member, text)
    if text.tell() != corpus.text_bytes:
        raise CorpusError(
            f"{corpus.member} in {corpus.url}: expected {corpus.text_bytes:,} bytes,"
            f" got {text.tell():,}"
        )


def _put(file: BinaryIO, path: Path, target: Path, force: bool) -> None:
    """Flush `file` to the disk, and rename its `path` to the target atomically."""
    file.flush()
    os.fsync(file.fileno())
    file.close()  # Windows does not rename open files
    _refuse_existing(target, force)
    os.replace(path, target)


@click.group()
def main() -> None:
    """Well-known public corpora: list them, or get one."""


@main.command("list")
def list_command() -> None:
    """Print name, size in bytes, licence and title of every corpus."""
    corpora = load().values()
    rows = [("name", "bytes", "licence", "title")]
    rows += [(c.name, f"{c.text_bytes:,}", c.licence, c.title) for c in corpora]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, size, licence, title in rows:
        click.echo(f"{name:{widths[0]}}  {size:>{widths[1]}}  {licence:{widths[2]}}  {title}")


@main.command("get")
@click.argument("name")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write.  [default: NAME.txt in the current folder]",
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def get_command(name: str, output: Path | None, force: bool) -> None:
    """Download the corpus NAME, verify its size and SHA-256, and save it."""
    try:
        corpus = find(name, load())
        target = output or Path(f"{name}.txt")
        with tqdm(total=corpus.bytes, unit="B", unit_scale=True, desc=name, disable=None) as bar:
            fetch(corpus, target, force, bar.update)
    except CorpusError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{target}: {corpus.text_bytes:,} bytes, verified", err=True)


if __name__ == "__main__":
    main()
