"""The cells: one file each, with only its pointwise equations, forward and backward.

What all cells share (products with weights, the loop over time, sums over a window) is in
`charrnn.nn.layer`.
"""

from charrnn import registries
from charrnn.nn.cells.cell import Cell, CellShape, Units
from charrnn.registries import Registry

__all__ = ["CELLS", "Cell", "CellShape", "Units"]

CELLS: Registry[type[Cell]] = Registry(registries.CELLS)
"""The classes by name."""
