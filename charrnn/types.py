"""The array types that every folder uses."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
"""Numbers of any floating-point type."""
IdArray = NDArray[np.integer[Any]]
"""Symbols as positions in the vocabulary, of any integer type."""

Text = str | bytes
"""Characters, or the bytes of a text for a model of bytes."""
