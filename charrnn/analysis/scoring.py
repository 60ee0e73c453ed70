"""How well a model explains a text: nats and bits per symbol."""

import lzma
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.analysis.activations import read
from charrnn.analysis.dynamic_evaluation import Adaptation, adapting_losses
from charrnn.errors import CorpusError
from charrnn.model import Model
from charrnn.nn.softmax import log_softmax
from charrnn.types import IdArray


def symbol_losses(
    model: Model, ids: IdArray, adaptation: Adaptation | None = None
) -> NDArray[np.float64]:
    """What each of the symbols `ids` (N,) costs the model, in nats: −ln p(symbol | all before it).

    Before the first one it has read a line end, as when it writes; or nothing, where it knows no
    line ends, and then the first symbol costs what the state of zeros says. With `adaptation`, a
    copy of the model learns from the text as it goes (`charrnn.analysis.dynamic_evaluation`).
    """

    def rest(text: IdArray) -> NDArray[np.float64]:
        if adaptation is not None:
            return adapting_losses(model.network, text, adaptation)
        return read(model.network, text).losses[:-1]

    start = model.line_end()
    if len(start):
        return rest(np.concatenate([start, ids]))
    of_zeros = log_softmax(model.network.parameters["V"][:, -1:])
    return np.concatenate([-of_zeros[ids[0]], rest(ids)])


@dataclass(frozen=True)
class Score:
    """The score of a text of `symbols` symbols, in `bytes` bytes of UTF-8 (or as they are).

    `nats` is their mean cost; `order0` the entropy of single symbols in this text, in nats: the
    cost for one who knows how often each comes, and nothing else; `xz` the bytes that `xz -9`
    needs.
    """

    symbols: int
    bytes: int
    nats: float
    order0: float
    xz: int

    @property
    def bits(self) -> float:
        """Per symbol."""
        return self.nats / math.log(2)

    @property
    def perplexity(self) -> float:
        """As many symbols, equally probable, would cost as much."""
        return math.exp(min(self.nats, 700.0))

    @property
    def xz_bits(self) -> float:
        """Of `xz -9`, per symbol."""
        return 8 * self.xz / self.symbols


def score(model: Model, ids: IdArray, losses: NDArray[np.float64]) -> Score:
    """The score of a text, from the losses of its symbols. Raises CorpusError for an empty one."""
    if len(ids) == 0:
        raise CorpusError("the text is empty: there is nothing to score")
    data = model.vocabulary.decode_bytes(ids)
    counts = np.bincount(ids)
    shares = counts[counts > 0] / len(ids)
    return Score(
        symbols=len(ids),
        bytes=len(data),
        nats=float(losses.mean()),
        order0=float(-(shares * np.log(shares)).sum()),
        xz=len(lzma.compress(data, preset=9)),
    )


def posterior(nats: Sequence[float]) -> list[float]:
    """The probability of each of several models, all equally probable before, after a text that
    cost them so many nats in all (Bayes' rule)."""
    lowest = min(nats)
    weights = [math.exp(lowest - cost) for cost in nats]
    return [weight / sum(weights) for weight in weights]
