"""All that is said of a cell in words, with the figures behind it."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from charrnn.neurons.explain.dose_response import DoseResponse
from charrnn.neurons.explain.edges import Edge
from charrnn.neurons.explain.memory import Memory
from charrnn.neurons.explain.naming import listed
from charrnn.neurons.explain.output import Factor
from charrnn.neurons.explain.rule import Rule
from charrnn.neurons.explain.switches import Switch


@dataclass(frozen=True)
class Explanation:
    """A description of a cell; `is_claimed` says whether it is claimed to follow a feature. Without
    a claim there is no `effect`, and there are no sources and readers.

    `saturated_at` is the mean of a value that hardly changes, else None.
    """

    is_claimed: bool
    has_gates: bool
    layer: int
    layers: int
    saturated_at: float | None
    switches: list[Switch]
    rule: Rule
    memory: Memory
    effect: DoseResponse | None
    sources: list[Edge]
    readers: list[Edge]
    output: list[Factor]

    def paragraphs(self) -> list[tuple[str, str]]:
        """Headings, each with a sentence."""
        return list(self._paragraphs())

    def _paragraphs(self) -> Iterator[tuple[str, str]]:
        if not self.is_claimed:
            yield "no claim", "this cell is not claimed to follow anything; it is only described"
        if self.saturated_at is not None:
            yield (
                "saturated",
                f"its value is always near {self.saturated_at:+.2f}; the rule is for what lies "
                "behind it, which varies without being seen",
            )
        yield "switches", self._switches()
        yield "rule", self.rule.in_words()
        yield "memory", self.memory.in_words()
        if self.effect is not None:
            yield "effect", self.effect.in_words()
        if self.is_claimed:
            yield "sources", self._sources()
            yield "readers", self._readers()
        if self.output:
            named = listed((one.in_words() for one in self.output), "and")
            yield "output", f"the next character, where the cell is high as against low: {named}"

    def _switches(self) -> str:
        if not self.switches:
            return "no single character, in no context, moves it much"
        text = "; ".join(switch.in_words() for switch in self.switches)
        return text if self.has_gates else f"{text} (this kind of cell has no gates)"

    def _sources(self) -> str:
        if self.layer == 0:
            return "the characters themselves: there is no layer below"
        if not self.sources:
            return "no single cell of the layer below matters more than others of equal weight"
        return listed((edge.in_words() for edge in self.sources), "and")

    def _readers(self) -> str:
        if self.layer + 1 == self.layers:
            return "the output: there is no layer above"
        if not self.readers:
            return "no single cell of the layer above depends on it more than on others"
        return listed((edge.in_words() for edge in self.readers), "and")

    def to_json(self) -> dict[str, Any]:
        """All figures, and the words; null for what is no number."""
        words = {heading: text for heading, text in self.paragraphs()}
        found: dict[str, Any] = _plain(asdict(self))
        found["rule"]["is_short_rule"] = self.rule.is_short_rule
        return found | {"words": words}


def _plain(value: Any) -> Any:
    """The same with five significant digits, and null for what is no number in JSON."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    return value
