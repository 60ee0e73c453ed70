"""The gate of a mixture: its equations, its gradient by finite differences, and what it learns."""

from typing import cast

import numpy as np
import pytest

from charrnn.errors import OptionError
from charrnn.mixtures.gate import DOMAINS, Domain, Gate
from charrnn.mixtures.members import Member, Predictions

RNG = np.random.default_rng(931)
V, N, FEATURES = 6, 40, (2, 0, 3)


class Fake:
    """A member that only says how many features it has."""

    vocabulary_size = V

    def __init__(self, features: int) -> None:
        self.features = features


MEMBERS = [cast(Member, Fake(features)) for features in FEATURES]
TARGETS = RNG.integers(0, V, N)


def example() -> list[Predictions]:
    p = RNG.dirichlet(np.ones(V), (len(FEATURES), N))
    return [
        Predictions(of_member.T, RNG.normal(size=(features, N)))
        for of_member, features in zip(p, FEATURES, strict=True)
    ]


def random_gate(domain: Domain) -> Gate:
    return Gate(RNG.normal(0, 0.5, (len(FEATURES), 1 + sum(FEATURES))), domain)


def naive(gate: Gate, predictions: list[Predictions], place: int) -> list[float]:
    """p(s) at a place, symbol by symbol."""
    x = [1.0, *(f for each in predictions for f in each.features[:, place].tolist())]
    z = [sum(a * b for a, b in zip(row, x, strict=True)) for row in gate.A.tolist()]
    if gate.domain == "linear":
        total = sum(np.exp(z))
        w = [np.exp(each) / total for each in z]
        return [
            sum(w[k] * each.p[s, place] for k, each in enumerate(predictions)) for s in range(V)
        ]
    p = [
        np.prod([each.p[s, place] ** z[k] for k, each in enumerate(predictions)]) for s in range(V)
    ]
    return [float(each / sum(p)) for each in p]


@pytest.mark.parametrize("domain", DOMAINS)
def test_by_the_equations(domain: Domain) -> None:
    gate, predictions = random_gate(domain), example()
    mixed = gate.mix(predictions)
    for place in range(N):
        np.testing.assert_allclose(mixed.p[:, place], naive(gate, predictions, place), rtol=1e-10)
    np.testing.assert_allclose(mixed.p.sum(axis=0), 1, rtol=1e-12)
    wanted = [-np.log(naive(gate, predictions, n)[TARGETS[n]]) for n in range(N)]
    np.testing.assert_allclose(mixed.losses(TARGETS), wanted, rtol=1e-10)


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_gradient_of_every_number(domain: Domain) -> None:
    gate, predictions = random_gate(domain), example()
    found = gate.mix(predictions).gradient(TARGETS)
    for place in np.ndindex(gate.A.shape):
        before, losses = gate.A[place], []
        for step in (1e-6, -1e-6):
            gate.A[place] = before + step
            losses.append(gate.mix(predictions).losses(TARGETS).mean())
        gate.A[place] = before
        assert found[place] == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-5, abs=1e-8)


def test_fixed_weights() -> None:
    predictions = example()
    p = np.stack([each.p for each in predictions])
    linear = Gate.fixed([2, 1, 1], MEMBERS, "linear").mix(predictions).p
    np.testing.assert_allclose(linear, 0.5 * p[0] + 0.25 * p[1] + 0.25 * p[2])
    of_one = Gate.fixed([0, 3, 0], MEMBERS, "linear").mix(predictions).p
    np.testing.assert_allclose(of_one, p[1])
    product = p[0] ** 0.5 * p[1] ** 0.25 * p[2] ** 0.25
    log = Gate.fixed([2, 1, 1], MEMBERS, "log").mix(predictions).p
    np.testing.assert_allclose(log, product / product.sum(axis=0))


@pytest.mark.parametrize("domain", DOMAINS)
def test_it_learns_which_member_to_trust_where(domain: Domain) -> None:
    """Two members; the feature of the first one says which of them is right."""
    start = 0.5 if domain == "log" else 0.0
    gate = Gate(np.array([[start, 0.0], [start, 0.0]]), domain)
    first = last = 0.0
    for _ in range(400):
        which = RNG.integers(0, 2, N)
        targets = RNG.integers(0, V, N)
        right = np.full((V, N), 0.1 / (V - 1))
        right[targets, np.arange(N)] = 0.9
        wrong = RNG.dirichlet(np.ones(V), N).T
        p = [np.where(which == k, right, wrong) for k in range(2)]
        mixed = gate.mix(
            [
                Predictions(p[0], which[np.newaxis].astype(float)),
                Predictions(p[1], np.zeros((0, N))),
            ]
        )
        last = float(mixed.losses(targets).mean())
        first = first or last
        gate.learn(mixed, targets)
    assert last < 0.6 * first
    weights = gate.A @ np.array([[1, 1], [0, 1]])  # (K, which)
    assert weights[0, 0] > weights[1, 0]
    assert weights[0, 1] < weights[1, 1]


def test_a_fixed_gate_learns_nothing_and_a_copy_learns_alone() -> None:
    predictions = example()
    fixed, even = Gate.fixed([1, 1, 1], MEMBERS, "log"), Gate.even(MEMBERS, "log")
    copy = even.copy()
    for gate in (fixed, copy):
        gate.learn(gate.mix(predictions), TARGETS)
    assert np.array_equal(fixed.A, even.A)
    assert not np.array_equal(copy.A, even.A)


@pytest.mark.parametrize("weights", [[1, -1, 1], [0, 0, 0], [1, float("nan"), 1]])
def test_weights_that_make_no_sense(weights: list[float]) -> None:
    with pytest.raises(OptionError, match="at least 0, and not all of them 0"):
        Gate.fixed(weights, MEMBERS, "linear")


def test_an_unknown_domain() -> None:
    with pytest.raises(OptionError, match="`mixing` 'cubic' is unknown; there are linear, log"):
        Gate.even(MEMBERS, cast(Domain, "cubic"))
