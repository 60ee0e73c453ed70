"""Cells grouped by the feature that they follow."""

from typing import Any

import numpy as np
import pytest

from charrnn.model import Model
from charrnn.neurons import effects as effects_module
from charrnn.neurons.claims import Finding, Findings
from charrnn.neurons.effects import effects
from charrnn.neurons.features.registry import FEATURES
from charrnn.neurons.groups import by_feature, groups, near_duplicates
from charrnn.neurons.search import Search
from charrnn.nn.network import Network, NetworkConfig
from charrnn.text.vocabulary import Vocabulary
from reference import random_network

N = 3000
CLAIM, NO_CLAIM = ("state cell", ""), ("unexplained", "its score is below 0.5")


def finding(unit: int, feature: str, score: float, untrained: float, *, claim: bool) -> Finding:
    label, reason = CLAIM if claim else NO_CLAIM
    return Finding(unit, FEATURES[feature], score, 0.01, untrained, 0.5, 0.5, label, reason)


def found(*findings: Finding, **changes: Any) -> Search:
    return Search(
        "c",
        6,
        list(FEATURES.values()),
        Findings(list(findings), {}, 200),
        (slice(0, N // 2), slice(N // 2, N)),
        **changes,
    )


MIXED = (
    finding(0, "speaker", 0.99, 0.93, claim=True),
    finding(1, "quotes", -0.8, 0.3, claim=True),
    finding(2, "digit", 0.45, 0.2, claim=False),
    finding(3, "quotes", 0.9, 0.3, claim=True),
    finding(4, "quotes", 0.4, 0.3, claim=False),
    finding(5, "word start", 0.6, 0.3, claim=True),
    finding(6, "digit", 0.48, 0.2, claim=False),
)


def test_groups_with_claims_come_first_and_trivial_ones_last_among_them() -> None:
    members = by_feature(found(*MIXED))
    assert [[one.unit for one in group] for group in members] == [[3, 1], [5], [0], [6, 2]]
    assert by_feature(found()) == []


def network() -> Network:
    """One that hears its units 2 and 4 alone, of which the second is a copy of the first."""
    one = random_network(np.random.default_rng(141), NetworkConfig(4, 6, 2))
    for name in ("U1", "W1"):
        gates = one.parameters[name].reshape(-1, 6, one.parameters[name].shape[1])
        gates[:, 4] = gates[:, 2]
    V = one.parameters["V"]
    V[:] = 0
    V[:, 2] = V[:, 4] = [3, -3, 1, 0]
    return one


def model_and_text() -> tuple[Model, np.ndarray[Any, np.dtype[np.int64]]]:
    vocabulary = Vocabulary(np.array([10, 34, 97, 98], np.uint32))  # a line end, ", a and b
    ids = np.random.default_rng(7).integers(4, size=N)
    return Model(network(), vocabulary), ids


@pytest.fixture
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects_module, "BLOCK_CHARACTERS", 50)
    monkeypatch.setattr(effects_module, "BLOCK_WARM_UP", 10)


def test_the_effect_of_a_group_is_that_of_all_its_claimed_cells(short_blocks: None) -> None:
    model, ids = model_and_text()
    copies = (
        finding(8, "quotes", 0.9, 0.3, claim=True),
        finding(10, "quotes", 0.8, 0.3, claim=True),
        finding(9, "quotes", 0.4, 0.3, claim=False),
        finding(7, "digit", 0.7, 0.3, claim=True),
    )
    values = np.random.default_rng(3).uniform(-1, 1, (2, N // 2, 6)).astype(np.float32)
    values[1, :, 4] = -values[1, :, 2]
    (own,) = effects(model.network, ids, [{(1, 1): 0.1}], [None], np.random.default_rng(2))
    search = found(*copies, effects={8: own, 10: own, 7: own})
    quotes, digit = groups(search, model, ids, values, np.random.default_rng(1))
    means = {place: float(values[place[0], :, place[1]].mean()) for place in ((1, 2), (1, 4))}
    on = FEATURES["quotes"].track("".join('\n"ab'[id] for id in ids))[N // 2 :]
    (expected,) = effects(
        model.network, ids[N // 2 :], [means], [on.astype(bool)], np.random.default_rng(1)
    )
    assert quotes.effect is not None
    assert digit.effect is not None
    assert quotes.effect.bits == pytest.approx(expected.bits, rel=1e-6)
    assert quotes.effect.bits_on == pytest.approx(expected.bits_on, rel=1e-6)
    assert [(layer, unit) for layer, unit, _ in quotes.cells] == [(1, 2), (1, 4)]
    assert quotes.alike == [None, (1, 2)], "the sign does not matter"
    assert (quotes.claimed, quotes.near_duplicates, digit.claimed) == (2, 1, 1)
    assert digit.effect.bits == own.bits, "a cell alone is not measured again"


def test_nothing_is_measured_where_single_cells_were_not(short_blocks: None) -> None:
    model, ids = model_and_text()
    values = np.zeros((2, N // 2, 6), np.float32)
    both = (finding(8, "quotes", 0.9, 0.3, claim=True), finding(9, "quotes", 0.8, 0.3, claim=True))
    (one,) = groups(found(*both), model, ids, values, np.random.default_rng(1))
    assert one.effect is None
    assert one.alike == [None, None], "a constant is like nothing"


def test_a_group_without_claims() -> None:
    model, ids = model_and_text()
    values = np.ones((2, N // 2, 6), np.float32)
    one = finding(2, "digit", 0.45, 0.2, claim=False)
    (group,) = groups(found(one), model, ids, values, np.random.default_rng(1))
    assert (group.claimed, group.near_duplicates, group.effect) == (0, 0, None)
    assert group.best.score == 0.45


def test_near_duplicates() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(2, 10_000))
    values = np.stack([a, b, -a + 0.3 * b, a + 0.6 * b, 3 * b + 7, np.ones(10_000)])
    r = np.corrcoef(values[:5])
    assert abs(r[0, 2]) > 0.9 > abs(r[0, 3])
    found = near_duplicates(values.astype(np.float32))
    assert found == [None, None, 0, None, 1, None]


def test_what_is_alike_is_alike_a_cell_that_counts() -> None:
    """Each of a chain is like its neighbours alone; every second one is a near-duplicate."""
    rng = np.random.default_rng(6)
    noise = rng.normal(size=(30, 5000))
    chain = np.stack([noise[n : n + 12].sum(axis=0) for n in range(4)])
    assert np.corrcoef(chain)[0, 1] > 0.9 > np.corrcoef(chain)[0, 2]
    assert near_duplicates(chain.astype(np.float32)) == [None, 0, None, 2]
