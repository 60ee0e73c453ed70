"""What a unit is worth to the network."""

import numpy as np
import pytest

from charrnn.neurons import effects as module
from charrnn.neurons.effects import effects
from charrnn.nn.network import Network, NetworkConfig
from reference import random_network


@pytest.fixture(autouse=True)
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_CHARACTERS", 50)
    monkeypatch.setattr(module, "BLOCK_WARM_UP", 10)


def network() -> Network:
    """One whose prediction depends on unit 2 and on no other: nobody else is heard."""
    one = random_network(np.random.default_rng(141), NetworkConfig(4, 6, 1))
    V = one.parameters["V"]
    V[:] = 0
    V[:, 2] = [3, -3, 1, 0]
    one.parameters["W0"][:] = 0
    return one


def text(length: int = 1200) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """What that network writes."""
    rng = np.random.default_rng(142)
    one = network()
    ids, workspace = [0], one.workspace(1, 1)
    for _ in range(length - 1):
        z = workspace.forward(np.array([[ids[-1]]]))[:, 0]
        p = np.exp(z) / np.exp(z).sum()
        ids.append(int(rng.choice(4, p=p)))
    return np.array(ids)


def test_a_unit_that_is_used_and_one_that_is_not() -> None:
    ids = text()
    on = ids == 1
    used, idle = effects(
        network(), ids, [{(0, 2): 0.0}, {(0, 4): 0.0}], [on, None], np.random.default_rng(1)
    )
    assert used.is_used
    assert 0 < used.low < used.bits < used.high
    assert used.low_on <= used.bits_on <= used.high_on
    assert not idle.is_used
    assert idle.bits == idle.low == idle.high == 0
    assert np.isnan(idle.bits_on)


def test_the_change_is_that_of_the_loss_in_bits() -> None:
    ids = text(61)
    one = network()
    (found,) = effects(one, ids, [{(0, 2): 0.0}], [None], np.random.default_rng(1))
    free = one.workspace(60, 1).losses(ids[:-1, np.newaxis], ids[1:, np.newaxis])[10:, 0]
    # without the unit all symbols are alike
    expected = (np.log(4) - free).mean() / np.log(2)
    assert found.bits == pytest.approx(expected, rel=1e-6)
    assert found.low == found.high == found.bits, "one block has no spread"


def test_units_that_stand_in_for_each_other_cost_more_together() -> None:
    """Unit 4 is a copy of unit 2, and each of them has half of its say."""
    one = network()
    for name in ("U0", "W0"):
        gates = one.parameters[name].reshape(-1, 6, one.parameters[name].shape[1])
        gates[:, 4] = gates[:, 2]
    one.parameters["V"][:, 4] = one.parameters["V"][:, 2] = one.parameters["V"][:, 2] / 2
    alone, other, both = effects(
        one,
        text(),
        [{(0, 2): 0.0}, {(0, 4): 0.0}, {(0, 2): 0.0, (0, 4): 0.0}],
        [None] * 3,
        np.random.default_rng(1),
    )
    assert repr(alone) == repr(other)
    assert both.bits > 2 * alone.bits > 0


def test_the_same_seed_gives_the_same_interval() -> None:
    ids = text()

    def run(seed: int) -> str:
        return repr(effects(network(), ids, [{(0, 2): 0.0}], [None], np.random.default_rng(seed)))

    assert run(1) == run(1) != run(2)


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STREAMS_AT_ONCE", 1)
    held, tracks = [{(0, 2): 0.0}, {(0, 4): 0.0}, {(0, 1): 0.0}], [None] * 3

    def run(threads: int) -> str:
        rng = np.random.default_rng(1)
        return repr(effects(network(), text(), held, tracks, rng, threads=threads))

    assert run(1) == run(2) == run(7)


def test_too_short_a_text() -> None:
    with pytest.raises(ValueError, match="61 symbols are needed, not 60"):
        effects(network(), text(60), [{(0, 2): 0.0}], [None], np.random.default_rng(1))
