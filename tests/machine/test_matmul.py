"""Products of small matrices, whole and in tiles."""

import numpy as np
import pytest

from charrnn.machine import matmul
from charrnn.machine.matmul import (
    MAX_MULTIPLICATIONS,
    MIN_TILE_ROWS,
    Product,
    Tiling,
    TransposedProduct,
    find_tiling,
    padded_columns,
)

SIZES = [(512, 128), (1024, 256), (1536, 384), (2048, 512), (1536, 512), (400, 100), (7, 3), (0, 5)]
"""Rows of W, and its columns."""


@pytest.fixture(params=[True, False], ids=["in tiles", "whole"])
def _small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "has_small_products", lambda: request.param)


@pytest.mark.parametrize(
    ("streams", "columns"), [(1, 1), (7, 7), (9, 16), (16, 16), (25, 32), (24, 24), (50, 50)]
)
def test_padding_columns_are_few(streams: int, columns: int) -> None:
    assert padded_columns(streams) == columns


@pytest.mark.parametrize(("rows", "inner"), [*SIZES, *(pair[::-1] for pair in SIZES), (97, 4096)])
@pytest.mark.parametrize("columns", [1, 25, 32, 50, 64, 96])
@pytest.mark.parametrize("max_parts", [1, 8])
def test_tiles_are_small_and_not_too_small(
    monkeypatch: pytest.MonkeyPatch, rows: int, inner: int, columns: int, max_parts: int
) -> None:
    monkeypatch.setattr(matmul, "has_small_products", lambda: True)
    tiling = find_tiling(rows, inner, columns, max_parts=max_parts)
    if tiling is not None:
        assert rows % tiling.rows == columns % tiling.columns == inner % tiling.parts == 0
        assert tiling.parts <= max_parts
        assert tiling.rows >= MIN_TILE_ROWS
        assert tiling.rows * (inner // tiling.parts) * tiling.columns <= MAX_MULTIPLICATIONS


def test_what_has_a_tiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "has_small_products", lambda: False)
    assert find_tiling(2048, 512, 64) is None
    monkeypatch.setattr(matmul, "has_small_products", lambda: True)
    assert find_tiling(2048, 512, 50) is None
    assert find_tiling(2048, 512, 64) == Tiling(parts=1, rows=32, columns=32)
    assert find_tiling(512, 2048, 64, max_parts=8) == Tiling(parts=4, rows=32, columns=32)


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(("rows", "inner"), SIZES)
@pytest.mark.parametrize("columns", [5, 32, 64])
def test_products_and_transposed_products(rows: int, inner: int, columns: int) -> None:
    rng = np.random.default_rng(rows)
    out = np.empty((rows, columns))
    product = Product(rows, inner, columns, out.dtype)
    transposed = TransposedProduct(rows, inner, columns, out.dtype)
    for _ in range(2):
        W, x = rng.normal(size=(rows, inner)), rng.normal(size=(inner, columns))
        product.set_matrix(W)
        product.multiply(x, product.output_view(out))
        np.testing.assert_allclose(out, W @ x, rtol=1e-10, atol=1e-10)
        transposed.set_matrix(W)
        np.testing.assert_allclose(transposed.multiply(out), W.T @ out, rtol=1e-10, atol=1e-9)
