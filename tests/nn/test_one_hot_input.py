"""The input layer: a gather in the place of a product with one-hot columns."""

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn.nn import one_hot_input
from charrnn.nn.layer import Columns
from charrnn.nn.one_hot_input import OneHotInput
from charrnn.types import Array

ROWS, STEPS, BATCH = 6, 7, 3
SIZES = [1, 2, 5, 40]  # fewer symbols than columns, and more


def window(symbols: int, seed: int = 3) -> tuple[Array, NDArray[np.intp]]:
    """U (rows, V + 1) and ids (T, B)."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(ROWS, symbols + 1)), rng.integers(symbols, size=(STEPS, BATCH))


def projection(U: Array, ids: NDArray[np.integer], *, training: bool = False) -> Array:
    out = Columns.zeros(ROWS, STEPS, BATCH, U.dtype)
    layer = OneHotInput(U.shape[1] - 1, ROWS, STEPS, BATCH, U.dtype, training=training)
    layer.forward(U, ids, out)
    return out.steps.copy()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("symbols", SIZES)
def test_gather_equals_the_product_with_one_hot_columns(symbols: int, training: bool) -> None:
    U, ids = window(symbols)
    x = np.zeros((symbols + 1, STEPS, BATCH))
    x[symbols] = 1
    for t in range(STEPS):
        for b in range(BATCH):
            x[ids[t, b], t, b] = 1
    expected = np.einsum("rv,vtb->rtb", U, x)
    np.testing.assert_allclose(projection(U, ids, training=training), expected, rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int64])
def test_ids_of_every_width(dtype: type[np.integer]) -> None:
    U, ids = window(40)
    np.testing.assert_array_equal(projection(U, ids.astype(dtype)), projection(U, ids))


def test_ids_that_are_columns_of_a_wider_window() -> None:
    U, ids = window(5)
    wide = np.hstack([ids, ids])[:, 1 : 1 + BATCH]
    np.testing.assert_array_equal(projection(U, wide), projection(U, wide.copy()))


@pytest.mark.parametrize("one_hot", [True, False], ids=["one-hot", "sorted"])
@pytest.mark.parametrize("symbols", SIZES)
def test_backward_sums_the_columns_of_each_symbol(
    monkeypatch: pytest.MonkeyPatch, symbols: int, one_hot: bool
) -> None:
    monkeypatch.setattr(one_hot_input, "ONE_HOT_LIMIT", symbols if one_hot else 0)
    layer = OneHotInput(symbols, ROWS, STEPS, BATCH, np.float64, training=True)
    for seed in (4, 5):  # twice: the second window meets what the first left behind
        U, ids = window(symbols, seed)
        columns = Columns.zeros(ROWS, STEPS, BATCH, np.float64)
        layer.forward(U, ids, columns)
        columns.steps[:] = np.random.default_rng(6).normal(size=columns.steps.shape)
        expected = np.zeros_like(U)
        for t in range(STEPS):
            for b in range(BATCH):
                expected[:, ids[t, b]] += columns.steps[:, t, b]
                expected[:, symbols] += columns.steps[:, t, b]
        dU = np.full_like(U, np.nan)
        layer.backward(columns, dU)
        np.testing.assert_allclose(dU, expected, rtol=1e-12, atol=1e-13)


def test_the_two_ways_meet_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The result does not depend on which of the two ways a vocabulary takes."""
    symbols = one_hot_input.ONE_HOT_LIMIT
    U, ids = window(symbols)
    columns = Columns.zeros(ROWS, STEPS, BATCH, np.float64)
    results = []
    for limit in (symbols, symbols - 1):
        monkeypatch.setattr(one_hot_input, "ONE_HOT_LIMIT", limit)
        layer = OneHotInput(symbols, ROWS, STEPS, BATCH, np.float64, training=True)
        layer.forward(U, ids, columns)
        results.append(np.empty_like(U))
        layer.backward(columns, results[-1])
    np.testing.assert_allclose(results[0], results[1], rtol=1e-12, atol=1e-13)
