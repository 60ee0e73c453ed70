"""What `charrnn sample` writes to standard output, and how."""

import codecs
import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from charrnn.cli.formatting import counted, harmless, visible
from charrnn.cli.standard_streams import discard
from charrnn.errors import CharRNNError, UnknownSymbolError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from charrnn.model import Model
    from charrnn.sampling.copying import CopyLimit, Source
    from charrnn.sampling.filters import Choice
    from charrnn.sampling.stopping import Ending
    from charrnn.types import IdArray

BATCH = 64
"""Lines of standard input that are continued side by side."""
NOTABLE = 20
"""Characters that a copied passage has at least to count in the share that is copied."""
NAMED = 5
"""Copied passages that are spelled out."""


@dataclass
class Writing:
    """What is to be written with a model, and what was."""

    model: "Model"
    choice: "Choice"
    length: int
    stops: Sequence[str]
    lines: int | None
    seed: int
    clamp: Mapping[tuple[int, int], float]
    source: "Source | None" = None
    max_copy: int | None = None
    as_json: bool = False
    written: "list[IdArray]" = field(default_factory=list)
    """The texts, each with what it went on from; kept only where there is a source."""

    def texts(self, prime: "IdArray", samples: int) -> Iterator[bytes]:
        """So many texts that go on from a prime, piece by piece."""
        logs: list[NDArray[np.float64]] = []
        stream = self.model.sample_ids(
            # negative lengths get their message there
            self.length or None,
            choice=self.choice,
            seed=self.seed,
            prime=prime,
            samples=samples,
            clamp=self.clamp,
            limit=self._limit([prime], samples),
            logs=logs if self.as_json else None,
        )
        if self.as_json:
            return self._records(stream, prime, samples, logs)
        return self._pieces(stream, prime, samples)

    def continued_lines(self, unknown: Literal["error", "skip"]) -> Iterator[bytes]:
        """For each line of standard input, in order, a line that goes on from it."""
        number = 0
        for lines in arriving_lines():
            primes = [
                encoded_line(self.model, line, number + n + 1, unknown)
                for n, line in enumerate(lines)
            ]
            texts = self.model.continuations(
                primes,
                length=self.length or sys.maxsize,
                choice=self.choice,
                seed=self.seed,
                first=number,
                ending=lambda: self._ending("\n"),
                clamp=self.clamp,
                limit=self._limit(primes),
            )
            for prime, text in zip(primes, texts, strict=True):
                self._note(prime, text.ids)
                if self.as_json:
                    yield self._record(number, prime, text.ids, text.log_probabilities)
                else:
                    yield self.model.vocabulary.decode_bytes(text.ids) + b"\n"
                number += 1

    def copied(self, name: str) -> Iterator[str]:
        """What of the texts stands in the source of that name, for people."""
        from charrnn.sampling.copying import passages

        if self.source is None:
            return
        found = [(ids, passage) for ids in self.written for passage in passages(self.source, ids)]
        total = sum(map(len, self.written))
        notable = sum(passage.length for _, passage in found if passage.length >= NOTABLE)
        yield (
            f"charrnn: of {total:,} characters, {min(notable, total) / max(total, 1):.1%} stand in "
            f"passages of {NOTABLE} and more that are in {harmless(name)}; the longest:"
        )
        longest = sorted(found, key=lambda pair: -pair[1].length)[:NAMED]
        for ids, passage in longest:
            text = self.model.vocabulary.decode(ids[passage.start :][: passage.length])
            yield f"  {counted(passage.length, 'character')}: {shortened(text)}"

    def _ending(self, *more: str) -> "Ending":
        return self.model.ending([*self.stops, *more], self.lines)

    def _limit(self, primes: "Sequence[IdArray]", each: int = 1) -> "CopyLimit | None":
        if self.source is None or self.max_copy is None:
            return None
        from charrnn.sampling.copying import CopyLimit

        return CopyLimit(self.source, self.max_copy, [prime.tolist() for prime in primes] * each)

    def _pieces(
        self, stream: "Iterator[NDArray[np.intp]]", prime: "IdArray", samples: int
    ) -> Iterator[bytes]:
        """The first text as it comes, the others after it."""
        decode = self.model.vocabulary.decode_bytes
        if samples > 1:
            yield f"--- 1 of {samples} ---\n".encode()
        yield decode(prime)
        first, kept = self._ending(), []
        others: list[tuple[Ending, list[int]]] = []
        for ids in stream:
            if len(others) < samples - 1:  # not before it is clear that there is room for so many
                others = [(self._ending(), []) for _ in range(samples - 1)]
            piece = first.push(int(ids[0]))
            if self.source is not None:
                kept += piece
            yield decode(piece)
            for (ending, text), id in zip(others, ids[1:].tolist(), strict=True):
                text += ending.push(id)
            if first.is_over and all(ending.is_over for ending, _ in others):
                break
        rest = first.rest()
        self._note(prime, kept + rest)
        yield decode(rest)
        for index in range(samples - 1):
            yield f"\n--- {index + 2} of {samples} ---\n".encode()
            yield decode(prime)
            if others:  # without a length there is nothing to write
                ending, text = others[index]
                text += ending.rest()
                self._note(prime, text)
                yield decode(text)
        yield b"\n"

    def _records(
        self,
        stream: "Iterator[NDArray[np.intp]]",
        prime: "IdArray",
        samples: int,
        logs: "list[NDArray[np.float64]]",
    ) -> Iterator[bytes]:
        """The texts as JSON, once all are written."""
        endings = [self._ending() for _ in range(samples)]
        texts: list[list[int]] = [[] for _ in endings]
        for ids in stream:
            for ending, text, id in zip(endings, texts, ids.tolist(), strict=True):
                text += ending.push(id)
            if all(ending.is_over for ending in endings):
                break
        for index, (ending, text) in enumerate(zip(endings, texts, strict=True)):
            text += ending.rest()
            self._note(prime, text)
            costs = [float(log[index]) for log in logs[: len(text)]]
            yield self._record(index, prime, text, costs)

    def _record(
        self, index: int, prime: "IdArray", text: list[int], logs: Sequence[float]
    ) -> bytes:
        entry = {
            "index": index,
            "seed": self.seed,
            "prime": self.model.vocabulary.decode(prime),
            "text": self.model.vocabulary.decode(text),
            "log_probabilities": [round(log, 6) for log in logs],
        }
        return (json.dumps(entry) + "\n").encode()

    def _note(self, prime: "IdArray", text: list[int]) -> None:
        if self.source is not None:
            import numpy as np

            self.written.append(np.concatenate([prime, np.array(text, prime.dtype)]))


def shortened(text: str, most: int = 100) -> str:
    """The beginning of a text, on one line."""
    line = harmless(text).replace("\n", "↵")
    return line if len(line) <= most else line[: most - 1] + "…"


def arriving_lines() -> Iterator[list[bytes]]:
    """The lines of standard input, without their ends: as many as are there, up to `BATCH`."""
    from charrnn.text.sources import open_stdin

    read = getattr(open_stdin(), "read1")  # noqa: B009  # that of a buffered reader, which it is
    begun = b""
    while piece := read(2**16):
        *lines, begun = (begun + piece).split(b"\n")
        for start in range(0, len(lines), BATCH):
            yield lines[start : start + BATCH]
    if begun:
        yield [begun]


def encoded_line(
    model: "Model", line: bytes, number: int, unknown: Literal["error", "skip"]
) -> "IdArray":
    """A line of standard input, without the \\r of an end as Windows has it."""
    from charrnn.text.sources import decoded

    name, line = f"line {number} of standard input", line.removesuffix(b"\r")
    try:
        text = line if model.vocabulary.is_bytes else decoded(line, name)
        return model.vocabulary.encode(text, unknown=unknown)
    except UnknownSymbolError as error:
        raise UnknownSymbolError(f"{name}: {error}") from error


def for_terminal(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same for people: a terminal shows what it gets, and obeys none of it."""
    decoder = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder("utf-8")("replace"), translate=True
    )
    for piece in pieces:
        yield visible(decoder.decode(piece)).encode()
    yield visible(decoder.decode(b"", final=True)).encode()


def write_quietly(pieces: Iterator[bytes], *, raw: bool = True) -> None:
    """Write to standard output at once, and end without noise when its reader goes away.

    On a terminal, what it might obey is only shown, unless `raw`.
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
