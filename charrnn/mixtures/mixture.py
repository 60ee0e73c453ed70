"""A mixture of models: reads texts in parallel streams, and symbol by symbol for sampling."""

from collections.abc import Iterator, Sequence

import numpy as np

from charrnn.errors import OptionError
from charrnn.mixtures.gate import Domain, Floats, Gate
from charrnn.mixtures.members import Member, NetworkMember, NetworkStepper, Predictions
from charrnn.nn.cells import Units
from charrnn.nn.network import Network
from charrnn.text.streams import Positions, Streams
from charrnn.types import Array, IdArray

WINDOW = 64
"""Steps that are read at a time, at most."""
NUMBERS_AT_ONCE = 2**20
"""Probabilities that a member computes at a time, about."""
STREAMS = 32
STREAM_WARM_UP = 256
"""Symbols that a stream reads before the first that counts."""
LEARNING_PLACES = 2**15
"""Places of a text from which a gate is learned, at most."""
LEARNING_NUMBERS = 2**24
"""Probabilities of a member that are kept for that, at most."""
LEARNING_PASSES = 4
PLACES_PER_STEP = 128
"""Places for one step of a gate that is learned."""


class Mixture:
    """Members that predict together, weighted by a gate. Raises OptionError for vocabularies of
    different sizes."""

    def __init__(self, members: Sequence[Member], gate: Gate) -> None:
        if len({member.vocabulary_size for member in members}) > 1:
            raise OptionError("the models of a mixture must have the same vocabulary")
        self.members, self.gate = list(members), gate

    @property
    def networks(self) -> list[Network]:
        """The networks among the members."""
        return [each.network for each in self.members if isinstance(each, NetworkMember)]

    def losses(self, text: IdArray, *, learn: bool = False, steps: int = WINDOW) -> Floats:
        """The losses (N − 1,) of the symbols text[1:], in nats. The first state is zeros.

        With `learn`, a copy of the gate learns from each window of `steps` symbols after it was
        predicted; then a single stream reads the text. Otherwise, up to `STREAMS` read parts of a
        long text.
        """
        gate = self.gate.copy()
        streams = 1 if learn else streams_for(text)
        losses = np.empty(max(len(text) - 1, 0))
        for places, predictions in read_together(self.members, text, streams, steps):
            mixed = gate.mix(predictions)
            losses[places] = mixed.losses(text[places + 1])
            if learn:
                gate.learn(mixed, text[places + 1])
        return losses

    def stepper(self, streams: int) -> "MixtureStepper":
        """The mixture in S streams that have read nothing."""
        return MixtureStepper(self, streams)


class MixtureStepper:
    """A mixture that reads one symbol of S streams at a time (see `charrnn.nn.single_step`)."""

    def __init__(self, mixture: Mixture, streams: int) -> None:
        self._gate = mixture.gate
        self._steppers = [member.stepper(streams) for member in mixture.members]
        self.streams = streams

    def hold(self, layer: int, units: Units, streams: Units, values: Array) -> None:
        """As `Stepper.hold`, in the only network of the mixture."""
        (network,) = [each for each in self._steppers if isinstance(each, NetworkStepper)]
        network.stepper.hold(layer, units, streams, values)

    def reset(self) -> None:
        """Forget everything that was read."""
        for stepper in self._steppers:
            stepper.reset()

    def step(self, ids: IdArray) -> Floats:
        """Read one symbol in each stream, `ids` (S,); returns ln p (V, S) of the next symbols."""
        for stepper in self._steppers:
            stepper.step(ids)
        return self.predict()

    def predict(self) -> Floats:
        """ln p (V, S) of the next symbols."""
        p = self._gate.mix([stepper.predict() for stepper in self._steppers]).p
        logs: Floats = np.log(np.maximum(p, np.finfo(np.float64).tiny))
        return logs


def streams_for(text: IdArray) -> int:
    """In how many parallel streams a text is read."""
    return max(1, min(STREAMS, len(text) // (2 * STREAM_WARM_UP)))


def read_together(
    members: Sequence[Member], text: IdArray, streams: int, steps: int = WINDOW
) -> Iterator[tuple[Positions, list[Predictions]]]:
    """The places (n,) of each window of a text (N,), and the members' predictions of the symbols
    that follow them; all but the last symbol are read, in so many parallel streams, at most `steps`
    at a time."""
    if len(text) < 2:
        return
    parts = Streams.covering(range(len(text) - 1), streams, STREAM_WARM_UP)
    numbers = members[0].vocabulary_size * streams
    steps = max(1, min(steps, parts.longest, NUMBERS_AT_ONCE // numbers))
    readers = [member.read(text, parts, steps) for member in members]
    for (positions, counts), *predictions in zip(parts.windows(steps), *readers, strict=True):
        if counts.any():
            yield positions[counts], predictions


def learning_part(text: IdArray, vocabulary_size: int) -> IdArray:
    """The beginning of a text, from which a gate is learned."""
    return text[: min(LEARNING_PLACES, LEARNING_NUMBERS // vocabulary_size) + 1]


def learned_gate(members: Sequence[Member], text: IdArray, domain: Domain) -> Gate:
    """The gate with which the members predict a text (N,) best: learned from its `learning_part`,
    in several passes in a fixed random order."""
    gate = Gate.even(members, domain)
    text = learning_part(text, members[0].vocabulary_size)
    if len(text) < 2:
        return gate
    places, predictions = _all_together(members, text)
    rng = np.random.default_rng(1)
    for _ in range(LEARNING_PASSES):
        order = rng.permutation(len(places))
        for start in range(0, len(order), PLACES_PER_STEP):
            some = order[start : start + PLACES_PER_STEP]
            mixed = gate.mix([Predictions(p[:, some], x[:, some]) for p, x in predictions])
            gate.learn(mixed, text[places[some] + 1])
    return gate


def _all_together(members: Sequence[Member], text: IdArray) -> tuple[Positions, list[Predictions]]:
    """The same as `read_together`, as a single window of the whole text."""
    windows = list(read_together(members, text, streams_for(text)))
    joined = [
        Predictions(*(np.concatenate(parts, axis=1) for parts in zip(*of_member, strict=True)))
        for of_member in zip(*(predictions for _, predictions in windows), strict=True)
    ]
    return np.concatenate([places for places, _ in windows]), joined
