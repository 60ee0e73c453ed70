"""The cells: one file each, with only its pointwise equations, forward and backward.

What every cell shares (products with weights, the loop over time, the sums over a window) stands in
`charrnn.nn.layer`.
"""

from charrnn import registries
from charrnn.nn.cells.cell import Cell, Room, Units
from charrnn.registries import Registry

__all__ = ["CELLS", "Cell", "Room", "Units"]

CELLS: Registry[type[Cell]] = Registry(registries.CELLS)
"""The classes by name."""
