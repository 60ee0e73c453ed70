"""Units that follow features of a made-up text, among slow ones that follow nothing."""

import numpy as np
from numpy.typing import NDArray

from charrnn.neurons.claims import Half

N = 44_000
UNITS = 12
STATE, INVERTED, DETECTOR, NUMBER = 3, 5, 7, 9
"""Units that follow the first feature, its opposite, the second, and the third."""


def slow(rng: np.random.Generator, shape: tuple[int, int], rho: float) -> NDArray[np.float32]:
    """Autoregressive noise (N, U) with unit variance: a part of a longer one, so that its ends do
    not meet."""
    length = 2 * shape[0]
    angle = 2 * np.pi * np.fft.rfftfreq(length)
    filtered = np.fft.rfft(rng.normal(size=(length, shape[1])), axis=0)
    filtered /= (1 - rho * np.exp(-1j * angle))[:, np.newaxis]
    noise = np.fft.irfft(filtered, axis=0)[: shape[0]] * (1 - rho**2) ** 0.5
    return noise.astype(np.float32)  # type: ignore[no-any-return]


def half(seed: int, planted: bool = True) -> Half:
    """Units that follow what they do, with noise, among slow ones that follow nothing."""
    rng = np.random.default_rng([111, seed])
    symbols = rng.integers(20, size=N)
    spells = slow(rng, (N, 1), 0.98)[:, 0] > 1
    marks = symbols == 4
    depth = np.round(slow(rng, (N, 1), 0.99))
    values = slow(rng, (N, UNITS), 0.95)
    if planted:
        values[:, STATE] = 2 * spells + rng.normal(size=N)
        values[:, INVERTED] = -2 * spells + rng.normal(size=N)
        values[:, DETECTOR] = 3 * marks + rng.normal(size=N)
        values[:, NUMBER] = depth[:, 0] + rng.normal(size=N)
    return Half(values, np.stack([spells, marks], axis=1), depth, symbols)
