"""The order in which the gradients of shards are added: in pairs, then pairs of pairs, and so on.

    stride 1    0 += 1    2 += 3    4 += 5    6
    stride 2    0 += 2              4 += 6
    stride 4    0 += 4

Pairwise summation (Higham 1993) rounds less than a sum from left to right. And neighbours can be
added where they are, whoever has the others: the result is the same to the bit.
"""

Addition = tuple[int, int]
"""Rows i and j of an addition: row i += row j."""


def additions(rows: int) -> list[Addition]:
    """The additions in their order, after which row 0 is the sum of all rows."""
    found: list[Addition] = []
    stride = 1
    while stride < rows:
        found += [(i, i + stride) for i in range(0, rows - stride, 2 * stride)]
        stride *= 2
    return found


def additions_among(rows: int, part: range) -> list[Addition]:
    """Those of `additions(rows)` that need nothing but the rows of `part`."""
    return [(i, j) for i, j in additions(rows) if i in part and min(2 * j - i, rows) <= part.stop]


def rows_left(rows: int, part: range) -> list[int]:
    """The rows of `part` that hold its sums after `additions_among` them."""
    added = {j for _, j in additions_among(rows, part)}
    return [row for row in part if row not in added]
