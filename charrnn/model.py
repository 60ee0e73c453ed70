"""A trained model as a library user holds it."""

import codecs
import itertools
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from charrnn.checkpoints.format import Checkpoint, read_checkpoint
from charrnn.errors import OptionError, UnknownSymbolError
from charrnn.nn.network import Network
from charrnn.sampling.copying import ReferenceText
from charrnn.sampling.generator import GeneratedText, TextGenerator, TextPiece
from charrnn.sampling.memory_check import check_samples
from charrnn.sampling.options import SamplingOptions
from charrnn.sampling.sampler import Predictor, Sampler, networks
from charrnn.sampling.stopping import line_end
from charrnn.text.vocabulary import Vocabulary
from charrnn.types import IdArray, Text

Unknown = Literal["error", "skip"]
LINES_SIDE_BY_SIDE = 64
"""Lines that are continued at once."""


class Model:
    """A network with its vocabulary.

    >>> model = charrnn.load("war_and_peace.npz")           # doctest: +SKIP
    >>> model.sample(200, temperature=0.8, seed=1)          # doctest: +SKIP
    """

    def __init__(self, network: Network, vocabulary: Vocabulary) -> None:
        self.network = network
        self.vocabulary = vocabulary
        self._stepper: Sampler | None = None

    def sample(self, length: int = 500, *, prime: Text = "", **options: Any) -> str:
        """A text of `length` characters that follows `prime`, without the prime.

        All other keyword arguments are those of `SamplingOptions`, such as `temperature`, `top_k`,
        `stop` and `seed`. The length of a model of bytes is in bytes. Raises OptionError for values
        that make no sense, and UnknownSymbolError for a prime with symbols that the model does not
        know.
        """
        return "".join(self.stream(length, prime=prime, **options))

    def stream(
        self, length: int | None = None, *, prime: Text = "", **options: Any
    ) -> Iterator[str]:
        """The same as `sample`, piece by piece; without a length it never ends."""
        pieces = self.pieces(SamplingOptions(length=length, **options), prime=prime)
        if not self.vocabulary.is_bytes:
            return (self.vocabulary.decode(piece.ids) for piece in pieces)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        return (decoder.decode(self.vocabulary.decode_bytes(piece.ids)) for piece in pieces)

    def pieces(
        self,
        options: SamplingOptions,
        *,
        prime: Text = "",
        samples: int = 1,
        unknown: Unknown = "error",
    ) -> Iterator[TextPiece]:
        """Several texts that follow `prime`: the first one as it is written, then each of the
        others as a whole. Unknown symbols of the prime raise UnknownSymbolError, or are skipped."""
        generator = self._generator(options, samples)
        ids = self.vocabulary.encode(prime, unknown=unknown)
        return generator.pieces(ids, samples, _seed(options))

    def texts(
        self,
        options: SamplingOptions,
        *,
        prime: Text = "",
        samples: int = 1,
        unknown: Unknown = "error",
    ) -> list[GeneratedText]:
        """The same texts, with the log-probability of each symbol, once all are written.

        Raises OptionError where nothing in the options ends them.
        """
        _check_end(options)
        generator = self._generator(options, samples)
        ids = self.vocabulary.encode(prime, unknown=unknown)
        seed = _seed(options)
        return generator.texts([ids] * samples, [np.random.default_rng(seed)], seed=seed)

    def continue_lines(
        self,
        lines: Iterable[Text],
        options: SamplingOptions,
        *,
        first: int = 0,
        unknown: Unknown = "error",
    ) -> Iterator[GeneratedText]:
        """For each line, the text that follows it up to the next line end, in order.

        Lines are numbered from `first` on. What follows a line depends on the line, the seed and
        its number, not on the other lines. Raises OptionError and UnknownSymbolError as `texts`.
        """
        _check_end(options)
        ends = replace(options, stop=[*options.stop, "\n"])
        generator = self._generator(ends)
        return self._continue_lines(iter(lines), generator, _seed(options), first, unknown)

    def _continue_lines(
        self,
        lines: Iterator[Text],
        generator: TextGenerator,
        seed: int,
        first: int,
        unknown: Unknown,
    ) -> Iterator[GeneratedText]:
        while some := list(itertools.islice(lines, LINES_SIDE_BY_SIDE)):
            primes = [self._encode_line(line, first + n, unknown) for n, line in enumerate(some)]
            random = [np.random.default_rng([seed, first + n]) for n in range(len(some))]
            yield from generator.texts(primes, random, seed=seed, first=first)
            first += len(some)

    def _encode_line(self, line: Text, number: int, unknown: Unknown) -> IdArray:
        try:
            return self.vocabulary.encode(line, unknown=unknown)
        except UnknownSymbolError as error:
            raise UnknownSymbolError(f"line {number + 1}: {error}") from error

    def reference_text(self, text: Text) -> ReferenceText:
        """A text (or bytes, for a model of bytes) that is not to be copied: `novelty` of
        `SamplingOptions`. Raises CharRNNError where the package for it is not installed."""
        return ReferenceText.of(text, self.vocabulary)

    @property
    def predictor(self) -> Predictor:
        """What texts are generated with."""
        return self.network

    def _generator(self, options: SamplingOptions, samples: int = 1) -> TextGenerator:
        check_samples([network.config for network in networks(self.predictor)], samples)
        return TextGenerator(self.predictor, self.vocabulary, options)

    def line_end(self) -> IdArray:
        """The id of a line end (1,), or none (0,) where the model does not know it."""
        return line_end(self.vocabulary)

    def step(self, symbol: str | bytes) -> dict[str, float]:
        """Read one symbol; the probability of every symbol that may come next.

        The state is kept from call to call, until `reset`. The symbols of a model of bytes are
        named by the characters U+0000 to U+00FF.
        """
        ids = self.vocabulary.encode(symbol)
        if len(ids) != 1:
            raise OptionError(f"a step reads one symbol, not {len(ids)}")
        if self._stepper is None:
            self._stepper = Sampler(self.predictor)
        self._stepper.feed(ids)
        names = [chr(symbol) for symbol in self.vocabulary.symbols.tolist()]
        return dict(zip(names, self._stepper.probabilities[:, 0].tolist(), strict=True))

    def reset(self) -> None:
        """Forget what `step` has read."""
        self._stepper = None


def _seed(options: SamplingOptions) -> int:
    return secrets.randbits(32) if options.seed is None else options.seed


def _check_end(options: SamplingOptions) -> None:
    if options.may_never_end:
        raise OptionError("the texts would never end: give a `length`, `stop` or `lines`")


def model_of(checkpoint: Checkpoint) -> Model:
    """The model that a checkpoint holds."""
    return Model(checkpoint.network(), checkpoint.vocabulary)


def load(path: str | Path) -> Model:
    """The model in the checkpoint `path`. Raises CheckpointError where there is none."""
    return model_of(read_checkpoint(Path(path)))
