"""One symbol after another: the network's own predictions, fed back to it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import OptionError
from charrnn.nn.network import Network
from charrnn.nn.single_step import Stepper
from charrnn.nn.softmax import softmax
from charrnn.sampling.copying import CopyLimit
from charrnn.sampling.filters import Chance, Choice, Floats
from charrnn.sampling.stopping import Ending
from charrnn.types import Array, IdArray


class Sampler:
    """S streams of text that go on from the same prime; it carries their state.

    Before anything was fed, the prediction is that of a state of zeros.
    """

    def __init__(
        self,
        network: Network,
        samples: int = 1,
        clamp: Mapping[tuple[int, int], float] | None = None,
        limit: CopyLimit | None = None,
    ) -> None:
        """`clamp` has the value of each (layer, unit) that is held at one in every step (see
        `Cell.hold`); `limit` knows what the streams begin with."""
        self.streams = samples
        self._limit = limit
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
            self.feed(np.full(self.streams, id))

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """What comes next, (V, S): each column sums to 1."""
        return softmax(self._logits)

    def draw(
        self, rng: Chance, choice: Choice, writing: Sequence[int] | None = None
    ) -> NDArray[np.intp]:
        """Draw the next symbol of each stream (S,) as `choice` says. Nothing is fed. `writing` are
        the streams whose symbols count, by default all.

        Raises OptionError where a limit on copies leaves no symbol.
        """
        if self._limit is None:
            return choice.draw(self._logits, rng)
        writing = range(self.streams) if writing is None else writing
        ids = choice.draw(self._without_copies(self._limit, choice, writing), rng)
        for stream in writing:
            self._limit.push(stream, int(ids[stream]))
        return ids

    def _without_copies(self, limit: CopyLimit, choice: Choice, writing: Sequence[int]) -> Array:
        logits = self._logits.copy()
        for stream in writing:
            logits[limit.forbidden(stream), stream] = -np.inf
        left = np.isfinite(logits)
        left[choice.forbidden] = False
        if not left.any(axis=0).all():
            raise OptionError(
                "every character that may be written would copy more than --max-copy allows: "
                "allow longer copies, or more characters"
            )
        return logits

    def log_probabilities(self, ids: NDArray[np.intp]) -> NDArray[np.float64]:
        """ln p of the symbols `ids` (S,), as the network itself says it, in nats."""
        p = softmax(self._logits)[ids, np.arange(len(ids))]
        with np.errstate(divide="ignore"):
            logs: NDArray[np.float64] = np.log(p)
        return logs


def generate(
    sampler: Sampler,
    rng: np.random.Generator,
    *,
    length: int | None,
    choice: Choice,
    logs: list[NDArray[np.float64]] | None = None,
) -> Iterator[NDArray[np.intp]]:
    """Symbols (S,), one draw after another: `length` of them, or without end for None. Their
    `Sampler.log_probabilities` (S,) are appended to `logs`, if it is given."""
    count = 0
    while length is None or count < length:
        ids = sampler.draw(rng, choice)
        if logs is not None:
            logs.append(sampler.log_probabilities(ids))
        yield ids
        sampler.feed(ids)
        count += 1


@dataclass(frozen=True)
class _Each:
    """Chance, of which each stream has its own: those that write draw a number, the others none."""

    rngs: Sequence[np.random.Generator]
    writing: Sequence[int]

    def random(self, size: int, /) -> Floats:
        numbers = np.zeros(size)
        numbers[self.writing] = [self.rngs[stream].random() for stream in self.writing]
        return numbers


@dataclass
class Continuation:
    """A text that goes on from a prime: its symbols, and ln p of each of them, in nats."""

    ids: list[int] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)


def continue_each(
    sampler: Sampler,
    primes: Sequence[IdArray],
    rngs: Sequence[np.random.Generator],
    endings: Sequence[Ending],
    *,
    length: int,
    choice: Choice,
) -> list[Continuation]:
    """Go on from S primes (N₁,) … (N_S,), each of at least one symbol, side by side: up to `length`
    symbols each, or to its ending.

    Each text has its own chance, so that it comes out the same whatever stands beside it. The limit
    on copies of the sampler has to know the primes.
    """
    sampler.reset()
    texts = [Continuation() for _ in primes]
    ends = [len(prime) + length for prime in primes]
    for step in range(max(ends, default=0)):
        ids = np.zeros(len(primes), np.intp)
        writing = [
            n
            for n, prime in enumerate(primes)
            if len(prime) <= step < ends[n] and not endings[n].is_over
        ]
        if writing:
            ids = sampler.draw(_Each(rngs, writing), choice, writing)
            logs = sampler.log_probabilities(ids)
            for n in writing:
                texts[n].ids += endings[n].push(int(ids[n]))
                texts[n].log_probabilities.append(float(logs[n]))
        elif all(len(prime) <= step for prime in primes):
            break
        for n, prime in enumerate(primes):
            if step < len(prime):
                ids[n] = prime[step]
        sampler.feed(ids)
    for text, ending in zip(texts, endings, strict=True):
        text.ids += ending.rest()
        del text.log_probabilities[len(text.ids) :]
    return texts
