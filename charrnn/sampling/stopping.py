"""Stop rules: where a generated text ends before its length is reached."""

from collections.abc import Sequence

from charrnn.sampling.options import SamplingOptions
from charrnn.text.vocabulary import Vocabulary
from charrnn.types import IdArray, Text


class StopRule:
    """Ends one text before any of the `stops` (sequences of ids), and after `lines` symbols
    `newline`.

    The text is given symbol by symbol. Symbols that may begin a stop are held back until it is
    known that they do not.
    """

    def __init__(
        self,
        stops: Sequence[Sequence[int]],
        *,
        lines: int | None = None,
        newline: int | None = None,
    ) -> None:
        self._stops = [tuple(stop) for stop in stops if len(stop)]
        self._held: list[int] = []
        self._lines, self._newline = lines, newline
        self.is_over = False

    @property
    def can_end(self) -> bool:
        """Whether any symbols end the text."""
        return bool(self._stops) or (self._lines is not None and self._newline is not None)

    def push(self, id: int) -> list[int]:
        """Take the next symbol; returns the symbols that are now known to belong to the text."""
        if not self._stops and self._lines is None:
            return [id]
        if self.is_over:
            return []
        self._held.append(id)
        for stop in self._stops:
            if tuple(self._held[-len(stop) :]) == stop:
                self.is_over = True
                return self._release(len(self._held) - len(stop))
        if self._lines is not None and id == self._newline:
            self._lines -= 1
            self.is_over = self._lines == 0
        if self.is_over:
            return self._release(len(self._held))
        return self._release(len(self._held) - self._longest_begun_stop())

    def finish(self) -> list[int]:
        """The symbols that were held back, when the text has reached its length."""
        return [] if self.is_over else self._release(len(self._held))

    def _longest_begun_stop(self) -> int:
        """How many of the last held symbols may be the beginning of a stop, at most."""
        return max(
            (
                size
                for stop in self._stops
                for size in range(1, min(len(stop), len(self._held) + 1))
                if tuple(self._held[-size:]) == stop[:size]
            ),
            default=0,
        )

    def _release(self, count: int) -> list[int]:
        released, self._held = self._held[:count], self._held[count:]
        return released


def line_end(vocabulary: Vocabulary) -> IdArray:
    """The id of a line end (1,), or none (0,) where the vocabulary has no line end."""
    return vocabulary.encode(b"\n" if vocabulary.is_bytes else "\n", unknown="skip")


def stop_rule(options: SamplingOptions, vocabulary: Vocabulary) -> StopRule:
    """The rule for one text. A stop with symbols that are not in the vocabulary never occurs."""
    stops = [ids for text in options.stop if (ids := _known(text, vocabulary)) is not None]
    newline = line_end(vocabulary).tolist()
    return StopRule(stops, lines=options.lines, newline=newline[0] if newline else None)


def _known(text: Text, vocabulary: Vocabulary) -> list[int] | None:
    """The ids of a text; None where the vocabulary does not have all of its symbols."""
    symbols = text.encode() if vocabulary.is_bytes and isinstance(text, str) else text
    ids: list[int] = vocabulary.encode(symbols, unknown="skip").tolist()
    return ids if len(ids) == len(symbols) else None
