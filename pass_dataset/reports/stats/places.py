"""Where the images were taken, counted in cells of one degree.

No position is kept: a cell is some 110 km from south to north.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["CELL_DEGREES", "Cell", "Places", "count_places"]

CELL_DEGREES = 1
_ROWS, _COLUMNS = 180 // CELL_DEGREES, 360 // CELL_DEGREES


@dataclass(frozen=True)
class Cell:
    """Images of one cell.

    Attributes:
      south, west: its corner, in degrees; it reaches `CELL_DEGREES` to north and east.
      images: in it.
    """

    south: int
    west: int
    images: int


@dataclass(frozen=True)
class Places:
    """Positions, counted.

    Attributes:
      known: images with latitude and longitude: the images "with GPS".
      half_known: images with one of the two.
      missing: images with neither.
      outside: of `known`, those beyond ±90 degrees of latitude or ±180 of longitude, or infinite.
      at_zero: of `known`, those at 0, 0 exactly, where software puts what it does not know.
      cell_degrees: size of a cell.
      cells: cells with images, those with most first; all of `known` but `outside`.
    """

    known: int
    half_known: int
    missing: int
    outside: int
    at_zero: int
    cell_degrees: int
    cells: tuple[Cell, ...]


def count_places(latitude: pa.Array, longitude: pa.Array) -> Places:
    """Counts positions.

    Args:
      latitude, longitude: float64 degrees or null, one an image.
    """
    half_known = pc.sum(pc.xor(pc.is_valid(latitude), pc.is_valid(longitude))).as_py() or 0
    degrees = [each.to_numpy(zero_copy_only=False) for each in (latitude, longitude)]
    known = ~(np.isnan(degrees[0]) | np.isnan(degrees[1]))
    north, east = (each[known] for each in degrees)
    inside = (np.abs(north) <= 90) & (np.abs(east) <= 180)
    # The pole and the date line belong to the last cells.
    rows = np.minimum((north[inside] + 90) // CELL_DEGREES, _ROWS - 1).astype(np.int64)
    columns = np.minimum((east[inside] + 180) // CELL_DEGREES, _COLUMNS - 1).astype(np.int64)
    counts = np.bincount(rows * _COLUMNS + columns, minlength=_ROWS * _COLUMNS)
    order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    return Places(
        known=len(north),
        half_known=half_known,
        missing=len(known) - len(north) - half_known,
        outside=int((~inside).sum()),
        at_zero=int(((north == 0) & (east == 0)).sum()),
        cell_degrees=CELL_DEGREES,
        cells=tuple(
            Cell(
                int(cell // _COLUMNS) * CELL_DEGREES - 90,
                int(cell % _COLUMNS) * CELL_DEGREES - 180,
                int(counts[cell]),
            )
            for cell in order
        ),
    )
