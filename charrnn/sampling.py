"""One symbol after another: the network's own predictions, fed back to it."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from charrnn.choice import Choice
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

    def draw(self, rng: np.random.Generator, choice: Choice) -> NDArray[np.intp]:
        """Draw the next symbol of each stream (S,) as `choice` says. Nothing is fed."""
        return choice.draw(self._logits, rng)


def generate(
    sampler: Sampler, rng: np.random.Generator, *, length: int | None, choice: Choice
) -> Iterator[NDArray[np.intp]]:
    """Symbols (S,), one draw after another: `length` of them, or without end for None."""
    count = 0
    while length is None or count < length:
        ids = sampler.draw(rng, choice)
        yield ids
        sampler.feed(ids)
        count += 1
