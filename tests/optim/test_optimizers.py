"""The optimizers against their papers, one number at a time."""

import math

import numpy as np
import pytest

from charrnn import registries
from charrnn.optim.optimizers import OPTIMIZERS, SGD, Adagrad, Adam, Lion, RMSprop

P, STEPS, RATE = 13, 20, 0.01
BETA1 = 0.87


def gradients() -> list[list[float]]:
    """Of every magnitude, with zeros, and small ones, where ε matters."""
    rng = np.random.default_rng(2)
    magnitudes = np.logspace(-9, 3, P)
    magnitudes[4] = 0
    return [list(row) for row in rng.normal(size=(STEPS, P)) * magnitudes]


def adam_by_the_paper(weight: float, gradients: list[float], decay: float) -> float:
    """Algorithm 1 of Kingma & Ba (2015), for one weight; algorithm 2 of Loshchilov & Hutter (2019)
    where there is decay."""
    alpha, beta1, beta2, epsilon = RATE, BETA1, Adam.beta2, Adam.epsilon
    m = v = 0.0
    t = 0
    for g in gradients:
        t = t + 1
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        weight = weight - alpha * (m_hat / (math.sqrt(v_hat) + epsilon) + decay * weight)
    return weight


def rmsprop_by_hand(weight: float, gradients: list[float], decay: float) -> float:
    v = 0.0
    for g in gradients:
        v = RMSprop.alpha * v + (1 - RMSprop.alpha) * g**2
        weight = weight - RATE * (g / (math.sqrt(v) + RMSprop.epsilon) + decay * weight)
    return weight


def adagrad_by_hand(weight: float, gradients: list[float], decay: float) -> float:
    v = 0.0
    for g in gradients:
        v = v + g**2
        weight = weight - RATE * (g / (math.sqrt(v) + Adagrad.epsilon) + decay * weight)
    return weight


def sgd_by_hand(weight: float, gradients: list[float], decay: float) -> float:
    velocity = 0.0
    for g in gradients:
        velocity = SGD.momentum * velocity + g
        weight = weight - RATE * (velocity + decay * weight)
    return weight


def lion_by_the_paper(weight: float, gradients: list[float], decay: float) -> float:
    """Algorithm 2 of Chen et al. (2023), for one weight."""
    m = 0.0
    for g in gradients:
        c = BETA1 * m + (1 - BETA1) * g
        sign = math.copysign(1, c) if c else 0
        weight = weight - RATE * (sign + decay * weight)
        m = Lion.beta2 * m + (1 - Lion.beta2) * g
    return weight


BY_HAND = {
    "adam": adam_by_the_paper,
    "adamw": adam_by_the_paper,
    "rmsprop": rmsprop_by_hand,
    "adagrad": adagrad_by_hand,
    "sgd": sgd_by_hand,
    "lion": lion_by_the_paper,
}


def test_every_optimizer_has_a_naive_reference() -> None:
    assert list(OPTIMIZERS) == list(BY_HAND)


def test_adamw_is_adam_with_weight_decay() -> None:
    assert OPTIMIZERS["adamw"] is OPTIMIZERS["adam"]
    assert registries.OPTIMIZERS["adamw"].defaults["weight_decay"] > 0


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("length", [P, 5, 1], ids=["whole", "parts of 5", "one by one"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_follow_their_equations(name: str, length: int, decay: float) -> None:
    weights = np.linspace(-1, 1, P)
    expected = [
        BY_HAND[name](weight, list(column), decay)
        for weight, column in zip(weights, zip(*gradients(), strict=True), strict=True)
    ]
    optimizer = OPTIMIZERS[name](weights, weight_decay=decay, beta1=BETA1)
    scratch = np.full(P, np.nan)
    for count, row in enumerate(gradients(), start=1):
        gradient = np.array(row)
        for start in range(0, P, length):
            part = slice(start, start + length)
            optimizer.update(count, weights, gradient, RATE, part, scratch)
    np.testing.assert_allclose(weights, expected, rtol=1e-13, atol=1e-14)


def test_the_first_step_is_as_long_as_the_learning_rate() -> None:
    weights = np.zeros(3)
    adam = Adam(weights)
    adam.update(1, weights, np.array([4.0, -0.1, 0.0]), RATE, slice(0, 3), np.empty(3))
    np.testing.assert_allclose(weights, [-RATE, RATE, 0], rtol=1e-6)


def test_the_state_has_names() -> None:
    weights, gradient = np.zeros(2), np.array([3.0, -2.0])
    adam = Adam(weights, beta1=BETA1)
    adam.update(1, weights, gradient.copy(), RATE, slice(0, 2), np.empty(2))
    state = adam.named_state()
    np.testing.assert_allclose(state["m"], (1 - BETA1) * gradient)
    np.testing.assert_allclose(state["v"], (1 - Adam.beta2) * gradient**2)
    np.testing.assert_array_equal(adam.state, [state["m"], state["v"]])


def test_a_part_leaves_the_rest_alone() -> None:
    weights, gradient = np.ones(6), np.ones(6)
    adam = Adam(weights)
    adam.update(1, weights, gradient, RATE, slice(2, 4), np.empty(6))
    assert (weights == 1).tolist() == [True, True, False, False, True, True]
    state = adam.named_state()
    assert (state["m"] == 0).tolist() == [True, True, False, False, True, True]
    assert (state["v"] == 0).tolist() == [True, True, False, False, True, True]
    assert gradient[[0, 1, 4, 5]].tolist() == [1, 1, 1, 1]


def test_the_state_has_the_type_of_the_weights() -> None:
    weights = np.ones(3, np.float32)
    adam = Adam(weights)
    assert adam.state.dtype == np.float32
    adam.update(1, weights, np.ones(3, np.float32), RATE, slice(0, 3), np.empty(3, np.float32))
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights, 1 - RATE, rtol=1e-6)
