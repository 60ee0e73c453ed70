"""The watch over a training that may explode."""

import math

import numpy as np
import pytest

from charrnn.training.divergence import (
    DIVERGED,
    HOPELESS,
    RECENT_SYMBOLS,
    DivergenceError,
    Watch,
    entropy,
)
from charrnn.training.run_state import RunState

IDS = np.tile(np.arange(8, dtype=np.uint8), 5000)
"""Eight symbols, equally often: ln 8 = 2.08 nats."""


def watch(losses: list[float], window: int = RECENT_SYMBOLS) -> Watch:
    watch = Watch(IDS, window, RunState())
    for loss in losses:
        watch.check(loss, 1.0)
    return watch


def test_entropy_by_its_definition() -> None:
    assert entropy(IDS) == pytest.approx(math.log(8))
    ids = np.array([0, 0, 0, 2])
    assert entropy(ids) == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    long = np.random.default_rng(61).choice(4, 100_000, p=[0.1, 0.2, 0.3, 0.4])
    assert entropy(long, most=20_000) == pytest.approx(entropy(long), abs=0.01)


@pytest.mark.parametrize(("loss", "norm"), [(math.nan, 1), (math.inf, 1), (2, math.nan)])
def test_what_is_no_number_is_an_explosion(loss: float, norm: float) -> None:
    with pytest.raises(DivergenceError, match="no longer a number"):
        Watch(IDS, RECENT_SYMBOLS, RunState()).check(loss, norm)


def test_a_loss_far_above_what_the_network_knew() -> None:
    limit = DIVERGED * math.log(8)
    watch([2.2, 2.0, 1.5, limit - 0.01])
    with pytest.raises(DivergenceError, match=r"risen to 3\.1"):
        watch([2.2, 2.0, 1.5, limit + 0.01])


def test_a_network_that_knew_nothing_yet_has_nothing_to_lose() -> None:
    watch([2.5, 4.0, 3.5, 2.1, 4.0])
    with pytest.raises(DivergenceError):
        watch([HOPELESS + 1])


def test_a_few_characters_prove_nothing() -> None:
    watch([1.0, 4.0, 1.0, 4.0, 4.0], window=RECENT_SYMBOLS // 64)
    with pytest.raises(DivergenceError):
        watch([1.0] + [4.0] * 100, window=RECENT_SYMBOLS // 64)
    state = RunState()
    for loss in (1.0, 3.0):
        Watch(IDS, RECENT_SYMBOLS // 4, state).check(loss, 1.0)
    assert state.watch_recent == pytest.approx(1.5)
    assert state.watch_lowest == 1.0
