"""Parallel streams: what they read, and what of it counts."""

import numpy as np
import pytest

from charrnn.text.streams import Streams


def counted(streams: Streams, steps: int) -> list[int]:
    """Every position that counts, in order; checks that each stream reads on without a gap."""
    found: list[int] = []
    read: list[list[int]] = [[] for _ in range(len(streams))]
    for positions, counts in streams.windows(steps):
        assert positions.shape == counts.shape == (steps, len(streams))
        found += positions[counts].tolist()
        for b in range(len(streams)):
            read[b] += positions[:, b].tolist()
    for b, places in enumerate(read):
        whole = range(int(streams.begins[b]), int(streams.ends[b]))
        assert places[: len(whole)] == list(whole)
        assert set(places[len(whole) :]) <= {int(streams.ends[b]) - 1}
    return sorted(found)


@pytest.mark.parametrize("steps", [1, 7, 64])
@pytest.mark.parametrize("warm_up", [0, 3, 1000])
@pytest.mark.parametrize(("part", "count"), [(range(0, 10), 3), (range(5, 205), 64), (range(9), 1)])
def test_every_place_of_the_part_counts_once(
    part: range, count: int, warm_up: int, steps: int
) -> None:
    streams = Streams.covering(part, count, warm_up)
    assert len(streams) == count
    assert counted(streams, steps) == list(part)
    assert streams.symbols == len(part)
    expected = [max(int(start) - warm_up, 0) for start in streams.starts]
    assert streams.begins.tolist() == expected
    assert streams.longest == max((streams.ends - streams.begins).tolist())


def test_a_shortened_part_begins_where_it_did() -> None:
    streams = Streams.covering(range(5, 25), 4, 2).shortened(3)
    assert counted(streams, 2) == [5, 6, 7, 10, 11, 12, 15, 16, 17, 20, 21, 22]
    assert streams.shortened(99).ends.tolist() == streams.ends.tolist()


@pytest.mark.parametrize("length", [16, 17, 40])
def test_pieces_have_a_warm_up_and_a_symbol_behind_them(length: int) -> None:
    streams = Streams.pieces(length, min(3, length - 15), 10, 5)
    assert (streams.starts - streams.begins == 5).all()
    assert (streams.ends - streams.starts == 10).all()
    assert streams.begins[0] == 0
    assert streams.ends.max() < length
    assert len(set(streams.begins.tolist())) == len(streams)


@pytest.mark.parametrize("count", [1, 2, 5, 99])
def test_groups_have_every_stream_once(count: int) -> None:
    streams = Streams.covering(range(100), 7, 4)
    groups = streams.groups(count)
    assert len(groups) == min(count, 7)
    assert np.ptp([len(group) for group in groups]) <= 1
    for name in ("begins", "starts", "ends"):
        whole = np.concatenate([getattr(group, name) for group in groups])
        np.testing.assert_array_equal(whole, getattr(streams, name))


def test_nothing_to_read() -> None:
    streams = Streams.covering(range(0), 1, 9)
    assert streams.longest == streams.symbols == 0
    assert list(streams.windows(4)) == []


@pytest.mark.parametrize("streams", [1, 3, 7])
def test_an_excerpt_is_what_the_streams_read(streams: int) -> None:
    text = np.random.default_rng(61).integers(0, 9, 200)
    all_of = Streams.covering(range(20, 199), streams, 16).shortened(10)
    excerpt, inside = all_of.excerpt(text)
    assert len(excerpt) <= streams * (16 + 10 + 1)
    for windows in zip(all_of.windows(8), inside.windows(8), strict=True):
        (positions, counts), (positions_inside, counts_inside) = windows
        np.testing.assert_array_equal(counts_inside, counts)
        np.testing.assert_array_equal(excerpt[positions_inside], text[positions])
        # what is predicted
        targets = text[positions + 1][counts]
        np.testing.assert_array_equal(excerpt[positions_inside + 1][counts], targets)
