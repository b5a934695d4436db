"""Groups that grow together: union-find over numbered things, many at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Numbers", "Unions"]

#: Numbers of things.
Numbers = npt.NDArray[np.int64]


class Unions:
    """Which of `count` things belong together; each stands for itself at first.

    A group's name is the smallest number in it, in whatever order groups were joined.
    """

    def __init__(self, count: int) -> None:
        self._parents: Numbers = np.arange(count, dtype=np.int64)

    def find(self, things: Numbers) -> Numbers:
        """Names of their groups."""
        found = self._parents[things]
        while True:
            above = self._parents[found]
            if np.array_equal(above, found):
                break
            found = above
        self._parents[things] = found  # the next time it is one step
        return found

    def join(self, left: Numbers, right: Numbers) -> None:
        """Joins the groups of things, pair by pair."""
        while True:
            first, second = self.find(left), self.find(right)
            differ = first != second
            if not differ.any():
                return
            left, right = first[differ], second[differ]
            # Of several that want to be above one, the smallest gets it; the others come again.
            np.minimum.at(self._parents, np.maximum(left, right), np.minimum(left, right))

    def are_one(self, things: Numbers) -> bool:
        """Whether all of them are in one group."""
        found = self.find(things)
        return bool((found == found[:1]).all())

    def names(self) -> Numbers:
        """The name of everything's group."""
        return self.find(np.arange(len(self._parents), dtype=np.int64))
