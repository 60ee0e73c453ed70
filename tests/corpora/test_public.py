"""The downloader of public corpora, against a server on this computer."""

import hashlib
import os
import re
import socket
import threading
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import public
from public import Corpus, CorpusError, fetch, load, main

TEXT = b"All happy corpora are alike.\n" * 5000  # more than one chunk


def zipped(member: str, text: bytes) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, text)
    return file.getvalue()


ARCHIVE = zipped("inside", TEXT)


class Handler(BaseHTTPRequestHandler):
    """/text and /archive are good, /short breaks off, /endless goes on, everything else is 404."""

    def do_GET(self) -> None:
        body = {"/text": TEXT, "/archive": ARCHIVE, "/short": TEXT[:70_000], "/endless": TEXT * 2}
        if self.path not in body:
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/endless":
            length = len(TEXT) if self.path == "/short" else len(body[self.path])
            self.send_header("Content-Length", str(length))
        self.end_headers()
        with suppress(ConnectionError):  # the client hangs up when it has read too much
            self.wfile.write(body[self.path])

    def log_message(self, format: str, *args: object) -> None:
        """Be quiet."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server that runs while the tests of this file do."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.fixture
def corpus(server: str) -> Corpus:
    """An entry whose figures are right."""
    digest = hashlib.sha256(TEXT).hexdigest()
    return Corpus("happy", "Happy", "ours", f"{server}/text", len(TEXT), digest)


@pytest.fixture
def listed(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes `corpus` the only entry of the list."""
    monkeypatch.setattr(public, "load", lambda: {corpus.name: corpus})


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the tests off any proxy that the environment names."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def files(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_the_list_is_complete_and_well_formed() -> None:
    corpora = load()
    assert {"tinyshakespeare", "war_and_peace", "names"} <= set(corpora)
    for corpus in corpora.values():
        assert re.fullmatch("[0-9a-f]{64}", corpus.sha256)
        assert corpus.bytes > 0
        assert corpus.url.startswith("https://")
        assert corpus.title
        assert corpus.licence
        assert (corpus.member is None) == (corpus.member_bytes is None)


def test_list_prints_every_corpus_on_stdout() -> None:
    result = run("list")
    assert result.exit_code == 0
    assert result.stderr == ""
    for name in load():
        assert re.search(rf"^{name} ", result.stdout, re.MULTILINE)
    assert "1,115,394" in result.stdout


@pytest.mark.usefixtures("listed")
def test_get_saves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("get", "happy")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert result.stderr == "happy.txt: 145,000 bytes, verified\n"
    assert (tmp_path / "happy.txt").read_bytes() == TEXT
    assert files(tmp_path) == ["happy.txt"]


@pytest.mark.usefixtures("listed")
def test_get_keeps_an_existing_file(tmp_path: Path) -> None:
    target = tmp_path / "mine.txt"
    target.write_text("mine")
    result = run("get", "happy", "--output", str(target))
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "mine.txt exists already; --force replaces it" in result.stderr
    assert target.read_text() == "mine"
    result = run("get", "happy", "--output", str(target), "--force")
    assert result.exit_code == 0, result.stderr
    assert target.read_bytes() == TEXT
    assert files(tmp_path) == ["mine.txt"]


@pytest.mark.usefixtures("listed")
def test_an_unknown_name_lists_the_names() -> None:
    result = run("get", "sad")
    assert result.exit_code == 1
    assert result.stderr == "Error: there is no corpus called 'sad'; there are happy\n"


@pytest.mark.usefixtures("listed")
def test_a_folder_that_is_not_there_is_one_line_of_error(tmp_path: Path) -> None:
    result = run("get", "happy", "--output", str(tmp_path / "none" / "happy.txt"))
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "cannot write" in result.stderr
    assert "No such file" in result.stderr


def test_progress_counts_every_byte(corpus: Corpus, tmp_path: Path) -> None:
    ticks: list[int] = []
    fetch(corpus, tmp_path / "happy.txt", tick=ticks.append)
    assert sum(ticks) == len(TEXT)
    assert len(ticks) > 1


def failure(corpus: Corpus, folder: Path) -> str:
    """The message with which `fetch` fails; nothing is left behind, and nothing replaced."""
    target = folder / "kept.txt"
    target.write_text("kept")
    with pytest.raises(CorpusError) as error:
        fetch(corpus, target, force=True)
    assert target.read_text() == "kept"
    assert files(folder) == ["kept.txt"]
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_wrong_hash_names_both(corpus: Corpus, tmp_path: Path) -> None:
    message = failure(replace(corpus, sha256="0" * 64), tmp_path)
    assert f"expected SHA-256 {'0' * 64}, got {corpus.sha256}" in message


def test_a_body_that_breaks_off(corpus: Corpus, server: str, tmp_path: Path) -> None:
    message = failure(replace(corpus, url=f"{server}/short"), tmp_path)
    assert f"{server}/short" in message
    assert "expected 145,000 bytes, got 70,000" in message or "broke" in message


def test_a_body_that_is_too_long(corpus: Corpus, server: str, tmp_path: Path) -> None:
    message = failure(replace(corpus, url=f"{server}/endless"), tmp_path)
    assert "expected 145,000 bytes, got more than 145,000" in message


def test_a_missing_page(corpus: Corpus, server: str, tmp_path: Path) -> None:
    message = failure(replace(corpus, url=f"{server}/none"), tmp_path)
    assert f"{server}/none: HTTP 404 Not Found" in message


def test_a_refused_connection(corpus: Corpus, tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound, but it does not listen: nobody answers
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        message = failure(replace(corpus, url=f"http://127.0.0.1:{port}/text"), tmp_path)
    assert f"cannot reach http://127.0.0.1:{port}/text" in message


def in_archive(corpus: Corpus, server: str) -> Corpus:
    digest = hashlib.sha256(ARCHIVE).hexdigest()
    return Corpus("happy", "", "", f"{server}/archive", len(ARCHIVE), digest, "inside", len(TEXT))


def test_an_archive_is_unpacked(corpus: Corpus, server: str, tmp_path: Path) -> None:
    fetch(in_archive(corpus, server), tmp_path / "happy.txt")
    assert (tmp_path / "happy.txt").read_bytes() == TEXT
    assert files(tmp_path) == ["happy.txt"]


def test_an_archive_with_another_text(corpus: Corpus, server: str, tmp_path: Path) -> None:
    message = failure(replace(in_archive(corpus, server), member_bytes=7), tmp_path)
    assert "inside in" in message
    assert "expected 7 bytes, got 145,000" in message


def test_a_file_that_appears_during_the_download_is_kept(corpus: Corpus, tmp_path: Path) -> None:
    target = tmp_path / "happy.txt"
    with pytest.raises(CorpusError, match="exists already"):
        fetch(corpus, target, tick=lambda count: target.write_text("theirs"))
    assert target.read_text() == "theirs"
    assert files(tmp_path) == ["happy.txt"]
