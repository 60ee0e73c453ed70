"""One flat vector with named views."""

import numpy as np
import pytest

from charrnn.nn.parameters import Parameters

SHAPES = {"W": (2, 3), "b": (2,), "V": (4, 1)}


def test_sizes_shapes_and_order() -> None:
    weights = Parameters(SHAPES)
    assert weights.size == 2 * 3 + 2 + 4
    assert list(weights) == ["W", "b", "V"]
    assert {name: weights[name].shape for name in weights} == SHAPES
    assert weights.flat.dtype == np.float32
    assert not weights.flat.any()


def test_arrays_lie_one_behind_the_other() -> None:
    weights = Parameters(SHAPES, np.float64, np.arange(12.0))
    assert weights["W"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert weights["b"].tolist() == [6, 7]
    assert weights["V"].tolist() == [[8], [9], [10], [11]]


def test_views_share_the_memory_of_the_vector() -> None:
    weights = Parameters(SHAPES)
    weights["b"][:] = 5
    assert weights.flat[6:8].tolist() == [5, 5]
    weights.flat[:] = 7
    assert all((weights[name] == 7).all() for name in weights)


def test_a_given_vector_is_used_not_copied() -> None:
    flat = np.zeros(12)
    weights = Parameters(SHAPES, flat=flat)
    weights["V"][3, 0] = 1
    assert weights.flat is flat
    assert flat[11] == 1


@pytest.mark.parametrize("shape", [(11,), (13,), (3, 4)])
def test_a_vector_that_does_not_fit(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="12 numbers expected"):
        Parameters(SHAPES, flat=np.zeros(shape))


def test_zeros_like_is_a_vector_of_its_own() -> None:
    weights = Parameters(SHAPES, np.float64, np.ones(12))
    zeros = weights.zeros_like()
    assert zeros.shapes == weights.shapes
    assert zeros.flat.dtype == np.float64
    assert not zeros.flat.any()
    zeros.flat[:] = 2
    assert weights.flat.tolist() == [1] * 12


def test_an_unknown_name() -> None:
    with pytest.raises(KeyError, match="U7"):
        Parameters(SHAPES)["U7"]
