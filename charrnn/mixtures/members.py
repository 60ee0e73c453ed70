"""What a mixture is made of: models that predict the next symbol of a text."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from charrnn.ngram.model import NgramModel
from charrnn.nn.network import Network
from charrnn.nn.reading import read_windows
from charrnn.nn.single_step import Stepper
from charrnn.nn.softmax import softmax
from charrnn.text.streams import Streams
from charrnn.types import Array, IdArray

Floats = NDArray[np.float64]


class Predictions(NamedTuple):
    """What a member predicts at n places of a text."""

    p: Array
    """The probability of each symbol (V, n)."""
    features: Floats
    """Numbers (F, n) that tell how far the member is to be trusted there."""


class MemberStepper(Protocol):
    """A member that reads S streams, one symbol of each at a time."""

    def reset(self) -> None:
        """Forget everything that was read."""
        ...

    def predict(self) -> Predictions:
        """The predictions for the S streams."""
        ...

    def step(self, ids: IdArray) -> None:
        """Read one symbol in each stream, `ids` (S,)."""
        ...


class Member(Protocol):
    """A model that can be part of a mixture."""

    vocabulary_size: int
    features: int
    """F"""

    def read(self, text: IdArray, streams: Streams, steps: int) -> Iterator[Predictions]:
        """The predictions after the symbols of a text (N,) that count, in the order of
        `streams.windows(steps)`: those of symbol t are for the one at t + 1."""
        ...

    def stepper(self, streams: int) -> MemberStepper:
        """A stepper for S streams that have read nothing."""
        ...


def certainty(p: Array) -> Floats:
    """Two features (2, n) of predictions p (V, n): their entropy, and −ln of the largest
    probability, in nats."""
    logs = np.log(np.maximum(p, 1e-30))
    return np.stack([-(p * logs).sum(axis=0), -logs.max(axis=0)]).astype(np.float64, copy=False)


class NetworkMember:
    """A network. Its features are `certainty`."""

    features = 2

    def __init__(self, network: Network) -> None:
        self.network = network
        self.vocabulary_size = network.config.vocabulary_size

    def read(self, text: IdArray, streams: Streams, steps: int) -> Iterator[Predictions]:
        for window in read_windows(self.network, text, streams, steps=steps):
            p = window.probabilities
            yield Predictions(p, certainty(p))

    def stepper(self, streams: int) -> "NetworkStepper":
        return NetworkStepper(Stepper(self.network, streams))


class NetworkStepper:
    """A network that reads one symbol at a time."""

    def __init__(self, stepper: Stepper) -> None:
        self.stepper = stepper

    def reset(self) -> None:
        self.stepper.reset()

    def predict(self) -> Predictions:
        p = softmax(self.stepper.predict())
        return Predictions(p, certainty(p))

    def step(self, ids: IdArray) -> None:
        self.stepper.step(ids)


class NgramMember:
    """An n-gram model. Its features are `certainty`, which of the lengths 0 … n − 1 the longest
    known context has (n numbers, a single 1 among them), and lg(1 + how often it occurred)."""

    def __init__(self, model: NgramModel) -> None:
        self.model = model
        self.vocabulary_size = model.vocabulary_size
        self.features = 3 + model.order

    def read(self, text: IdArray, streams: Streams, steps: int) -> Iterator[Predictions]:
        contexts = self.model.contexts(text)
        for positions, counts in streams.windows(steps):
            yield self.predictions(contexts[:, positions[counts]])

    def stepper(self, streams: int) -> "NgramStepper":
        return NgramStepper(self, streams)

    def predictions(self, contexts: NDArray[np.int64]) -> Predictions:
        """The predictions after the contexts (n, S)."""
        p = self.model.probabilities(contexts)
        lengths, totals = self.model.known(contexts)
        is_length = lengths == np.arange(self.model.order)[:, np.newaxis]
        return Predictions(p, np.concatenate([certainty(p), is_length, [np.log10(1 + totals)]]))


class NgramStepper:
    """An n-gram model that reads one symbol at a time: it keeps the last n − 1 symbols."""

    def __init__(self, member: NgramMember, streams: int) -> None:
        self._member, self._streams = member, streams
        self._kept = max(1, member.model.order - 1)
        self.reset()

    def reset(self) -> None:
        self._read = np.zeros((0, self._streams), np.int64)

    def step(self, ids: IdArray) -> None:
        self._read = np.concatenate([self._read, ids[np.newaxis]])[-self._kept :]

    def predict(self) -> Predictions:
        return self._member.predictions(self._member.model.contexts_after(self._read))
