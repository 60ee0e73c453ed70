"""Sampling options: what makes sense, and what does not."""

import math
from typing import Any

import numpy as np
import pytest

from charrnn.errors import OptionError
from charrnn.sampling.options import SamplingOptions


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"temperature": -1}, "`temperature` must be a number of at least 0, not -1"),
        ({"temperature": -1e-9}, "`temperature` must be a number of at least 0, not -1e-09"),
        ({"temperature": math.nan}, "`temperature` must be a number of at least 0, not nan"),
        ({"temperature": math.inf}, "`temperature` must be a number of at least 0, not inf"),
        ({"temperature": "1"}, "`temperature` must be a number of at least 0, not '1'"),
        ({"top_k": -1}, "`top_k` must be a whole number of at least 0, not -1"),
        ({"top_k": 2.5}, "`top_k` must be a whole number of at least 0, not 2.5"),
        ({"top_p": 0}, "`top_p` must be above 0 and at most 1, not 0"),
        ({"top_p": 1.1}, "`top_p` must be above 0 and at most 1, not 1.1"),
        ({"typical_p": 0}, "`typical_p` must be above 0 and at most 1, not 0"),
        ({"typical_p": math.nan}, "`typical_p` must be above 0 and at most 1, not nan"),
        ({"min_p": -0.1}, "`min_p` must be from 0 to 1, not -0.1"),
        ({"min_p": math.nan}, "`min_p` must be from 0 to 1, not nan"),
        ({"length": -1}, "`length` must be a whole number of at least 0, not -1"),
        ({"seed": -1}, "`seed` must be a whole number of at least 0, not -1"),
        ({"lines": 0}, "`lines` must be a whole number of at least 1, not 0"),
        ({"max_copy": 0}, "`max_copy` must be a whole number of at least 1, not 0"),
        ({"max_copy": 3}, "`max_copy` needs `novelty`: the text that is not to be copied"),
        ({"stop": "end"}, "`stop` must be a list of texts, not 'end'"),
        ({"clamp": {(1, 2): 1.5}}, "L1:2 cannot be held at 1.5: give -1 to 1"),
        ({"clamp": {(1, 2): math.nan}}, "L1:2 cannot be held at nan: give -1 to 1"),
    ],
)
def test_values_that_make_no_sense(values: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as refused:
        SamplingOptions(**values)
    assert str(refused.value) == message


@pytest.mark.parametrize("temperature", [0, 0.0, 1, 1e-300, 1e300, np.float32(0.5)])
def test_temperatures_that_make_sense(temperature: float) -> None:
    assert SamplingOptions(temperature=temperature).temperature == temperature


def test_what_ends_a_text() -> None:
    assert not SamplingOptions().may_never_end
    assert SamplingOptions(length=None).may_never_end
    for end in ({"length": 0}, {"stop": ["x"]}, {"lines": 1}):
        assert not SamplingOptions(**{"length": None} | end).may_never_end
