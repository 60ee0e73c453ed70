"""The order of sums: every row once, and the same wherever neighbours are added."""

import numpy as np
import pytest

from charrnn.training.parallel.pairwise import additions, additions_among, rows_left


def test_the_order_of_seven_rows() -> None:
    assert additions(7) == [(0, 1), (2, 3), (4, 5), (0, 2), (4, 6), (0, 4)]
    assert additions(1) == []


@pytest.mark.parametrize("ranks", range(1, 8))
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 16, 31])
def test_ranks_that_add_up_their_own_first_get_the_same_to_the_bit(rows: int, ranks: int) -> None:
    if ranks > rows:
        ranks = rows
    rng = np.random.default_rng(71)
    x = rng.normal(size=(rows, 50)).astype(np.float32)
    at_once, by_ranks = x.copy(), x.copy()
    for i, j in additions(rows):
        at_once[i] += at_once[j]
    np.testing.assert_allclose(at_once[0], x.sum(axis=0, dtype=np.float64), rtol=0, atol=1e-5)
    parts = [range(rows * r // ranks, rows * (r + 1) // ranks) for r in range(ranks)]
    own = [additions_among(rows, part) for part in parts]
    for part, pairs in zip(parts, own, strict=True):
        assert all(i in part and j in part for i, j in pairs)
        for i, j in pairs:
            by_ranks[i] += by_ranks[j]
    left = [row for part in parts for row in rows_left(rows, part)]
    for row in set(range(rows)) - set(left):
        by_ranks[row] = np.nan  # is not sent
    done = {pair for pairs in own for pair in pairs}
    for i, j in additions(rows):
        if (i, j) not in done:
            by_ranks[i] += by_ranks[j]
    np.testing.assert_array_equal(by_ranks[0], at_once[0])


def test_a_rank_with_a_power_of_two_sends_one_row() -> None:
    assert [rows_left(16, range(4 * r, 4 * r + 4)) for r in range(4)] == [[0], [4], [8], [12]]
