"""The loss at the end of a run: of the best weights, on all of a part of the text.

A run that is measured in minutes spends at most a share of them on it: then pieces of the part are
measured that are spread evenly over it.
"""

import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import pairwise

from charrnn.nn.network import Network
from charrnn.text.batches import spread
from charrnn.training.evaluation import Evaluation, SumLosses
from charrnn.training.events import Measuring
from charrnn.training.plan import TrainingPlan
from charrnn.types import IdArray

PIECE_SYMBOLS = 2**18
"""Symbols that are measured at a time."""
Piece = tuple[int, int]
"""Its first symbol, and the one behind its last."""
FINAL_LOSS_SHARE = 0.05
"""Of a run that is measured in minutes, the share of the time that a loss may take."""


@dataclass(frozen=True)
class MeasuredLoss:
    """A mean loss in nats, and the number of symbols that it was measured on."""

    mean: float
    symbols: int


def measure_parts(
    network: Network,
    plan: TrainingPlan,
    sum_losses: SumLosses,
    *,
    seconds: float | None,
    is_stopped: Callable[[], bool],
) -> Generator[Measuring, None, dict[str, MeasuredLoss] | None]:
    """Measure the losses on the parts of the text for validation and test, if there are such parts;
    each for at most about `seconds` (None: as long as it takes).

    Returns None where `is_stopped` said so before they were done.
    """
    train, held_out, test = (len(part) for part in plan.split())
    parts = {
        "validation": slice(train, train + held_out),
        "test": slice(train + held_out, train + held_out + test),
    }
    losses: dict[str, MeasuredLoss] = {}
    for name, part in parts.items():
        if part.start < part.stop:
            loss = yield from _measure(
                network,
                plan.corpus.ids,
                part,
                name,
                sum_losses,
                threads=plan.options.threads,
                seconds=seconds,
                is_stopped=is_stopped,
            )
            if loss is None:
                return None
            losses[name] = loss
    return losses


def _measure(
    network: Network,
    ids: IdArray,
    part: slice,
    name: str,
    sum_losses: SumLosses,
    *,
    threads: int,
    seconds: float | None,
    is_stopped: Callable[[], bool],
) -> Generator[Measuring, None, MeasuredLoss | None]:
    size = part.stop - part.start
    borders = (part.start + spread(size, math.ceil(size / PIECE_SYMBOLS))).tolist()
    pieces = list(pairwise(borders))
    total, count, done, start = 0.0, 0, 0, time.monotonic()
    while pieces:
        first, end = pieces.pop(0)
        evaluation = Evaluation(ids[:first], ids[first:end], threads=threads)
        total += evaluation.loss(network, sum_losses) * evaluation.count
        count += evaluation.count
        done += 1
        if seconds is not None and done == 1:
            affordable = int(seconds / max(time.monotonic() - start, 1e-9)) - 1
            pieces = evenly(pieces, affordable)
        yield Measuring(name, done / (done + len(pieces)))
        if pieces and is_stopped():
            return None
    return MeasuredLoss(total / count, count)


def evenly(items: list[Piece], count: int) -> list[Piece]:
    """At most `count` of the items, spread evenly over them."""
    if count >= len(items):
        return items
    return [items[(2 * n + 1) * len(items) // (2 * count)] for n in range(max(count, 0))]
