"""The one generator of text: several texts side by side, each from its prime to its end."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import OptionError
from charrnn.sampling.copying import CopyLimit
from charrnn.sampling.filters import Filters, Floats, RandomNumbers, forbidden_ids
from charrnn.sampling.options import SamplingOptions
from charrnn.sampling.sampler import Predictor, Sampler, check_units
from charrnn.sampling.stopping import StopRule, line_end, stop_rule
from charrnn.text.vocabulary import Vocabulary
from charrnn.types import IdArray

Generators = Sequence[np.random.Generator]
"""One random generator for all streams together, or one for each stream."""


class DrawnStep(NamedTuple):
    """One symbol drawn in each of S streams."""

    streams: list[int]
    """The streams that are being written; the symbols of all others mean nothing."""
    ids: NDArray[np.intp]
    """The symbols (S,) that were drawn."""
    added: list[list[int]]
    """S lists: the symbols that are now known to belong to each text."""
    log_probabilities: Floats | None
    """ln p (S,) of the symbols drawn, in nats, if asked for."""


class TextPiece(NamedTuple):
    """Symbols that go on text number `number`, counted from 0."""

    number: int
    ids: list[int]


@dataclass(frozen=True)
class GeneratedText:
    """Text number `number`, from 0 on, of those written with `seed`: what follows its `prime`.

    `ids` (N,) are the symbols of `text`, and `log_probabilities` (N,) ln p of each as it is
    predicted, before temperature and filters, in nats; `prime_ids` are the symbols of `prime`.
    """

    number: int
    seed: int
    prime: str
    text: str
    prime_ids: IdArray
    ids: IdArray
    log_probabilities: Floats

    @property
    def whole_ids(self) -> IdArray:
        """The symbols of the prime and the text."""
        return np.concatenate([self.prime_ids, self.ids])


@dataclass(frozen=True)
class NumbersPerStream:
    """Random numbers from one generator per stream; only the streams `writing` draw one."""

    generators: Generators
    writing: Sequence[int]

    def random(self, size: int, /) -> Floats:
        """Numbers (size,) from [0, 1), and 0 for the other streams."""
        numbers = np.zeros(size)
        numbers[self.writing] = [self.generators[stream].random() for stream in self.writing]
        return numbers


class TextGenerator:
    """Generates texts with a network or a mixture, its vocabulary and options.

    Raises OptionError where the options do not go with the network or its vocabulary.
    """

    def __init__(
        self, predictor: Predictor, vocabulary: Vocabulary, options: SamplingOptions
    ) -> None:
        check_units(options.clamp, predictor)
        self._predictor, self._vocabulary, self._options = predictor, vocabulary, options
        self._filters = Filters(options, forbidden_ids(options, vocabulary))
        waits_for_end = options.length is None and not options.may_never_end
        if waits_for_end and not stop_rule(options, vocabulary).can_end:
            raise OptionError(
                "the text would never end, since the model does not know the line ends or the "
                "characters that `lines` or `stop` wait for: give a `length`"
            )

    def steps(
        self,
        primes: Sequence[IdArray],
        generators: Generators,
        *,
        log_probabilities: bool = False,
    ) -> Iterator[DrawnStep]:
        """Go on from S primes (N₁,) … (N_S,) side by side, until every text has ended.

        A text without a prime begins as after a line end, where the vocabulary has line ends. With
        one random generator per stream, a text is the same whatever stands beside it.
        """
        sampler = Sampler(self._predictor, len(primes), self._options.clamp, self._limit(primes))
        streams = [self._stream(prime) for prime in primes]
        longest_start = max((len(stream.start) for stream in streams), default=0)
        for step in itertools.count():
            writing = [n for n, stream in enumerate(streams) if stream.is_writing(step)]
            if writing:
                ids = sampler.draw(_numbers(generators, writing), self._filters, writing)
                added: list[list[int]] = [[] for _ in primes]
                drawn = ids.tolist()
                for n in writing:
                    added[n] = streams[n].add(drawn[n], step)
                logs = sampler.log_probabilities(ids) if log_probabilities else None
                yield DrawnStep(writing, ids, added, logs)
            elif step < longest_start:
                ids = np.zeros(len(primes), np.intp)
            else:
                return
            if step < longest_start:
                for n, stream in enumerate(streams):
                    if step < len(stream.start):
                        ids[n] = stream.start[step]
            sampler.feed(ids)

    def pieces(self, prime: IdArray, samples: int, seed: int) -> Iterator[TextPiece]:
        """Several texts that go on from one prime: the first one as it is written, then each of the
        others as a whole."""
        others: list[list[int]] = []
        for step in self.steps([prime] * samples, [np.random.default_rng(seed)]):
            if step.added[0]:
                yield TextPiece(0, step.added[0])
            if samples > 1:
                others = others or [[] for _ in range(samples - 1)]
                for text, ids in zip(others, step.added[1:], strict=True):
                    text += ids
        for n in range(1, samples):
            yield TextPiece(n, others[n - 1] if others else [])

    def texts(
        self, primes: Sequence[IdArray], generators: Generators, *, seed: int, first: int = 0
    ) -> list[GeneratedText]:
        """All texts, numbered from `first` on, once they are written."""
        ids: list[list[int]] = [[] for _ in primes]
        logs: list[list[float]] = [[] for _ in primes]
        for step in self.steps(primes, generators, log_probabilities=True):
            assert step.log_probabilities is not None
            for n in step.streams:
                ids[n] += step.added[n]
                logs[n].append(float(step.log_probabilities[n]))
        decode, dtype = self._vocabulary.decode, self._vocabulary.dtype
        return [
            GeneratedText(
                number=first + n,
                seed=seed,
                prime=decode(prime),
                text=decode(ids[n]),
                prime_ids=prime,
                ids=np.array(ids[n], dtype),
                log_probabilities=np.array(logs[n][: len(ids[n])]),
            )
            for n, prime in enumerate(primes)
        ]

    def _stream(self, prime: IdArray) -> "_Stream":
        start = prime if len(prime) else line_end(self._vocabulary)
        length = self._options.length
        end = math.inf if length is None else len(start) + length
        return _Stream(start, end, stop_rule(self._options, self._vocabulary))

    def _limit(self, primes: Sequence[IdArray]) -> CopyLimit | None:
        if self._options.novelty is None or self._options.max_copy is None:
            return None
        return CopyLimit(self._options.novelty, self._options.max_copy, primes)


@dataclass
class _Stream:
    """One text that is being written: it reads the symbols `start` (N,), one a step, and then
    writes until step number `end`, or until the rule stops it."""

    start: IdArray
    end: float
    rule: StopRule

    def is_writing(self, step: int) -> bool:
        return len(self.start) <= step < self.end and not self.rule.is_over

    def add(self, id: int, step: int) -> list[int]:
        """Take the symbol drawn in a step; the symbols now known to belong to the text."""
        added = self.rule.push(id)
        return added + self.rule.finish() if step + 1 == self.end else added


def _numbers(generators: Generators, writing: Sequence[int]) -> RandomNumbers:
    return generators[0] if len(generators) == 1 else NumbersPerStream(generators, writing)
