"""What `charrnn sample` writes to standard output, and how."""

import codecs
import io
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from charrnn.cli.formatting import counted, harmless, visible
from charrnn.cli.standard_streams import discard
from charrnn.errors import CharRNNError

if TYPE_CHECKING:
    from charrnn.model import Model
    from charrnn.sampling.generator import GeneratedText
    from charrnn.sampling.options import SamplingOptions
    from charrnn.types import IdArray, Text

LINES_READ_AT_ONCE = 64


@dataclass
class Writing:
    """Texts of a model on their way to standard output."""

    model: "Model"
    options: "SamplingOptions"
    unknown: Literal["error", "skip"]
    written: list[list[int]] = field(default_factory=list)
    """The symbols of each text and its prime; kept only if they are compared with another text."""

    def plain(self, prime: "Text", samples: int) -> Iterator[bytes]:
        """Texts that follow a prime, each after its prime: the first one as it is written."""
        pieces = self.model.pieces(self.options, prime=prime, samples=samples, unknown=self.unknown)
        prime_ids = self.model.vocabulary.encode(prime, unknown=self.unknown)
        decode = self.model.vocabulary.decode_bytes
        number, end = 0, LastLine()
        if samples > 1:
            yield f"--- 1 of {samples} ---\n".encode()
        yield end.seen(decode(prime_ids))
        self._note(prime_ids)
        for piece in pieces:
            if piece.number != number:
                number = piece.number
                yield end.missing()
                yield f"--- {number + 1} of {samples} ---\n".encode()
                yield end.seen(decode(prime_ids))
                self._note(prime_ids)
            if self.written:
                self.written[-1] += piece.ids
            yield end.seen(decode(piece.ids))
        yield end.missing()

    def records(self, texts: "Iterable[GeneratedText]") -> Iterator[bytes]:
        """A JSON object for each text."""
        for text in texts:
            self._note(text.whole_ids)
            entry = {
                "index": text.number,
                "seed": text.seed,
                "prime": text.prime,
                "text": text.text,
                "log_probabilities": [round(log, 6) for log in text.log_probabilities.tolist()],
            }
            yield (json.dumps(entry) + "\n").encode()

    def lines(self, texts: "Iterable[GeneratedText]") -> Iterator[bytes]:
        """A line for each text."""
        for text in texts:
            self._note(text.whole_ids)
            yield self.model.vocabulary.decode_bytes(text.ids) + b"\n"

    def texts(self, prime: "Text", samples: int) -> "Iterator[GeneratedText]":
        """Texts that follow a prime."""
        yield from self.model.texts(
            self.options, prime=prime, samples=samples, unknown=self.unknown
        )

    def continued_lines(self) -> "Iterator[GeneratedText]":
        """For each line of standard input, the text that follows it."""
        first = 0
        for lines in arriving_lines():
            known = [decoded_line(line, first + n, self.model) for n, line in enumerate(lines)]
            yield from self.model.continue_lines(
                known, self.options, first=first, unknown=self.unknown
            )
            first += len(lines)

    def copies(self, name: str) -> Iterator[str]:
        """How much of the texts is copied from the text of that name, for people."""
        import numpy as np

        from charrnn.sampling.copying import COUNTED_PASSAGE, copy_report

        if self.options.novelty is None:
            return
        texts = [np.array(ids, np.intp) for ids in self.written]
        report = copy_report(self.options.novelty, texts)
        yield (
            f"charrnn: {report.share:.1%} of {report.symbols:,} characters are in "
            f"passages of at least {COUNTED_PASSAGE} that are copied from "
            f"{harmless(name)}; the longest:"
        )
        for ids in report.longest:
            text = self.model.vocabulary.decode(ids)
            yield f"  {counted(len(ids), 'character')}: {shortened(text)}"

    def _note(self, ids: "IdArray") -> None:
        if self.options.novelty is not None:
            self.written.append(ids.tolist())


class LastLine:
    """Knows whether the last line of a text that is being written has its line end."""

    def __init__(self) -> None:
        self._is_ended = False

    def seen(self, piece: bytes) -> bytes:
        """Take note of the next piece of the text, and return it."""
        if piece:
            self._is_ended = piece.endswith(b"\n")
        return piece

    def missing(self) -> bytes:
        """The line end that the text still needs, if any. Then another text may begin."""
        ended, self._is_ended = self._is_ended, False
        return b"" if ended else b"\n"


def shortened(text: str, most: int = 100) -> str:
    """The beginning of a text, on one line."""
    line = harmless(text).replace("\n", "↵")
    return line if len(line) <= most else line[: most - 1] + "…"


def arriving_lines() -> Iterator[list[bytes]]:
    """The lines of standard input, without their ends: as many as have arrived, up to
    LINES_READ_AT_ONCE."""
    from charrnn.text.sources import open_stdin

    read = getattr(open_stdin(), "read1")  # noqa: B009  # that of a buffered reader, which it is
    begun = b""
    while piece := read(2**16):
        *lines, begun = (begun + piece).split(b"\n")
        for start in range(0, len(lines), LINES_READ_AT_ONCE):
            yield lines[start : start + LINES_READ_AT_ONCE]
    if begun:
        yield [begun]


def decoded_line(line: bytes, number: int, model: "Model") -> "Text":
    """A line of standard input, without the \\r of a line end of Windows."""
    from charrnn.text.sources import decoded

    line = line.removesuffix(b"\r")
    if model.vocabulary.is_bytes:
        return line
    return decoded(line, f"line {number + 1} of standard input")


def for_terminal(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same text with control characters replaced, so that a terminal shows them and does not
    obey them."""
    decoder = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder("utf-8")("replace"), translate=True
    )
    for piece in pieces:
        yield visible(decoder.decode(piece)).encode()
    yield visible(decoder.decode(b"", final=True)).encode()


def write_quietly(pieces: Iterator[bytes], *, raw: bool = True) -> None:
    """Write each piece to standard output at once. Exits quietly when its reader goes away.

    On a terminal, control characters are replaced, unless `raw`.
    """
    if sys.stdout is None:
        raise CharRNNError("standard output is closed: there is nowhere to write to")
    output = sys.stdout.buffer
    if not raw and output.isatty():
        pieces = for_terminal(pieces)
    try:
        for piece in pieces:
            output.write(piece)
            output.flush()
    except BrokenPipeError:
        discard(output)
        sys.exit(0)
    except OSError as error:
        discard(output)
        raise CharRNNError(f"cannot write to standard output: {error.strerror}") from error
    except KeyboardInterrupt:
        sys.exit(130)
