"""A few rows of many, chosen while they pass: bounded memory, the same choice every time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Lowest", "RowId", "RowRange"]


@dataclass(frozen=True, order=True)
class RowId:
    """Where a row is: number of the shard, and position in it."""

    shard: int
    position: int


class Lowest:
    """The rows with the lowest keys, best first; of equal keys, the row that came first."""

    def __init__(self, count: int) -> None:
        """Keeps up to `count` rows."""
        self.count = count
        self._rows: list[tuple[float, RowId]] = []

    def add(self, keys: np.ndarray[Any, Any], rows: RowRange) -> None:
        """Offers rows.

        Args:
          keys: float64, one a row; NaN is never chosen.
          rows: which they are.
        """
        if not self.count:
            return
        candidates = np.flatnonzero(~np.isnan(keys))
        if len(self._rows) == self.count:
            candidates = candidates[keys[candidates] < self._rows[-1][0]]
        # A stable sort: rows of equal keys stay in order.
        best = candidates[np.argsort(keys[candidates], kind="stable")[: self.count]]
        offered = [(float(keys[place]), rows[int(place)]) for place in best]
        self._rows = sorted([*self._rows, *offered])[: self.count]

    @property
    def rows(self) -> list[RowId]:
        """What was chosen, best first."""
        return [row for _, row in self._rows]


@dataclass(frozen=True)
class RowRange:
    """All rows of a shard, by position."""

    shard: int

    def __getitem__(self, position: int) -> RowId:
        return RowId(self.shard, position)
