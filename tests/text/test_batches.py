"""A text as streams and windows: what is read, in which order, and what is left out."""

import numpy as np
import pytest

from charrnn.text.batches import Batches, fit_shape, spread

SHAPES = [(1, 1), (1, 5), (4, 1), (3, 4), (7, 5), (64, 64)]


@pytest.mark.parametrize(("batch", "steps"), SHAPES)
def test_every_pair_of_neighbours_is_read_at_most_once_and_in_order(batch: int, steps: int) -> None:
    for length in range(2, 200):
        batches = Batches(np.arange(length), *fit_shape(length, batch, steps))
        read = [batches.window(index) for index in range(batches.windows)]
        inputs = np.concatenate([window for window, _ in read])  # (windows · T, B)
        targets = np.concatenate([window for _, window in read])
        np.testing.assert_array_equal(targets, inputs + 1)  # shifted by one
        np.testing.assert_array_equal(np.diff(inputs, axis=0), 1)  # each stream is contiguous
        assert inputs[0, 0] == 0
        assert np.unique(inputs).size == inputs.size
        assert targets.max() < length


@pytest.mark.parametrize(("batch", "steps"), SHAPES)
def test_what_is_left_out_would_not_fill_a_window(batch: int, steps: int) -> None:
    for length in range(2, 200):
        batches = Batches(np.arange(length), *fit_shape(length, batch, steps))
        pairs, T, B = length - 1, batches.steps, batches.batch
        assert pairs - batches.windows * T * B < T * B + B
        starts = batches.window(0)[0][0]
        assert (np.diff(starts) == pairs // B).all()  # the streams are equally long


def test_a_text_that_fills_its_windows_is_read_to_its_last_symbol() -> None:
    batches = Batches(np.arange(25), 3, 4)
    assert batches.windows == 2
    inputs, targets = batches.window(0)
    assert inputs.T.tolist() == [[0, 1, 2, 3], [8, 9, 10, 11], [16, 17, 18, 19]]
    assert targets.T.tolist() == [[1, 2, 3, 4], [9, 10, 11, 12], [17, 18, 19, 20]]
    inputs, targets = batches.window(1)
    assert inputs.T.tolist() == [[4, 5, 6, 7], [12, 13, 14, 15], [20, 21, 22, 23]]
    assert targets.T.tolist() == [[5, 6, 7, 8], [13, 14, 15, 16], [21, 22, 23, 24]]


def test_windows_are_views_of_the_text() -> None:
    ids = np.zeros(100, np.uint8)
    for window in Batches(ids, 3, 4).window(2):
        assert window.shape == (4, 3)
        assert window.dtype == np.uint8
        assert np.shares_memory(window, ids)


def test_a_short_text_gives_up_streams_before_it_shortens_the_window() -> None:
    assert fit_shape(64 * 64 + 1, 64, 64) == (64, 64)
    assert fit_shape(64 * 64, 64, 64) == (63, 64)
    assert fit_shape(2 * 64 + 1, 64, 64) == (2, 64)
    assert fit_shape(2 * 64, 64, 64) == (1, 64)
    assert fit_shape(65, 64, 64) == (1, 64)
    assert fit_shape(64, 64, 64) == (1, 63)
    assert fit_shape(3, 64, 64) == (1, 2)
    assert fit_shape(2, 64, 64) == (1, 1)


def test_the_fitted_shape_is_the_largest_that_is_filled() -> None:
    for length in range(2, 120):
        for batch in (1, 2, 5, 64):
            for steps in (1, 2, 7, 64):
                fitted_batch, fitted_steps = fit_shape(length, batch, steps)
                assert fitted_steps == min(steps, length - 1)
                assert fitted_batch == min(batch, (length - 1) // fitted_steps)
                assert Batches(np.arange(length), fitted_batch, fitted_steps).windows >= 1


@pytest.mark.parametrize("count", [0, 1, 2, 7, 64, 1001])
@pytest.mark.parametrize("parts", [1, 2, 3, 64])
def test_borders_cut_as_evenly_as_can_be(count: int, parts: int) -> None:
    borders = spread(count, parts)
    assert (borders[0], borders[-1], len(borders)) == (0, count, parts + 1)
    sizes = set(np.diff(borders).tolist())
    assert sizes <= {count // parts, -(-count // parts)}


def test_borders_of_a_long_text_do_not_overflow() -> None:
    assert spread(10**15, 64)[-1] == 10**15
