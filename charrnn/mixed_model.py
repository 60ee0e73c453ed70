"""Several models, and perhaps an n-gram model, that a library user holds as one."""

from collections.abc import Sequence

from charrnn.errors import OptionError
from charrnn.mixtures.gate import Domain, Gate
from charrnn.mixtures.members import Member, NetworkMember, NgramMember
from charrnn.mixtures.mixture import Mixture, learned_gate
from charrnn.model import Model
from charrnn.ngram.model import NgramModel
from charrnn.types import IdArray

DEFAULT_MIXING: Domain = "log"


class MixedModel(Model):
    """A model whose predictions are those of a mixture. `network` is the first one of it."""

    def __init__(self, models: Sequence[Model], mixture: Mixture) -> None:
        super().__init__(models[0].network, models[0].vocabulary)
        self.mixture = mixture

    @property
    def predictor(self) -> Mixture:
        return self.mixture

    def with_even_gate(self) -> "MixedModel":
        """The same models, with a gate that has learned nothing yet."""
        members, gate = self.mixture.members, self.mixture.gate
        return MixedModel([self], Mixture(members, Gate.even(members, gate.domain)))


def mix(
    models: Sequence[Model],
    ngram: NgramModel | None = None,
    *,
    weights: Sequence[float] | None = None,
    learn_from: IdArray | None = None,
    mixing: Domain = DEFAULT_MIXING,
) -> MixedModel:
    """Models of one vocabulary, and an n-gram model of a text in its ids, mixed.

    `weights` are one for each model and, as the last one, for the n-gram model; they are scaled to
    sum to 1. Without them, weights that depend on the context are learned from the text
    `learn_from` (N,), which the models have not been trained on; without that, all are equal.
    `mixing` is "linear" or "log" (see `charrnn.mixtures.gate`).

    Raises OptionError for different vocabularies, and weights that make no sense.
    """
    if not models:
        raise OptionError("a mixture needs at least one model")
    for model in models:
        check_vocabularies(models[0], model)
    members: list[Member] = [NetworkMember(model.network) for model in models]
    if ngram is not None:
        members.append(NgramMember(ngram))
    if weights is not None and len(weights) != len(members):
        raise OptionError(f"{len(members)} models cannot have {len(weights)} weights")
    if weights is not None:
        gate = Gate.fixed(weights, members, mixing)
    elif learn_from is not None:
        gate = learned_gate(members, learn_from, mixing)
    else:
        gate = Gate.even(members, mixing)
    return MixedModel(models, Mixture(members, gate))


def check_vocabularies(one: Model, other: Model) -> None:
    """Raise OptionError for two models that cannot be mixed."""
    a, b = one.vocabulary, other.vocabulary
    if a.is_bytes != b.is_bytes:
        raise OptionError(
            "a model of bytes and a model of characters cannot be mixed: give models of one kind"
        )
    if a != b:
        raise OptionError(
            f"models of different vocabularies ({a.size:,} and {b.size:,} {a.kind}) cannot be "
            "mixed: give models that were trained on the same text"
        )
