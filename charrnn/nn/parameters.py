"""One flat vector that holds every weight of a network, with named views into it.

Weights, gradient, optimizer state and checkpoint have the same layout, so that clipping, an
optimizer step or saving is a few calls on one vector.
"""

from collections.abc import Iterator, Mapping
from math import prod
from typing import Self

import numpy as np
from numpy.typing import DTypeLike

from charrnn.types import Array

Shapes = Mapping[str, tuple[int, ...]]


class Parameters:
    """Named arrays that are views into one flat vector `flat` of shape (P,).

    >>> weights = Parameters({"W": (2, 3), "b": (2,)})
    >>> weights["b"][:] = 1
    >>> weights.flat
    array([0., 0., 0., 0., 0., 0., 1., 1.], dtype=float32)
    """

    def __init__(
        self, shapes: Shapes, dtype: DTypeLike = np.float32, flat: Array | None = None
    ) -> None:
        """The arrays follow one another in `flat` in the order of `shapes`.

        `flat`, of shape (P,), is not copied; without it, a new vector of zeros is made. Raises
        ValueError if its length does not fit the shapes.
        """
        self.shapes = dict(shapes)
        size = sum(prod(shape) for shape in self.shapes.values())
        self.flat: Array = np.zeros(size, dtype) if flat is None else flat
        if self.flat.shape != (size,):
            raise ValueError(f"{size} numbers expected, not an array of shape {self.flat.shape}")
        self._views: dict[str, Array] = {}
        start = 0
        for name, shape in self.shapes.items():
            stop = start + prod(shape)
            self._views[name] = self.flat[start:stop].reshape(shape)
            start = stop

    def __getitem__(self, name: str) -> Array:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    @property
    def size(self) -> int:
        """The number of weights, P."""
        return self.flat.size

    def zeros_like(self) -> Self:
        """The same layout over a new vector of zeros, for example for a gradient."""
        return type(self)(self.shapes, self.flat.dtype)


def digest(flat: Array) -> str:
    """The SHA-256 of weights (P,) as little-endian float32, in hexadecimal: which model it is."""
    import hashlib  # which takes milliseconds that a sample need not wait for

    return hashlib.sha256(flat.astype("<f4").tobytes()).hexdigest()
