"""How well a model predicts a text: nats and bits per symbol."""

import lzma
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.analysis.activations import read
from charrnn.analysis.adapting_models import mixture_losses
from charrnn.analysis.dynamic_evaluation import Adaptation, adapting_losses
from charrnn.errors import CorpusError
from charrnn.model import Model
from charrnn.nn.network import Network
from charrnn.sampling.sampler import Sampler
from charrnn.training.divergence import entropy
from charrnn.types import IdArray


def symbol_losses(
    model: Model, ids: IdArray, adaptation: Adaptation | None = None, *, learn: bool = False
) -> NDArray[np.float64]:
    """The loss of each of the symbols `ids` (N,) in nats: −ln p(symbol | all before it).

    The model reads a line end first, as before it writes. If it knows no line ends, the first
    symbol is predicted from the state of zeros. With `adaptation`, a copy of the model learns from
    the text after it has predicted it (`charrnn.analysis.dynamic_evaluation`). So do, with that or
    with `learn`, the weights of a mixture.
    """
    predictor = model.predictor

    def rest(text: IdArray) -> NDArray[np.float64]:
        if not isinstance(predictor, Network):
            return mixture_losses(predictor, text, adaptation, learn=learn)
        if adaptation is not None:
            return adapting_losses(predictor, text, adaptation)
        return read(predictor, text).losses[:-1]

    start = model.line_end()
    if len(start):
        return rest(np.concatenate([start, ids]))
    first = -Sampler(predictor).log_probabilities(ids[:1].astype(np.intp))
    return np.concatenate([first, rest(ids)])


@dataclass(frozen=True)
class Score:
    """The score of a text of `symbols` symbols.

    `nats` is their mean loss; `order0` the entropy of single symbols in this text, in nats: the
    mean loss of a model that knows how often each symbol occurs, and nothing else; `xz` the size
    of the text in bytes after `xz -9`.
    """

    symbols: int
    nats: float
    order0: float
    xz: int

    @property
    def bits(self) -> float:
        """Per symbol."""
        return self.nats / math.log(2)

    @property
    def perplexity(self) -> float:
        """exp(nats per symbol); at most e⁷⁰⁰."""
        return math.exp(min(self.nats, 700.0))

    @property
    def xz_bits(self) -> float:
        """Bits per symbol after `xz -9`."""
        return 8 * self.xz / self.symbols


def score(model: Model, ids: IdArray, losses: NDArray[np.float64]) -> Score:
    """The score of a text, from the losses of its symbols. Raises CorpusError for an empty one."""
    if len(ids) == 0:
        raise CorpusError("the text is empty: there is nothing to score")
    data = model.vocabulary.decode_bytes(ids)
    return Score(
        symbols=len(ids),
        nats=float(losses.mean()),
        order0=entropy(ids, most=len(ids)),
        xz=len(lzma.compress(data, preset=9)),
    )


def posterior(nats: Sequence[float]) -> list[float]:
    """The probability of each of several models given a text, by Bayes' rule: all are equally
    probable before, and `nats` are their total losses on the text."""
    lowest = min(nats)
    weights = [math.exp(lowest - loss) for loss in nats]
    return [weight / sum(weights) for weight in weights]
