"""What is chosen by name: cells, optimizers, schedules of the learning rate.

Each stands here once, with the place where it is defined. It is imported when it is first looked
up, so that help texts can list names and defaults without importing NumPy.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """Where something is defined, and the training options that suit it."""

    location: str
    """As "module:name"."""
    defaults: Mapping[str, float] = field(default_factory=dict)


class Registry(Mapping[str, T]):
    """The objects of a table of entries by name, each imported when it is first looked up."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries

    def __getitem__(self, name: str) -> T:
        module, _, attribute = self._entries[name].location.partition(":")
        found: T = getattr(import_module(module), attribute)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


CELLS = {
    "rnn": Entry("charrnn.nn.cells.rnn:RNN"),
    "lstm": Entry("charrnn.nn.cells.lstm:LSTM"),
    "lstm-peephole": Entry("charrnn.nn.cells.lstm_peephole:PeepholeLSTM"),
    "lstm-coupled": Entry("charrnn.nn.cells.lstm_coupled:CoupledLSTM"),
    "lstm-multiplicative": Entry("charrnn.nn.cells.lstm_multiplicative:MultiplicativeLSTM"),
    "gru": Entry("charrnn.nn.cells.gru:GRU"),
}

BETA1 = 0.9
"""The usual β₁: the decay of the mean of gradients."""

OPTIMIZERS = {
    "adam": Entry("charrnn.optim.optimizers:Adam", {"learning_rate": 0.01, "beta1": BETA1}),
    "adamw": Entry(
        "charrnn.optim.optimizers:Adam",
        {"learning_rate": 0.01, "beta1": BETA1, "weight_decay": 0.01},
    ),
    "rmsprop": Entry("charrnn.optim.optimizers:RMSprop", {"learning_rate": 0.01}),
    "adagrad": Entry("charrnn.optim.optimizers:Adagrad", {"learning_rate": 0.1}),
    "sgd": Entry("charrnn.optim.optimizers:SGD", {"learning_rate": 1.5}),
    "lion": Entry("charrnn.optim.optimizers:Lion", {"learning_rate": 0.005, "beta1": BETA1}),
}
"""The default learning rate is half the rate that did best in 218 steps of a 1 × 128 LSTM on
400,000 characters of tinyshakespeare (adam 0.02, rmsprop 0.02, adagrad 0.2, sgd 3, among rates a
factor of 2 or 3 apart; adamw was not tried), since longer runs of larger networks want less. Lion's
is 0.005: there 0.02 did best (1.867 nats in the mean of two seeds, 0.03 as good, 0.01 1.877), but
in 696 steps of a 2 × 128 LSTM 0.005 did (1.567 nats, 0.003 1.591, 0.01 1.600)."""

SCHEDULES = {
    "cosine": Entry("charrnn.optim.schedules:cosine"),
    "step": Entry("charrnn.optim.schedules:step"),
    "constant": Entry("charrnn.optim.schedules:constant"),
    "plateau": Entry("charrnn.optim.schedules:constant"),
}
"""With plateau, the training itself halves the rate where the validation loss stalls."""
