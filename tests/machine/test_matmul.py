"""Products of small matrices, whole and in tiles."""

import numpy as np
import pytest

from charrnn.machine import matmul
from charrnn.machine.matmul import (
    MAX_MULTIPLICATIONS,
    MAX_TILE_COLUMNS,
    MIN_PART_ROWS,
    MIN_TILE_COLUMNS,
    Product,
    Tiling,
    find_tiling,
)

SIZES = [(128, 4, 128), (256, 3, 256), (384, 4, 384), (512, 1, 512), (2048, 1, 512), (97, 2, 97)]
"""Rows of M, blocks, and columns of a block."""


@pytest.fixture(params=[True, False], ids=["in tiles", "whole"])
def _small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "has_small_products", lambda: request.param)


@pytest.mark.parametrize("rows", [0, 1, 50, 64, 97, 100, 128, 256, 300, 512, 1000, 2048, 4096])
@pytest.mark.parametrize("columns", [0, 3, 50, 64, 97, 100, 128, 300, 512, 1024])
@pytest.mark.parametrize("streams", [0, 1, 25, 32, 64, 1000])
def test_tiles_are_small_and_not_too_small(
    monkeypatch: pytest.MonkeyPatch, rows: int, columns: int, streams: int
) -> None:
    monkeypatch.setattr(matmul, "has_small_products", lambda: True)
    tiling = find_tiling(streams, rows, columns)
    if tiling is not None:
        assert columns % tiling.columns == rows % tiling.parts == 0
        assert MIN_TILE_COLUMNS <= tiling.columns <= MAX_TILE_COLUMNS
        part = rows // tiling.parts
        assert part >= min(rows, MIN_PART_ROWS)
        assert streams * part * tiling.columns <= MAX_MULTIPLICATIONS


def test_what_has_a_tiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "has_small_products", lambda: False)
    assert find_tiling(25, 128, 128) is None
    monkeypatch.setattr(matmul, "has_small_products", lambda: True)
    assert find_tiling(25, 128, 128) == Tiling(parts=1, columns=64)
    assert find_tiling(32, 1024, 256) == Tiling(parts=8, columns=64)
    assert find_tiling(25, 100, 100) == Tiling(parts=1, columns=50)
    assert find_tiling(25, 96, 96) == Tiling(parts=1, columns=48)
    assert find_tiling(128, 128, 128) == Tiling(parts=2, columns=64)
    assert find_tiling(512, 128, 128) is None, "parts would be too short"
    assert find_tiling(25, 97, 97) is None, "a prime number"


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(("rows", "blocks", "columns"), SIZES)
@pytest.mark.parametrize("streams", [1, 5, 25, 64])
def test_products(rows: int, blocks: int, columns: int, streams: int) -> None:
    rng = np.random.default_rng(rows)
    wide = rng.normal(size=(streams, rows + 1))
    out = np.full((blocks, streams, columns), np.nan)
    product = Product(streams, rows, blocks, columns, out.dtype)
    factor, result = product.factor_view(wide[:, :rows]), product.output_view(out)
    for _ in range(2):
        M = rng.normal(size=(blocks * columns, rows)).T
        wide[:] = rng.normal(size=wide.shape)
        product.set_matrix(M)
        product.multiply(factor, result)
        expected = (wide[:, :rows] @ M).reshape(streams, blocks, columns).swapaxes(0, 1)
        np.testing.assert_allclose(out, expected, rtol=1e-10, atol=1e-10)


def test_no_rows_and_no_blocks() -> None:
    """Of a cell without recurrent gates."""
    forward, backward = Product(3, 5, 0, 5, np.float64), Product(3, 0, 1, 5, np.float64)
    forward.set_matrix(np.zeros((5, 0)))
    forward.multiply(np.ones((3, 5)), forward.output_view(np.zeros((0, 3, 5))))
    out = np.full((1, 3, 5), np.nan)
    backward.set_matrix(np.zeros((0, 5)))
    backward.multiply(np.ones((3, 0)), backward.output_view(out))
    assert not out.any()
