"""Softmax and cross-entropy over columns of logits."""

import math

import numpy as np
import pytest

from charrnn.nn.softmax import SoftmaxCrossEntropy, log_softmax, softmax
from charrnn.types import Array
from reference import numerical_gradient

V, N = 6, 5
RNG = np.random.default_rng(1)
LOGITS = RNG.normal(0, 2, (V, N))
TARGETS = RNG.integers(V, size=N)


def losses(logits: Array) -> Array:
    return SoftmaxCrossEntropy(N, logits.dtype).forward(logits.copy(), TARGETS)


def test_losses_and_probabilities_are_those_of_the_definition() -> None:
    probabilities = LOGITS.copy()
    loss = SoftmaxCrossEntropy(N, np.float64).forward(probabilities, TARGETS)
    for n in range(N):
        total = sum(math.exp(LOGITS[u, n]) for u in range(V))
        for v in range(V):
            assert probabilities[v, n] == pytest.approx(math.exp(LOGITS[v, n]) / total, rel=1e-13)
        assert loss[n] == pytest.approx(-math.log(probabilities[TARGETS[n], n]), rel=1e-13)


def test_equal_logits_cost_ln_v() -> None:
    np.testing.assert_allclose(losses(np.full((V, N), 3.0)), math.log(V), rtol=1e-14)


def test_backward_is_the_slope_of_the_scaled_loss() -> None:
    head, scale = SoftmaxCrossEntropy(N, np.float64), 0.3
    gradient = LOGITS.copy()
    head.forward(gradient, TARGETS)
    head.backward(gradient, scale)
    flat = LOGITS.flatten()
    slopes = numerical_gradient(lambda: scale * float(losses(flat.reshape(V, N)).sum()), flat)
    np.testing.assert_allclose(gradient, slopes.reshape(V, N), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-15)


def test_a_second_call_forgets_the_first() -> None:
    head = SoftmaxCrossEntropy(N, np.float64)
    head.forward(-LOGITS, (TARGETS + 1) % V)
    np.testing.assert_array_equal(head.forward(LOGITS.copy(), TARGETS), losses(LOGITS))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_logits_neither_overflow_nor_divide_by_zero(dtype: type[np.floating]) -> None:
    logits = np.zeros((V, N), dtype)
    logits[TARGETS, np.arange(N)] = [1e4, -1e4, 1e30, 700, -700]
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        head = SoftmaxCrossEntropy(N, dtype)
        loss = head.forward(logits, TARGETS).copy()
        head.backward(logits, 1.0)
    tail = math.log(V - 1)  # the other symbols share what a hopeless target leaves
    np.testing.assert_allclose(loss, [0, 1e4 + tail, 0, 0, 700 + tail], rtol=1e-6)
    assert np.isfinite(logits).all()


def test_softmax_is_a_new_float64_array() -> None:
    logits = LOGITS.astype(np.float32)
    before = logits.copy()
    probabilities = softmax(logits)
    assert probabilities.dtype == np.float64
    np.testing.assert_array_equal(logits, before)
    expected = np.exp(logits.astype(np.float64))
    np.testing.assert_allclose(probabilities, expected / expected.sum(axis=0), rtol=1e-14)


def test_softmax_of_large_logits() -> None:
    logits = np.array([[1e30, -1e4], [0, 0]], np.float32)
    with np.errstate(over="raise", invalid="raise"):
        np.testing.assert_allclose(softmax(logits), [[1, 0], [0, 1]])


def test_log_softmax_is_the_logarithm_of_softmax() -> None:
    logits = LOGITS.astype(np.float32)
    before = logits.copy()
    logs = log_softmax(logits)
    assert logs.dtype == np.float64
    np.testing.assert_array_equal(logits, before)
    np.testing.assert_allclose(logs, np.log(softmax(logits)), rtol=1e-14)


def test_log_softmax_is_finite_where_the_probability_is_too_small_for_a_number() -> None:
    logits = np.array([[2000, -1e30], [0, 0], [0, 0]], np.float32)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        logs = log_softmax(logits)
    expected = [[0, -1e30], [-2000, -math.log(2)], [-2000, -math.log(2)]]
    np.testing.assert_allclose(logs, expected, rtol=1e-7)
