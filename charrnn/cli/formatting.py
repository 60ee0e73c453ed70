"""Numbers and texts in the form that people read."""

import math
import re
from typing import TYPE_CHECKING

from charrnn.errors import OptionError

if TYPE_CHECKING:
    from charrnn.nn.network import NetworkConfig


def counted(number: int, what: str) -> str:
    """A number of things, such as "1 text" or "2 texts"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def nats_and_bits(loss: float) -> str:
    """A loss, given in nats, in both units."""
    return f"{loss:.4f} nats ({loss / math.log(2):.4f} bits) per character"


def clock(seconds: float) -> str:
    """A duration as H:MM:SS or M:SS."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def harmless(text: str) -> str:
    """Text that is safe on a terminal: control characters become a middle dot."""
    return "".join(
        character if character.isprintable() or character == "\n" else "·"
        for character in text.replace("\r\n", "\n").expandtabs(4)
    )


JOINERS = "\u200c\u200d"
"""Characters of no width, in emoji and in the words of many scripts; safe on a terminal."""


def visible(text: str) -> str:
    """Text for a terminal, unchanged but for control characters, which become visible symbols.

    >>> visible("a\\x1b[31m\\tb\\n")
    'a␛[31m\\tb\\n'
    """
    if text.isprintable():
        return text
    from charrnn.text.display import shown

    return "".join(
        character
        if character.isprintable() or character in "\n\t" or character in JOINERS
        else shown(character)
        for character in text
    )


def parsed_unit(wanted: str, config: "NetworkConfig") -> tuple[int, int]:
    """Layer and unit of a name such as L1:42. Raises OptionError for a unit that the network does
    not have."""
    match = re.fullmatch(r"[Ll]?(\d{1,9}):(\d{1,9})", wanted.strip())
    if match:
        layer, unit = map(int, match.groups())
        if layer < config.layers and unit < config.hidden_size:
            return layer, unit
    raise OptionError(
        f"there is no unit {harmless(wanted)}: name one from L0:0 to "
        f"L{config.layers - 1}:{config.hidden_size - 1}"
    )
