"""A network or a mixture reads the symbols that were drawn from its own predictions."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Union

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import OptionError
from charrnn.nn.network import Network
from charrnn.nn.single_step import Stepper
from charrnn.nn.softmax import log_softmax, softmax
from charrnn.sampling.copying import CopyLimit
from charrnn.sampling.filters import Filters, RandomNumbers, check_finite
from charrnn.sampling.options import Unit
from charrnn.types import Array, IdArray

if TYPE_CHECKING:
    from charrnn.mixtures.mixture import Mixture

LARGEST_CLAMP = 0.9999
"""Value of a unit that is held at 1: no finite c has tanh(c) = 1."""


Predictor = Union[Network, "Mixture"]
"""What texts are generated with."""


def networks(predictor: Predictor) -> list[Network]:
    """The networks of a predictor."""
    return [predictor] if isinstance(predictor, Network) else predictor.networks


class Sampler:
    """The state of a predictor in S streams of text, and its prediction of the next symbol.

    Before a symbol was read, it predicts from a state of zeros.
    """

    def __init__(
        self,
        predictor: Predictor,
        samples: int = 1,
        clamp: Mapping[Unit, float] | None = None,
        limit: CopyLimit | None = None,
    ) -> None:
        """`clamp` has the value of each (layer, unit) that is held in every step (see `Cell.hold`);
        `limit` keeps the streams from copying."""
        self.streams = samples
        self._limit = limit
        self._stepper = (
            Stepper(predictor, samples)
            if isinstance(predictor, Network)
            else predictor.stepper(samples)
        )
        clamp = clamp or {}
        for layer in {layer for layer, _ in clamp}:
            held = {unit: x for (place, unit), x in clamp.items() if place == layer}
            units, streams = np.meshgrid(list(held), np.arange(samples), indexing="ij")
            values = np.clip(list(held.values()), -LARGEST_CLAMP, LARGEST_CLAMP)
            self._stepper.hold(layer, units.ravel(), streams.ravel(), np.repeat(values, samples))
        self.reset()

    def reset(self) -> None:
        """Forget everything that was read."""
        self._stepper.reset()
        self._logits = self._stepper.predict()

    def feed(self, ids: IdArray) -> None:
        """Read one symbol in each stream: `ids` (S,)."""
        self._logits = self._stepper.step(ids)

    def prime(self, ids: IdArray) -> None:
        """Read the symbols `ids` (N,) in every stream."""
        for id in ids:
            self.feed(np.full(self.streams, id))

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """The prediction of the next symbol, (V, S): each column sums to 1. Raises
        CheckpointError where it is no number."""
        check_finite(self._logits.max(axis=0))
        return softmax(self._logits)

    def draw(
        self, random: RandomNumbers, filters: Filters, writing: Sequence[int] | None = None
    ) -> NDArray[np.intp]:
        """Draw the next symbol of each stream (S,). It is not read yet. Only the symbols of the
        streams `writing` are used; by default, all streams.

        Raises OptionError where a limit on copies leaves no symbol, and CheckpointError where the
        predictions are no numbers.
        """
        if self._limit is None:
            return filters.draw(self._logits, random)
        writing = range(self.streams) if writing is None else writing
        ids = filters.draw(self._without_copies(self._limit, filters, writing), random)
        for stream in writing:
            self._limit.push(stream, int(ids[stream]))
        return ids

    def _without_copies(self, limit: CopyLimit, filters: Filters, writing: Sequence[int]) -> Array:
        check_finite(self._logits.max(axis=0))
        logits = self._logits.copy()
        for stream in writing:
            logits[limit.forbidden(stream), stream] = -np.inf
        left = np.isfinite(logits)
        left[filters.forbidden] = False
        if not left.any(axis=0).all():
            raise OptionError(
                "every character that may be written would copy more than `max_copy` allows: "
                "allow longer copies, or more characters"
            )
        return logits

    def log_probabilities(self, ids: NDArray[np.intp]) -> NDArray[np.float64]:
        """ln p of the symbols `ids` (S,) as they are predicted, before temperature and
        filters, in nats."""
        logs: NDArray[np.float64] = log_softmax(self._logits)[ids, np.arange(len(ids))]
        return logs


def check_units(clamp: Mapping[Unit, float], predictor: Predictor) -> None:
    """Raise OptionError for a unit that the network does not have, or where there are several."""
    if not clamp:
        return
    if len(networks(predictor)) > 1:
        raise OptionError("`clamp` holds the units of one network, and here are several")
    config = networks(predictor)[0].config
    for layer, unit in clamp:
        if not (0 <= layer < config.layers and 0 <= unit < config.hidden_size):
            raise OptionError(
                f"there is no unit L{layer}:{unit}: name one from L0:0 to "
                f"L{config.layers - 1}:{config.hidden_size - 1}"
            )
