"""Dynamic evaluation of whole models: of mixtures, and before sampling."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from charrnn.analysis.dynamic_evaluation import Adaptation, AdaptingNetwork, adapted_network
from charrnn.mixed_model import MixedModel
from charrnn.mixtures.members import (
    Member,
    NetworkMember,
    NetworkStepper,
    Predictions,
    certainty,
)
from charrnn.mixtures.mixture import Mixture
from charrnn.model import Model
from charrnn.nn.network import Network
from charrnn.text.streams import Streams
from charrnn.types import IdArray


class AdaptingMember:
    """A network that adapts, as a member of a mixture that reads a text in a single stream."""

    features = NetworkMember.features

    def __init__(self, network: Network, adaptation: Adaptation) -> None:
        self._network, self._adaptation = network, adaptation
        self.vocabulary_size = network.config.vocabulary_size

    def read(self, text: IdArray, streams: Streams, steps: int) -> Iterator[Predictions]:
        if len(streams) != 1 or min(steps, streams.longest) != min(
            self._adaptation.steps, streams.longest
        ):
            raise ValueError("a network adapts to a single stream, in its own windows")
        for _, p in AdaptingNetwork(self._network, self._adaptation).windows(text):
            yield Predictions(p, certainty(p))

    def stepper(self, streams: int) -> NetworkStepper:
        return NetworkMember(self._network).stepper(streams)


def mixture_losses(
    mixture: Mixture, text: IdArray, adaptation: Adaptation | None, *, learn: bool
) -> NDArray[np.float64]:
    """The losses (N − 1,) of the symbols text[1:], in nats. With an `adaptation`, all networks of
    the mixture adapt, and its gate learns; with `learn`, only its gate does."""
    if adaptation is None:
        return mixture.losses(text, learn=learn)
    members: list[Member] = [
        AdaptingMember(member.network, adaptation) if isinstance(member, NetworkMember) else member
        for member in mixture.members
    ]
    return Mixture(members, mixture.gate).losses(text, learn=True, steps=adaptation.steps)


def adapted_model(model: Model, ids: IdArray, adaptation: Adaptation) -> Model:
    """A model whose networks have adapted to a text (N,), as if a line end stood before it."""
    text = np.concatenate([model.line_end(), ids])
    if not isinstance(model, MixedModel):
        return Model(adapted_network(model.network, text, adaptation), model.vocabulary)
    members: list[Member] = [
        NetworkMember(adapted_network(member.network, text, adaptation))
        if isinstance(member, NetworkMember)
        else member
        for member in model.mixture.members
    ]
    return MixedModel([model], Mixture(members, model.mixture.gate))
