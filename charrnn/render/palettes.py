"""Colours for values between −1 and 1, and for probabilities."""

from collections.abc import Mapping
from types import MappingProxyType

Color = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

PALETTES: Mapping[str, tuple[Color, Color, Color]] = MappingProxyType(
    {
        "blue-red": ((33, 102, 172), (247, 247, 247), (178, 24, 43)),
        "karpathy": ((60, 120, 255), (255, 255, 255), (0, 170, 60)),
    }
)
"""The colours of −1, 0 and 1. Blue and red are distinct for colour-blind readers, too; green for
high and blue for low are the colours of Karpathy (2015)."""
DEFAULT_PALETTE = "blue-red"
DARK_MIDDLE: Color = (36, 36, 40)
"""The colour of 0 on a dark page."""
CERTAIN: Color = (200, 20, 20)
"""The colour of a probability of 1; that of 0 is the background."""


def color(value: float, palette: str, *, dark: bool = False) -> Color:
    """The colour of a value between −1 and 1: a mixture of those of 0 and ±1."""
    low, middle, high = PALETTES[palette]
    if dark:
        middle = DARK_MIDDLE
    return mix(middle, high if value >= 0 else low, min(abs(value), 1.0))


def probability_color(p: float, ground: Color = (255, 255, 255)) -> Color:
    """The shade of red of a probability p, by √p, so that small probabilities differ visibly."""
    return mix(ground, CERTAIN, float(min(max(p, 0.0), 1.0)) ** 0.5)


def mix(one: Color, other: Color, share: float) -> Color:
    """A mixture of two colours, with this share of the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def ink(ground: Color) -> Color:
    """Black or white: the one with more contrast to the background, by WCAG 2."""
    return (0, 0, 0) if luminance(ground) > 0.179 else (255, 255, 255)


def luminance(ground: Color) -> float:
    """Relative luminance, 0 to 1, as WCAG 2 defines it."""
    red, green, blue = (
        x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4
        for x in (channel / 255 for channel in ground)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
