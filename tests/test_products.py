"""Products of small matrices, whole and in parts."""

import numpy as np
import pytest

from charrnn import products
from charrnn.products import Transposed, computed_streams, parts_of_sum, rows_at_a_time


@pytest.mark.parametrize(
    ("streams", "columns"), [(1, 1), (7, 7), (9, 16), (16, 16), (25, 32), (24, 24), (50, 50)]
)
def test_idle_columns_are_few(streams: int, columns: int) -> None:
    assert computed_streams(streams) == columns


@pytest.mark.parametrize("rows", [1, 33, 97, 512, 2048])
@pytest.mark.parametrize("inner", [1, 128, 500, 512, 2048])
@pytest.mark.parametrize("columns", [1, 25, 32, 64])
def test_parts_make_up_the_whole(
    monkeypatch: pytest.MonkeyPatch, rows: int, inner: int, columns: int
) -> None:
    monkeypatch.setattr(products, "has_small_products", lambda: True)
    few = rows_at_a_time(rows, inner, columns)
    assert rows % few == 0
    assert few == rows or few * inner * columns <= products.SMALL
    parts = parts_of_sum(rows, inner, columns)
    assert inner % parts == 0
    # a sum costs something: there is one only where it makes parts of the rows possible
    assert parts == 1 or rows_at_a_time(rows, inner // parts, columns) < rows == few


def test_without_products_of_small_matrices_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "has_small_products", lambda: False)
    assert rows_at_a_time(2048, 512, 32) == 2048
    assert parts_of_sum(512, 2048, 32) == 1


@pytest.mark.parametrize("small", [True, False], ids=["in parts", "whole"])
@pytest.mark.parametrize(
    ("inner", "rows", "gates"), [(512, 128, 4), (1024, 256, 4), (1152, 384, 3)]
)
def test_transposed_product(
    monkeypatch: pytest.MonkeyPatch, inner: int, rows: int, gates: int, small: bool
) -> None:
    monkeypatch.setattr(products, "has_small_products", lambda: small)
    rng = np.random.default_rng(gates)
    transposed = Transposed(inner, rows, 32, np.float64, np.zeros)
    for _ in range(2):
        W, x = rng.normal(size=(inner, rows)), rng.normal(size=(inner, 32))
        transposed.take(W)
        np.testing.assert_allclose(transposed.times(x), W.T @ x, rtol=1e-10, atol=1e-10)
