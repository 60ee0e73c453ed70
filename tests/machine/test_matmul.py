"""Products of small matrices, whole and in pieces."""

import numpy as np
import pytest

from charrnn.machine import matmul
from charrnn.machine.matmul import FEWEST, SMALL, Product, TransposedProduct, computed_streams, cut

SIZES = [(512, 128), (1024, 256), (1536, 384), (2048, 512), (1536, 512), (400, 100), (7, 3)]
"""Rows of W, and its columns."""


@pytest.fixture(params=[True, False], ids=["in pieces", "whole"])
def _small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "has_small_products", lambda: request.param)


@pytest.mark.parametrize(
    ("streams", "columns"), [(1, 1), (7, 7), (9, 16), (16, 16), (25, 32), (24, 24), (50, 50)]
)
def test_idle_columns_are_few(streams: int, columns: int) -> None:
    assert computed_streams(streams) == columns


@pytest.mark.parametrize(("rows", "inner"), [*SIZES, *(pair[::-1] for pair in SIZES), (97, 4096)])
@pytest.mark.parametrize("columns", [1, 25, 32, 50, 64, 96])
@pytest.mark.parametrize("most_parts", [1, 8])
def test_pieces_are_small_and_not_too_small(
    monkeypatch: pytest.MonkeyPatch, rows: int, inner: int, columns: int, most_parts: int
) -> None:
    monkeypatch.setattr(matmul, "has_small_products", lambda: True)
    pieces = cut(rows, inner, columns, most_parts=most_parts)
    if pieces is not None:
        assert rows % pieces.rows == columns % pieces.columns == inner % pieces.parts == 0
        assert pieces.parts <= most_parts
        assert pieces.rows >= FEWEST
        assert pieces.rows * (inner // pieces.parts) * pieces.columns <= SMALL


def test_what_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "has_small_products", lambda: False)
    assert cut(2048, 512, 64) is None
    monkeypatch.setattr(matmul, "has_small_products", lambda: True)
    assert cut(2048, 512, 50) is None
    assert cut(2048, 512, 64) == matmul.Pieces(parts=1, rows=32, columns=32)
    assert cut(512, 2048, 64, most_parts=8) == matmul.Pieces(parts=4, rows=32, columns=32)


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
        product.take(W)
        product.times(x, product.place(out))
        np.testing.assert_allclose(out, W @ x, rtol=1e-10, atol=1e-10)
        transposed.take(W)
        np.testing.assert_allclose(transposed.times(out), W.T @ out, rtol=1e-10, atol=1e-9)
