"""Pairs of near descriptors, gathered as they are found; of each image not more than some."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pass_dataset.curate.duplicates.crops.rows import Rows
from pass_dataset.curate.duplicates.unions import Numbers

__all__ = ["MOST_NEAR", "NearPairs", "PairsGathered"]

#: Pairs of an image that are looked at: a pair stays that is among so many nearest of either of its
#: images. Dark or flat images are all near each other, in pairs without end.
MOST_NEAR = 100
#: Pairs that are kept before those too many are left out.
_MANY = 4_000_000
_TOGETHER = 1 << 14


@dataclass(frozen=True)
class NearPairs:
    """Pairs of descriptors, by falling cosine, then in order.

    Attributes:
      left, right: numbers of the images, the smaller left.
      cosine: of the descriptors as they are kept, computed in double precision.
      left_out: pairs that are near, and too many; see `MOST_NEAR`.
    """

    left: Numbers
    right: Numbers
    cosine: npt.NDArray[np.float64]
    left_out: int


class PairsGathered:
    """Near pairs as they are found; those too many are left out from time to time."""

    def __init__(self) -> None:
        self._left = np.zeros(0, np.int64)
        self._right = np.zeros(0, np.int64)
        self._cosine = np.zeros(0)
        self._new: list[tuple[Numbers, Numbers, npt.NDArray[np.float64]]] = []
        self._all = self._waiting = 0

    def add(self, rows: Rows, left: Numbers, right: Numbers, least: float) -> None:
        """Adds those of a block that are near indeed."""
        for start in range(0, len(left), _TOGETHER):
            some = slice(start, start + _TOGETHER)
            cosine = _cosines(rows[left[some]], rows[right[some]])
            near = cosine >= least
            self._new.append((left[some][near], right[some][near], cosine[near]))
            self._waiting += int(near.sum())
        if self._waiting > _MANY:
            self._thin()

    def found(self) -> NearPairs:
        """All that stay."""
        self._thin()
        order = np.lexsort((self._right, self._left, -self._cosine))
        return NearPairs(
            self._left[order],
            self._right[order],
            self._cosine[order],
            self._all - len(order),
        )

    def _thin(self) -> None:
        parts = [(self._left, self._right, self._cosine), *self._new]
        left, right, cosine = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        self._all += self._waiting
        self._new, self._waiting = [], 0
        stays = np.zeros(len(left), bool)
        both = np.concatenate([left, right])
        order = np.lexsort((np.tile(right, 2), np.tile(left, 2), -np.tile(cosine, 2), both))
        ordered = both[order]
        first = np.searchsorted(ordered, ordered)  # where each image's pairs begin
        nearest = order[np.arange(len(order)) - first < MOST_NEAR]
        stays[nearest % len(left) if len(left) else nearest] = True
        self._left, self._right, self._cosine = left[stays], right[stays], cosine[stays]


def _cosines(left: Rows, right: Rows) -> npt.NDArray[np.float64]:
    a, b = left.astype(np.float64), right.astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    found: npt.NDArray[np.float64] = np.einsum("ij,ij->i", a, b) / lengths
    return found
