"""Programs in Lark, a small language that exists only here: blocks, brackets, strings, comments.

    to count_sacks(sacks, limit):
        let total = 0
        each sack in sacks:
            when weigh(sack.price) > limit:
                say("too many", {"sacks": total})
            otherwise:
                # skip the heavy ones
                total += prices[check(sack.size - 1)]
        give total

The longest statement at the deepest level still ends within the width of a line.
"""

from lexicon import WORDS
from scene import Scene, between, pick
from tagged_text import CODE, CURLY, PAREN, QUOTE, SQUARE

INDENT = 4  # spaces a level; a listing stands one level in
_LEVELS = 3  # of blocks in blocks, below the `to` line
_LOOPS = 2  # of loops in loops
_FIELDS = ("size", "price", "age")
_TABLES = ("prices", "places")
_OPERATORS = ("+", "-", "*")
_COMPARISONS = ("<", ">", "==", "<=", ">=")


class Listing:
    """Writes one program into the text of a scene. All of it is code, line ends included."""

    def __init__(self, scene: Scene, verb: str, things: str) -> None:
        self.scene = scene
        self.out = scene.out
        self.rng = scene.rng
        self.verb = verb
        self.things = things
        self.items: list[str] = []  # the names of the loops that are open

    def write(self) -> None:
        """The whole program: a head, a few statements, and what it gives back."""
        with self.out.span(CODE):
            self._start(0)
            self.out.text(f"to {self.verb}_{self.things}")
            with self.out.span(PAREN):
                self.out.text(f"{self.things}, limit")
            self._end(":")
            self._line(1, "let total = 0")
            self._block(1)
            self._line(1, "give total")

    def _start(self, level: int) -> None:
        self.out.text(" " * INDENT * (level + 1))

    def _end(self, text: str = "") -> None:
        self.out.text(text)
        self.out.newline()

    def _line(self, level: int, text: str) -> None:
        self._start(level)
        self._end(text)

    # Statements. Each writes whole lines at its level.

    def _block(self, level: int) -> None:
        for _ in range(between(self.rng, 1, 3)):
            self._statement(level)

    def _statement(self, level: int) -> None:
        kinds = [self._assignment, self._call, self._comment]
        if level < _LEVELS:
            kinds += [self._condition, self._condition]
            if len(self.items) < _LOOPS:
                kinds += [self._loop, self._loop]
        pick(self.rng, kinds)(level)

    def _comment(self, level: int) -> None:
        self._line(level, "# " + self.scene.plain("comment"))
        self._assignment(level)

    def _assignment(self, level: int) -> None:
        self._start(level)
        self.out.text(f"total {pick(self.rng, _OPERATORS)}= ")
        pick(self.rng, (self._simple, self._lookup, self._sum))()
        self._end()

    def _call(self, level: int) -> None:
        self._start(level)
        self.out.text(pick(self.rng, ("say", "send")))
        with self.out.span(PAREN):
            self._string()
            self.out.text(", ")
            pick(self.rng, (self._simple, self._list, self._table))()
        self._end()

    def _loop(self, level: int) -> None:
        """Every one of the things, and inside of it every part of one."""
        item = "part" if self.items else self.things[:-1]
        whole = f"{self.items[-1]}.parts" if self.items else self.things
        self._line(level, f"each {item} in {whole}:")
        self.items.append(item)
        self._block(level + 1)
        self.items.pop()

    def _condition(self, level: int) -> None:
        self._start(level)
        self.out.text("when ")
        self._lookup()
        self.out.text(f" {pick(self.rng, _COMPARISONS)} ")
        self._simple()
        self._end(":")
        self._block(level + 1)
        if self.rng.random() < 0.4:
            self._line(level, "otherwise:")
            self._block(level + 1)

    # Expressions. Each writes a part of a line.

    def _simple(self) -> None:
        fields = [f"{item}.{pick(self.rng, _FIELDS)}" for item in self.items]
        self.out.text(pick(self.rng, ["limit", "total", self._whole(), *fields, *fields]))

    def _whole(self) -> str:
        return str(between(self.rng, 1, 99))

    def _sum(self) -> None:
        with self.out.span(PAREN):
            self._lookup(deepest=1)
            self.out.text(f" {pick(self.rng, _OPERATORS)} ")
            self._simple()

    def _lookup(self, deepest: int = 2) -> None:
        """A call or an index, or one in the other: prices[check(sack.size - 1)]."""
        tables, functions = (SQUARE, _TABLES), (PAREN, WORDS["verb_task"])
        mark, names = pick(self.rng, (tables, functions))
        self.out.text(pick(self.rng, names))
        with self.out.span(mark):
            if deepest > 1 and self.rng.random() < 0.4:
                self._lookup(deepest - 1)
                return
            self._simple()
            if deepest > 1 and self.rng.random() < 0.4:
                self.out.text(f" {pick(self.rng, _OPERATORS)} {self._whole()}")

    def _string(self) -> None:
        with self.out.span(QUOTE):
            words = (self.things, f"no {self.things}", "done", "too many", "next: ")
            self.out.text(pick(self.rng, words))

    def _list(self) -> None:
        with self.out.span(SQUARE):
            self._simple()
            self.out.text(", ")
            self._simple()

    def _table(self) -> None:
        with self.out.span(CURLY):
            self._string()
            self.out.text(": ")
            self._simple()
