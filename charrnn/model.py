"""A trained model as a library user holds it."""

import codecs
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from charrnn.checkpoints.format import Checkpoint, read_checkpoint
from charrnn.errors import OptionError
from charrnn.nn.network import Network, NetworkConfig
from charrnn.sampling.copying import CopyLimit, Source
from charrnn.sampling.filters import Choice
from charrnn.sampling.sampler import Continuation, Sampler, continue_each, generate
from charrnn.sampling.stopping import Ending
from charrnn.text.vocabulary import Vocabulary, code_points
from charrnn.training.memory_estimate import check_samples
from charrnn.types import IdArray

Text = str | bytes


class Model:
    """A network with its vocabulary.

    >>> model = charrnn.load("war_and_peace.npz")           # doctest: +SKIP
    >>> model.sample(200, temperature=0.8, seed=1)          # doctest: +SKIP
    """

    def __init__(self, network: Network, vocabulary: Vocabulary) -> None:
        self.network = network
        self.vocabulary = vocabulary
        self._stepper: Sampler | None = None

    def sample(
        self,
        length: int = 500,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        min_p: float = 0.0,
        suppress: Text = "",
        allow: Text | None = None,
        stop: Sequence[Text] = (),
        seed: int | None = None,
        prime: Text = "",
    ) -> str:
        """Text of `length` characters that goes on from `prime`, which is not part of it.

        Temperatures below 1 write more safely, above 1 more wildly, 0 always takes the most
        probable character; `top_k`, `top_p` and `min_p` leave out improbable ones
        (`charrnn.sampling.filters`). Characters in `suppress` are never written, and none but
        those of `allow`, if it is given. The text ends before any of `stop`. The same seed gives
        the same text; None gives another each time. A model of bytes counts bytes. Raises
        OptionError for values that make no sense, and UnknownSymbolError for a prime with
        symbols the model has never seen.
        """
        pieces = self.stream(
            length,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            min_p=min_p,
            suppress=suppress,
            allow=allow,
            stop=stop,
            seed=seed,
            prime=prime,
        )
        return "".join(pieces)

    def stream(
        self,
        length: int | None = None,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        min_p: float = 0.0,
        suppress: Text = "",
        allow: Text | None = None,
        stop: Sequence[Text] = (),
        seed: int | None = None,
        prime: Text = "",
    ) -> Iterator[str]:
        """The same as `sample`, piece by piece; without a length it never ends."""
        forbidden = self.forbidden(suppress, allow)
        drawn = self.sample_ids(
            length,
            choice=Choice(temperature, top_k, top_p, min_p, forbidden),
            seed=seed,
            prime=self.vocabulary.encode(prime),
        )
        pieces = ended(drawn, self.ending(stop))
        if not self.vocabulary.is_bytes:
            return (self.vocabulary.decode(ids) for ids in pieces)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        return (decoder.decode(self.vocabulary.decode_bytes(ids)) for ids in pieces)

    def forbidden(self, suppress: Text = "", allow: Text | None = None) -> NDArray[np.intp]:
        """The ids of symbols that are not to be written. Raises OptionError if none is left."""
        V = self.vocabulary.size
        is_allowed = np.ones(V, np.bool_)
        if allow is not None:
            is_allowed[:] = False
            is_allowed[self.vocabulary.encode(allow, unknown="skip")] = True
        is_allowed[self.vocabulary.encode(suppress, unknown="skip")] = False
        if not is_allowed.any():
            raise OptionError("no character is left to write: suppress fewer, or allow more")
        return np.flatnonzero(~is_allowed)

    def ending(self, stop: Sequence[Text] = (), lines: int | None = None) -> Ending:
        """What ends a text; a stop with symbols that the model does not know never comes."""
        known = [self.vocabulary.encode(text, unknown="skip").tolist() for text in stop]
        whole = [len(self._symbols(text)) for text in stop]
        stops = [ids for ids, size in zip(known, whole, strict=True) if len(ids) == size]
        newline = self.line_end().tolist()
        return Ending(stops, lines=lines, newline=newline[0] if newline else None)

    def _symbols(self, text: Text) -> Text:
        return text.encode() if self.vocabulary.is_bytes and isinstance(text, str) else text

    def sample_ids(
        self,
        length: int | None = None,
        *,
        choice: Choice | None = None,
        seed: int | None = None,
        prime: IdArray | None = None,
        samples: int = 1,
        clamp: Mapping[tuple[int, int], float] | None = None,
        limit: CopyLimit | None = None,
        logs: list[NDArray[np.float64]] | None = None,
    ) -> Iterator[NDArray[np.intp]]:
        """Symbols of `samples` texts side by side: (samples,) ids at a time; ln p of each, as the
        network says it before temperature and all else, is appended to `logs`.

        Without a prime the texts begin as after a line end, where the model knows line ends. With
        `clamp`, units (layer, unit) are held at a value from −1 to 1 all the time: tanh(c), or h in
        cells without a c; `limit`, which has to know the prime, keeps the texts from copying.
        Raises OptionError for units that are not there, and for other values.
        """
        clamp = checked_clamp(clamp or {}, self.network.config)
        check_length(length)
        if samples < 1:
            raise OptionError(f"{samples} samples make no sense: give 1 or more")
        check_samples(self.network.config, samples)
        if seed is not None and seed < 0:
            raise OptionError(f"a seed of {seed} makes no sense: give 0 or more")
        return self._sample_ids(
            length, choice or Choice(), seed, prime, samples, clamp, limit, logs
        )

    def _sample_ids(
        self,
        length: int | None,
        choice: Choice,
        seed: int | None,
        prime: IdArray | None,
        samples: int,
        clamp: Mapping[tuple[int, int], float],
        limit: CopyLimit | None,
        logs: list[NDArray[np.float64]] | None,
    ) -> Iterator[NDArray[np.intp]]:
        sampler = Sampler(self.network, samples, clamp, limit)
        sampler.prime(self.line_end() if prime is None or len(prime) == 0 else prime)
        rng = np.random.default_rng(seed)
        yield from generate(sampler, rng, length=length, choice=choice, logs=logs)

    def continuations(
        self,
        primes: Sequence[IdArray],
        *,
        length: int,
        choice: Choice,
        seed: int,
        first: int = 0,
        ending: Callable[[], Ending],
        clamp: Mapping[tuple[int, int], float] | None = None,
        limit: CopyLimit | None = None,
    ) -> list[Continuation]:
        """What follows each of `primes`, all written side by side, up to `length` symbols or to its
        ending. The chance of each depends on the seed and its number alone, from `first` on."""
        clamp = checked_clamp(clamp or {}, self.network.config)
        check_length(length)
        line_end = self.line_end()
        return continue_each(
            Sampler(self.network, len(primes), clamp, limit),
            [prime if len(prime) else line_end for prime in primes],
            [np.random.default_rng([seed, first + n]) for n in range(len(primes))],
            [ending() for _ in primes],
            length=length,
            choice=choice,
        )

    def source(self, text: Text) -> Source:
        """A text (or bytes, for a model of bytes) in which copies are looked for. What the model
        does not know stands in it as a symbol that it never writes.

        Raises CharRNNError where a library is missing.
        """
        text = self._symbols(text)
        symbols = code_points(text) if isinstance(text, str) else np.frombuffer(text, np.uint8)
        known = self.vocabulary.symbols
        ids = np.searchsorted(known, symbols)
        ids[known[np.minimum(ids, len(known) - 1)] != symbols] = len(known)
        return Source(ids)

    def line_end(self) -> IdArray:
        """The id of a line end (1,), or none (0,) where the model does not know it."""
        newline = b"\n" if self.vocabulary.is_bytes else "\n"
        return self.vocabulary.encode(newline, unknown="skip")

    def step(self, symbol: str | bytes) -> dict[str, float]:
        """Read one symbol; the probability of every symbol that may come next.

        The state is kept from call to call, until `reset`. The symbols of a model of bytes are
        named by the characters U+0000 to U+00FF.
        """
        ids = self.vocabulary.encode(symbol)
        if len(ids) != 1:
            raise OptionError(f"a step reads one symbol, not {len(ids)}")
        if self._stepper is None:
            self._stepper = Sampler(self.network)
        self._stepper.feed(ids)
        names = [chr(symbol) for symbol in self.vocabulary.symbols.tolist()]
        return dict(zip(names, self._stepper.probabilities[:, 0].tolist(), strict=True))

    def reset(self) -> None:
        """Forget what `step` has read."""
        self._stepper = None


def ended(drawn: Iterator[NDArray[np.intp]], ending: Ending) -> Iterator[list[int]]:
    """What of a single text is written, piece by piece; none of them is empty."""
    for ids in drawn:
        if piece := ending.push(int(ids[0])):
            yield piece
        if ending.is_over:
            return
    if piece := ending.rest():
        yield piece


def check_length(length: int | None) -> None:
    """Raise OptionError for a length that no text can have."""
    if length is not None and length < 0:
        raise OptionError(f"a length of {length} makes no sense: give 0 or more")


LARGEST_CLAMP = 0.9999
"""tanh(c) of a cell that is held at 1: there is no c for 1 itself."""


def checked_clamp(
    clamp: Mapping[tuple[int, int], float], config: NetworkConfig
) -> dict[tuple[int, int], float]:
    """The same, with values that a cell can have."""
    for (layer, unit), value in clamp.items():
        if not (0 <= layer < config.layers and 0 <= unit < config.hidden_size):
            raise OptionError(
                f"there is no unit L{layer}:{unit}: name one from L0:0 to "
                f"L{config.layers - 1}:{config.hidden_size - 1}"
            )
        if not -1 <= value <= 1:
            raise OptionError(f"L{layer}:{unit} cannot be held at {value}: give -1 to 1")
    return {place: min(max(value, -LARGEST_CLAMP), LARGEST_CLAMP) for place, value in clamp.items()}


def model_of(checkpoint: Checkpoint) -> Model:
    """The model that a checkpoint holds."""
    return Model(checkpoint.network(), checkpoint.vocabulary)


def load(path: str | Path) -> Model:
    """The model in the checkpoint `path`. Raises CheckpointError where there is none."""
    return model_of(read_checkpoint(Path(path)))
