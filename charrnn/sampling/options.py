"""The options of a generated text: which symbols may be drawn, and where the text ends."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

from charrnn.errors import OptionError
from charrnn.sampling.copying import ReferenceText
from charrnn.types import Text

Unit = tuple[int, int]
"""Layer, and unit of that layer, both from 0 on."""


@dataclass(frozen=True)
class SamplingOptions:
    """How to generate texts. Raises OptionError for values that make no sense.

    A text ends after `length` symbols (None: never), before the first of the texts `stop`, or after
    so many `lines`, whichever comes first. `temperature` divides the logits: below 1 probable
    symbols become more probable, and 0 always takes the most probable one. `typical_p` 1, `top_p`
    1, `top_k` 0 and `min_p` 0 filter nothing (see `charrnn.sampling.filters`). Symbols of
    `suppress` are never written, and no others than those of `allow`, if it is given. The same
    `seed` gives the same texts; None draws one.

    `clamp` holds units (layer, unit) at a value from −1 to 1 while the network reads and writes:
    tanh(c), or h in cells without a c. `max_copy` is the most symbols in a row that a text may
    share with the text `novelty` (`Model.reference_text`).
    """

    length: int | None = 500
    temperature: float = 1.0
    typical_p: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    suppress: Text = ""
    allow: Text | None = None
    stop: Sequence[Text] = ()
    lines: int | None = None
    seed: int | None = None
    clamp: Mapping[Unit, float] = field(default_factory=dict)
    novelty: ReferenceText | None = None
    max_copy: int | None = None

    def __post_init__(self) -> None:
        self._check("temperature", "a number of at least 0", lambda x: _is_number(x) and x >= 0)
        for name in ("typical_p", "top_p"):
            self._check(name, "above 0 and at most 1", lambda x: _is_number(x) and 0 < x <= 1)
        self._check("min_p", "from 0 to 1", lambda x: _is_number(x) and 0 <= x <= 1)
        self._check("top_k", "a whole number of at least 0", lambda x: _is_whole(x, 0))
        for name in ("length", "seed"):
            self._check(
                name, "a whole number of at least 0", lambda x: x is None or _is_whole(x, 0)
            )
        for name in ("lines", "max_copy"):
            self._check(
                name, "a whole number of at least 1", lambda x: x is None or _is_whole(x, 1)
            )
        self._check("stop", "a list of texts", lambda x: not isinstance(x, str | bytes))
        for (layer, unit), value in self.clamp.items():
            if not (_is_number(value) and -1 <= value <= 1):
                raise OptionError(f"L{layer}:{unit} cannot be held at {value}: give -1 to 1")
        if self.max_copy is not None and self.novelty is None:
            raise OptionError("`max_copy` needs `novelty`: the text that is not to be copied")

    def _check(self, name: str, wanted: str, is_good: Callable[[Any], bool]) -> None:
        value = getattr(self, name)
        if not is_good(value):
            raise OptionError(f"`{name}` must be {wanted}, not {value!r}")

    @property
    def may_never_end(self) -> bool:
        """Whether nothing ends a text: no length, no stop and no number of lines."""
        return self.length is None and not self.stop and self.lines is None


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least
