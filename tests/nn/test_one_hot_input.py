"""The input layer: a table in the place of a product with one-hot vectors."""

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn.nn import one_hot_input
from charrnn.nn.one_hot_input import OneHotInput
from charrnn.types import Array

FEATURES, ROWS = 70, 21  # more features than are transposed at a time
SIZES = [1, 2, 5, 21, 22, 40]  # fewer symbols than rows, and more


def window(symbols: int, seed: int = 3) -> tuple[Array, NDArray[np.intp]]:
    """U (G·H, V + 1) and ids (N,)."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(FEATURES, symbols + 1)), rng.integers(symbols, size=ROWS)


def projection(U: Array, ids: NDArray[np.integer]) -> Array:
    out = np.full((ROWS, FEATURES), np.nan)
    OneHotInput(U.shape[1] - 1, FEATURES, ROWS, U.dtype).forward(U, ids, out)
    return out


@pytest.mark.parametrize("symbols", SIZES)
def test_the_table_equals_the_product_with_one_hot_vectors(symbols: int) -> None:
    U, ids = window(symbols)
    x = np.zeros((ROWS, symbols + 1))
    x[:, symbols] = 1
    for row in range(ROWS):
        x[row, ids[row]] = 1
    np.testing.assert_allclose(projection(U, ids), x @ U.T, rtol=1e-12)


@pytest.mark.parametrize("symbols", [5, 40])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int64])
def test_ids_of_every_width(symbols: int, dtype: type[np.integer]) -> None:
    U, ids = window(symbols)
    np.testing.assert_array_equal(projection(U, ids.astype(dtype)), projection(U, ids))


def test_ids_that_are_not_contiguous() -> None:
    U, ids = window(5)
    np.testing.assert_array_equal(projection(U, np.repeat(ids, 2)[::2]), projection(U, ids))


@pytest.mark.parametrize("rows_at_once", [2, 256])
@pytest.mark.parametrize("gradients", [FEATURES, FEATURES + 3])
@pytest.mark.parametrize("symbols", SIZES)
def test_backward_sums_the_rows_of_each_symbol(
    monkeypatch: pytest.MonkeyPatch, symbols: int, gradients: int, rows_at_once: int
) -> None:
    monkeypatch.setattr(one_hot_input, "ROWS_AT_ONCE", rows_at_once)
    layer = OneHotInput(symbols, FEATURES, ROWS, np.float64, gradients=gradients)
    for seed in (4, 5):  # twice: the second window meets what the first left behind
        U, ids = window(symbols, seed)
        layer.forward(U, ids, np.empty((ROWS, FEATURES)))
        # a cell may have more blocks than gates
        dA = np.random.default_rng(6).normal(size=(ROWS, gradients))
        expected = np.zeros_like(U)
        for row in range(ROWS):
            expected[:, ids[row]] += dA[row, :FEATURES]
            expected[:, symbols] += dA[row, :FEATURES]
        dU = np.full_like(U, np.nan)
        layer.backward(dA, dU)
        np.testing.assert_allclose(dU, expected, rtol=1e-12, atol=1e-13)
