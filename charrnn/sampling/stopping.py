"""Where a text that is being written ends before its length is reached."""

from collections.abc import Sequence


class Ending:
    """Watches one text, symbol by symbol: it ends before any of the `stops` (sequences of ids), and
    after `lines` symbols `newline`.

    What may be the beginning of a stop is held back until it is known to be none.
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
        self.is_over = lines == 0

    def push(self, id: int) -> list[int]:
        """Take the next symbol; those that are sure to be part of the text now."""
        if self.is_over:
            return []
        self._held.append(id)
        for stop in self._stops:
            if tuple(self._held[-len(stop) :]) == stop:
                self.is_over = True
                return self._let_go(len(self._held) - len(stop))
        if self._lines is not None and id == self._newline:
            self._lines -= 1
            self.is_over = self._lines == 0
        if self.is_over:
            return self._let_go(len(self._held))
        return self._let_go(len(self._held) - self._pending())

    def rest(self) -> list[int]:
        """What was held back, once the text has reached its length."""
        return [] if self.is_over else self._let_go(len(self._held))

    def _pending(self) -> int:
        """The most symbols at the end of what is held that a stop begins with."""
        return max(
            (
                size
                for stop in self._stops
                for size in range(1, min(len(stop), len(self._held) + 1))
                if tuple(self._held[-size:]) == stop[:size]
            ),
            default=0,
        )

    def _let_go(self, count: int) -> list[int]:
        gone, self._held = self._held[:count], self._held[count:]
        return gone
