"""What a network writes while one of its units is held at a value.

Every text begins as after a line end and is written with the unit held from its first character on,
as `charrnn sample --clamp` does. The texts of all values use the same random numbers, so that they
differ by nothing but the value. The beginning of a text does not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.machine.blas import one_thread
from charrnn.neurons.explain.columns import feature_words
from charrnn.neurons.explain.naming import listed, symbol_names
from charrnn.neurons.explain.output import Factor, largest_factors
from charrnn.neurons.features.registry import Feature
from charrnn.nn.network import Network
from charrnn.nn.reading import map_in_threads
from charrnn.nn.single_step import Stepper
from charrnn.options import usable_threads
from charrnn.sampling.filters import Filters, Floats, forbidden_ids
from charrnn.sampling.options import SamplingOptions
from charrnn.sampling.sampler import LARGEST_CLAMP
from charrnn.sampling.stopping import line_end
from charrnn.text.vocabulary import Vocabulary

VALUES = (-1.0, -0.5, 0.0, 0.5, 1.0)
SEEDS = 200
"""Texts for each value."""
CHARACTERS = 120
"""Of each text that count."""
BEGINNING = 30
"""Characters of each text that are written before those that count."""
OTHER_CELLS, OTHER_SEEDS = 20, 30
"""Cells that are held for comparison, and texts of each at −1 and at +1."""
RESAMPLES = 1000
"""Of the bootstrap over seeds (Efron 1979), from which intervals come."""
STREAMS_AT_ONCE = 250
"""Texts that one thread writes side by side."""

Texts = NDArray[np.intp]
"""Symbols (…, characters) of texts."""


@dataclass(frozen=True)
class _SameNumbers:
    """Random numbers for several texts a seed: each seed's text gets the same ones."""

    rng: np.random.Generator
    seeds: int

    def random(self, size: int, /) -> Floats:
        """Numbers (size,) from [0, 1): those of all seeds, again and again."""
        return np.tile(self.rng.random(self.seeds), size // self.seeds)


def held_texts(
    network: Network,
    vocabulary: Vocabulary,
    units: Sequence[tuple[int, int]],
    values: Sequence[float],
    *,
    seeds: int = SEEDS,
    seed: int = 1,
) -> Texts:
    """The texts (U, values, seeds, `BEGINNING` + `CHARACTERS`) that a network writes while each of
    `units` (layer, unit) is held at each of `values`, from −1 to 1.

    The result is the same for any number of processors.
    """
    pairs = [(unit, value) for unit in units for value in values]
    size = max(1, STREAMS_AT_ONCE // seeds)
    groups = [pairs[start : start + size] for start in range(0, len(pairs), size)]

    def write(group: list[tuple[tuple[int, int], float]]) -> Texts:
        return _written(network, vocabulary, group, seeds, np.random.default_rng(seed))

    with one_thread():
        texts = map_in_threads(write, groups, usable_threads())
    return np.concatenate(texts).reshape(len(units), len(values), seeds, -1)


def _written(
    network: Network,
    vocabulary: Vocabulary,
    held: Sequence[tuple[tuple[int, int], float]],
    seeds: int,
    rng: np.random.Generator,
) -> Texts:
    """The texts (held·seeds, characters) of some units, each at its value."""
    streams = len(held) * seeds
    stepper = Stepper(network, streams)
    for layer in range(network.config.layers):
        chosen = [n for n, ((place, _), _) in enumerate(held) if place == layer]
        columns = np.array([n * seeds + s for n in chosen for s in range(seeds)], np.intp)
        units = np.repeat([held[n][0][1] for n in chosen], seeds).astype(np.intp)
        doses = np.repeat([held[n][1] for n in chosen], seeds)
        stepper.hold(layer, units, columns, doses.clip(-LARGEST_CLAMP, LARGEST_CLAMP))
    options = SamplingOptions()
    filters = Filters(options, forbidden_ids(options, vocabulary))
    numbers = _SameNumbers(rng, seeds)
    logits = stepper.predict()
    for id in line_end(vocabulary):
        logits = stepper.step(np.full(streams, id))
    texts = np.empty((streams, BEGINNING + CHARACTERS), np.intp)
    for t in range(texts.shape[1]):
        texts[:, t] = filters.draw(logits, numbers)
        if t + 1 < texts.shape[1]:
            logits = stepper.step(texts[:, t])
    return texts


def feature_means(texts: Texts, vocabulary: Vocabulary, feature: Feature) -> Floats:
    """The mean of a feature in each text of (…, characters): (…), from 0 to 1 for a flag."""
    flat = texts.reshape(-1, texts.shape[-1])
    symbols = vocabulary.symbols
    means = [
        feature.track("".join(map(chr, symbols[ids].tolist())))[BEGINNING:].mean() for ids in flat
    ]
    return np.array(means, np.float64).reshape(texts.shape[:-1])


@dataclass(frozen=True)
class DoseResponse:
    """How often a feature occurs in texts that are written with a cell held at each of `VALUES`.

    `means` are the means of the feature (of a flag, the share of the text where it is on), `lows`
    and `highs` the ends of their 95 % intervals. `change` is the mean at +1 less that at −1, with
    its interval, and `others` are the changes by other cells of similar spread. `symbols` come so
    many times as often at +1 as at −1.
    """

    feature: str
    is_flag: bool
    means: list[float]
    lows: list[float]
    highs: list[float]
    change: tuple[float, float, float]
    others: list[float]
    symbols: list[Factor]

    def in_words(self) -> str:
        """For example: held at +1, 94 % (92 % to 96 %) of the text is inside quotes; held …"""
        high, low = (self._amount(n) for n in (-1, 0))
        on = feature_words(self.feature)[0]
        if self.is_flag:
            text = f"held at +1, {high} of the text is {on}; held at −1, {low}"
        else:
            text = f"held at +1, the mean of {on} is {high}; held at −1, {low}"
        if self.change[1] <= 0 <= self.change[2]:
            text += " (no clear difference)"
        if self.others:
            text += f"; {len(self.others)} similar cells, held alike: {self._change_of_others()}"
        if self.symbols:
            named = listed([symbol.in_words() for symbol in self.symbols], "and")
            text += f"; written at +1 as against −1: {named}"
        return text

    def _change_of_others(self) -> str:
        """Where nine in ten of their changes are."""
        low, high = np.quantile(self.others, (0.05, 0.95))
        if self.is_flag:
            return f"{100 * low:+.1f} to {100 * high:+.1f} points, nine in ten of them"
        return f"{low:+.1f} to {high:+.1f}, nine in ten of them"

    def _amount(self, n: int) -> str:
        low, high = self._number(self.lows[n]), self._number(self.highs[n])
        return f"{self._number(self.means[n])} ({low} to {high})"

    def _number(self, mean: float) -> str:
        if not self.is_flag:
            return f"{mean:.1f}"
        return f"{100 * mean:.0f} %" if abs(mean) >= 0.0995 else f"{100 * mean:.1f} %"


def dose_response(
    texts: Texts, others: Texts, vocabulary: Vocabulary, feature: Feature, seed: int = 1
) -> DoseResponse:
    """From the texts (values, seeds, characters) of a cell that is held at `VALUES`, and those of
    other cells (cells, 2, seeds, characters) that are held at −1 and +1."""
    means = feature_means(texts, vocabulary, feature)  # (values, seeds)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(means.shape[1], size=(RESAMPLES, means.shape[1]))
    resampled = means[:, drawn].mean(axis=2)  # (values, resamples)
    lows, highs = np.quantile(resampled, (0.025, 0.975), axis=1)
    lowest, highest = np.quantile(resampled[-1] - resampled[0], (0.025, 0.975)).tolist()
    of_others = feature_means(others, vocabulary, feature).mean(axis=2)
    shares = _symbol_shares(texts, vocabulary.size)
    return DoseResponse(
        feature=feature.name,
        is_flag=feature.kind == "flag",
        means=means.mean(axis=1).tolist(),
        lows=lows.tolist(),
        highs=highs.tolist(),
        change=(float(means[-1].mean() - means[0].mean()), lowest, highest),
        others=(of_others[:, 1] - of_others[:, 0]).tolist(),
        symbols=largest_factors(shares[0], shares[1], symbol_names(vocabulary)),
    )


def _symbol_shares(texts: Texts, symbols: int) -> list[tuple[Floats, Floats]]:
    """The shares (V,) of all characters in texts at the last value and at the first: in those of
    every second seed, and in those of the other seeds."""
    counted = texts[:, :, BEGINNING:]

    def shares(value: int, first: int) -> Floats:
        some = counted[value, first::2]
        return np.bincount(some.reshape(-1), minlength=symbols) / some.size

    return [(shares(-1, first), shares(0, first)) for first in (0, 1)]
