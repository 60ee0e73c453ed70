"""From patterns to text: chooses words, keeps to the facts of a page, writes spans.

Only the method `.random()` of a `random.Random` is used. Python guarantees the same numbers for
the same seed in every version; NumPy does not guarantee that for its Generator. So a seed gives the
same corpus everywhere, to the byte.
"""

import re
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import NamedTuple, TypeVar

from grammar import RULES
from lexicon import (
    HOSTS,
    MEN,
    PROVINCES,
    RIVERS,
    SURNAMES,
    TOWN_HEADS,
    TOWN_TAILS,
    WOMEN,
    WORDS,
    plural,
    with_article,
)
from tagged_text import LINK, PAREN, QUOTE, SQUARE, TEMPLATE, URL, TaggedText

T = TypeVar("T")

_SPANS = {"quote": QUOTE, "paren": PAREN, "square": SQUARE}
_NUMBERS = {"page": (2, 400), "count": (2, 90), "people": (100, 9999)}  # lowest and highest


class Person(NamedTuple):
    """A name, and whether the pronouns are she, her, her."""

    first: str
    last: str
    woman: bool

    @property
    def full(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def pronouns(self) -> dict[str, str]:
        she, her, him = ("she", "her", "her") if self.woman else ("he", "his", "him")
        return {"she": she, "her": her, "him": him}


TOWNS = tuple(head + tail for head in TOWN_HEADS for tail in TOWN_TAILS)
PEOPLE = tuple(
    Person(first, last, woman)
    for names, woman in ((WOMEN, True), (MEN, False))
    for first in names
    for last in SURNAMES
)


def pick(rng: Random, items: Sequence[T]) -> T:
    """One of `items`, each equally likely."""
    return items[int(rng.random() * len(items))]


def between(rng: Random, low: int, high: int) -> int:
    """A whole number from `low` to `high`, both included."""
    return low + int(rng.random() * (high - low + 1))


class Scene:
    """The facts of one page, and the means to write sentences about them into `out`."""

    def __init__(self, out: TaggedText, rng: Random, facts: dict[str, str]) -> None:
        self.out = out
        self.rng = rng
        self.used: set[str] = set()
        year = between(rng, 1150, 1700)
        dates = {"year": str(year), "first_year": str(year + 1), "last_year": "1900"}
        self.facts = dates | {"province": pick(rng, PROVINCES)} | facts
        self.cast()

    def cast(self) -> None:
        """Choose the two people of the next paragraph; one of them is the person of the page."""
        if "name" not in self.facts:
            who = pick(self.rng, PEOPLE)
            self.facts |= {"who": who.first} | who.pronouns
        other = pick(self.rng, PEOPLE)
        while other.first == self.facts["who"]:
            other = pick(self.rng, PEOPLE)
        self.facts |= {"other": other.first, "other_full": other.full}

    def say(self, rule: str) -> None:
        """Write one of the patterns of `rule`."""
        self.compose(pick(self.rng, RULES[rule]))

    def tell(self, rule: str) -> None:
        """Write a pattern of `rule` that this page has not used yet, if there is one."""
        fresh = [pattern for pattern in RULES[rule] if pattern not in self.used] or RULES[rule]
        pattern = pick(self.rng, fresh)
        self.used.add(pattern)
        self.compose(pattern)

    def compose(self, pattern: str) -> None:
        """Write `pattern`, its slots filled."""
        for literal, slot in _parse(pattern):
            self.out.text(literal)
            if slot:
                self._fill(slot)

    def plain(self, slot: str) -> str:
        """The text of a slot that opens no structure."""
        if slot in self.facts:
            return self.facts[slot]
        if slot[0].isupper():
            text = self.plain(slot[0].lower() + slot[1:])
            return text[0].upper() + text[1:]
        if slot.startswith("a:"):
            return with_article(self.plain(slot[2:]))
        if slot.startswith("s:"):
            return plural(self.plain(slot[2:]))
        if slot in RULES or slot in WORDS:
            pattern = pick(self.rng, RULES.get(slot) or WORDS[slot])
            return "".join(
                literal + (self.plain(name) if name else "") for literal, name in _parse(pattern)
            )
        return self._draw(slot)

    def link(self, target: str, label: str = "") -> None:
        """Write [[target]] or [[target|label]], slots both."""
        with self.out.span(LINK):
            self.out.text(self.plain(target) + ("|" + self.plain(label) if label else ""))

    def url(self) -> None:
        """Write an address at one of the names that are reserved for examples."""
        path = [
            pick(self.rng, WORDS[kind]).replace(" ", "-")
            for kind in ("place", "building", "landscape")
        ]
        address = pick(self.rng, ("http://", "https://")) + pick(self.rng, HOSTS)
        address += "/" + "/".join(path[: between(self.rng, 1, 2)])
        ending = pick(
            self.rng,
            ("", "/", ".html", f"?page={self.plain('page')}", f"/{self.plain('later')}#map"),
        )
        with self.out.span(URL):
            self.out.text(address + ending)

    def template(self, name: str, **values: str) -> None:
        """Write {{name|key=value|...}} in one line; the values are patterns."""
        with self.out.span(TEMPLATE):
            self.out.text(name)
            for key, pattern in values.items():
                self.out.text(f"|{key}=")
                self.compose(pattern)

    def _fill(self, slot: str) -> None:
        kind, _, rest = slot.partition(":")
        if kind in _SPANS:
            with self.out.span(_SPANS[kind]):
                self._fill(rest)
        elif kind == "link":
            self.link(*rest.split("|"))
        elif slot == "url":
            self.url()
        elif slot == "cite":
            self._cite()
        elif slot == "distance":
            self.template("length", number="{count}", unit="miles")
        elif slot == "date":
            self.template("date", year="{year}", season="{season}")
        elif slot in RULES and slot not in self.facts:
            self.say(slot)
        else:
            self.out.text(self.plain(slot))

    def _cite(self) -> None:
        """A reference. Half of them have a template within the template."""
        if self.rng.random() < 0.5:
            self.template("cite", book="{book}", page="{page}")
            return
        with self.out.span(TEMPLATE):
            self.out.text("cite|by=")
            self.template("name", last=pick(self.rng, SURNAMES), year="{later}")
            self.out.text(f"|page={self.plain('page')}")

    def _draw(self, slot: str) -> str:
        """Names and numbers that are drawn again for each slot."""
        if slot == "elsewhere":
            town = pick(self.rng, TOWNS)
            return town if town != self.facts.get("town") else self._draw(slot)
        if slot == "someone":
            return pick(self.rng, PEOPLE).full
        if slot == "river":
            return pick(self.rng, RIVERS)
        if slot == "later":
            return str(
                between(self.rng, int(self.facts["first_year"]), int(self.facts["last_year"]))
            )
        low, high = _NUMBERS[slot]
        return f"{between(self.rng, low, high):,}"


@cache
def _parse(pattern: str) -> tuple[tuple[str, str], ...]:
    """The literals of a pattern, each with the slot that follows it ('' after the last one)."""
    parts = re.split(r"\{([^{}]+)\}", pattern)
    return tuple(zip(parts[::2], [*parts[1::2], ""], strict=True))
