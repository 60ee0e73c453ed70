"""σ and tanh: the same by both ways, on any machine, also for numbers far from 0."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from charrnn.machine import activation
from charrnn.machine.activation import Activation, has_fast_tanh, numpy_instructions


@pytest.fixture(params=[True, False], ids=["by tanh", "by exp"])
def _each_way(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(activation, "has_fast_tanh", lambda: request.param)


@pytest.mark.usefixtures("_each_way")
@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 4e-16), (np.float32, 2e-7)])
@pytest.mark.parametrize("count", [0, 1, 3, 4])
def test_the_first_blocks_get_sigmoids_and_the_others_tanh(
    dtype: type[np.floating[Any]], error: float, count: int
) -> None:
    rng = np.random.default_rng(71)
    x = (5 * rng.standard_normal((4, 3, 37))).astype(dtype)
    a = x.copy()
    Activation(dtype)(a, count)
    exact = x.astype(np.float64)
    expected = np.concatenate([1 / (1 + np.exp(-exact[:count])), np.tanh(exact[count:])])
    np.testing.assert_allclose(a, expected, rtol=0, atol=error)
    assert a.dtype == dtype


@pytest.mark.usefixtures("_each_way")
def test_a_single_block() -> None:
    a = np.array([[-1.0, 0.0, 1.0]])
    Activation(a.dtype)(a, 1)
    np.testing.assert_allclose(a, 1 / (1 + np.exp([[1.0, 0.0, -1.0]])), rtol=1e-15)


@pytest.mark.usefixtures("_each_way")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.filterwarnings("error")
def test_numbers_far_from_zero(dtype: type[np.floating[Any]]) -> None:
    far = [-np.inf, -1e30, -1000, 1000, 1e30, np.inf]
    a = np.array([far, far], dtype)
    Activation(dtype)(a, 1)
    np.testing.assert_array_equal(a, [[0, 0, 0, 1, 1, 1], [-1, -1, -1, 1, 1, 1]])


@pytest.mark.usefixtures("_each_way")
def test_what_is_no_number_stays_none() -> None:
    a = np.array([[np.nan, 0], [0, np.nan]])
    Activation(a.dtype)(a, 1)
    np.testing.assert_array_equal(np.isnan(a), [[True, False], [False, True]])


def answer(*instructions: str) -> Callable[..., Any]:
    """What NumPy says of tanh."""
    loops = {f"type {n}": {"current": name} for n, name in enumerate(instructions)}
    return lambda **_: {"tanh": loops} if loops else {}


@pytest.fixture
def _asked_anew() -> Any:
    numpy_instructions.cache_clear()
    has_fast_tanh.cache_clear()
    yield
    numpy_instructions.cache_clear()
    has_fast_tanh.cache_clear()


@pytest.mark.usefixtures("_asked_anew")
@pytest.mark.parametrize(
    ("found", "is_fast"),
    [
        (answer("X86_V4"), True),
        (answer("AVX512_SKX"), True),
        (answer("X86_V3"), False),
        (answer("FMA3__AVX2"), False),
        (answer("ASIMD"), True),
        (answer(), True),
        (lambda **_: {"tanh": "another form"}, True),
    ],
)
def test_the_way_is_chosen_by_the_instructions_for_tanh(
    monkeypatch: pytest.MonkeyPatch, found: Callable[..., Any], is_fast: bool
) -> None:
    monkeypatch.setattr(np.lib.introspect, "opt_func_info", found)
    assert has_fast_tanh() == is_fast


@pytest.mark.usefixtures("_asked_anew")
def test_a_numpy_that_does_not_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(np.lib, "introspect")
    assert numpy_instructions() == "unknown"
    assert has_fast_tanh()


def test_it_is_known_here() -> None:
    assert numpy_instructions() not in ("", "unknown")
