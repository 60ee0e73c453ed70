"""One symbol after another: the network's own predictions, fed back to it."""

import math
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import OptionError
from charrnn.network import IdArray, Network
from charrnn.softmax import softmax
from charrnn.stepper import Stepper


class Sampler:
    """S streams of text that go on from the same prime; it carries their state.

    Before anything was fed, the prediction is that of a state of zeros.
    """

    def __init__(
        self,
        network: Network,
        samples: int = 1,
        clamp: Mapping[tuple[int, int], float] | None = None,
    ) -> None:
        """`clamp` has the value of each (layer, unit) that is held at one in every step (see
        `Cell.hold`)."""
        self._stepper = Stepper(network, samples)
        for layer in range(network.config.layers):
            held = {unit: x for (place, unit), x in (clamp or {}).items() if place == layer}
            if held:
                units, streams = np.meshgrid(list(held), np.arange(samples), indexing="ij")
                values = np.repeat(list(held.values()), samples)
                self._stepper.hold(layer, units.ravel(), streams.ravel(), values)
        self.reset()

    def reset(self) -> None:
        """Forget everything that was fed."""
        self._stepper.reset()
        self._logits = self._stepper.predict()

    def feed(self, ids: IdArray) -> None:
        """Read one symbol in each stream: `ids` (S,)."""
        self._logits = self._stepper.step(ids)

    def prime(self, ids: IdArray) -> None:
        """Read the symbols `ids` (N,) in all streams alike."""
        for id in ids:
            self.feed(np.full(self._stepper.streams, id))

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """What comes next, (V, S): each column sums to 1."""
        return softmax(self._logits)

    def draw(self, rng: np.random.Generator, temperature: float) -> NDArray[np.intp]:
        """Draw the next symbol of each stream (S,) from softmax(logits / temperature).

        Temperature 0 takes the most probable symbol. Nothing is fed.
        """
        if temperature == 0:
            best: NDArray[np.intp] = self._logits.argmax(axis=0)
            return best
        p = np.subtract(self._logits, self._logits.max(axis=0), dtype=np.float64)
        with np.errstate(over="ignore"):  # −∞ will do: the probability is 0
            p /= temperature
        p = np.exp(p, out=p).cumsum(axis=0)
        # the first symbol whose cumulative probability exceeds a number drawn from [0, 1)
        drawn: NDArray[np.intp] = (p <= rng.random(p.shape[1]) * p[-1]).sum(axis=0)
        return drawn


def check_temperature(temperature: float) -> None:
    """Raises OptionError unless the temperature is a number of at least 0."""
    if not (math.isfinite(temperature) and temperature >= 0):
        raise OptionError(f"a temperature of {temperature} makes no sense: give 0 or more")


def generate(
    sampler: Sampler, rng: np.random.Generator, *, length: int | None, temperature: float
) -> Iterator[NDArray[np.intp]]:
    """Symbols (S,), one draw after another: `length` of them, or without end for None."""
    check_temperature(temperature)
    count = 0
    while length is None or count < length:
        ids = sampler.draw(rng, temperature)
        yield ids
        sampler.feed(ids)
        count += 1
