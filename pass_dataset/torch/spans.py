"""Stretches of an order: what is left of an epoch, and the shares of those who read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pass_dataset.archives.order import shard_bounds

__all__ = ["Spans", "cut_shares"]


@dataclass(frozen=True)
class Spans:
    """Places in an order, as stretches from first to last-plus-one, in the order they are read."""

    stretches: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, stretches: Iterable[Sequence[int]]) -> Spans:
        """Stretches as they come out of JSON; empty ones are left out."""
        return cls(tuple((first, stop) for first, stop in stretches if first < stop))

    def __len__(self) -> int:
        return sum(stop - first for first, stop in self.stretches)

    def between(self, start: int, end: int) -> Spans:
        """Its places from the `start`-th up to before the `end`-th."""
        cut = []
        passed = 0
        for first, stop in self.stretches:
            cut.append((first + max(0, start - passed), min(stop, first + end - passed)))
            passed += stop - first
        return Spans.of(cut)

    def at(self, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Those of its places that are counted so, from 0."""
        if not self.stretches:
            return indices[:0]
        firsts, stops = np.array(self.stretches, np.int64).T
        ends = np.cumsum(stops - firsts)
        stretch = np.searchsorted(ends, indices, side="right")
        found: npt.NDArray[np.int64] = indices + (stops - ends)[stretch]
        return found


def cut_shares(left: Spans, count: int, *, equal: bool) -> tuple[Spans, ...]:
    """Shares of what is left, contiguous, so that each reader has blocks of its own.

    Args:
      left: what is to be shared out.
      count: number of shares.
      equal: all the same size, leaving out fewer than `count` at the end; else some have one
        more than others.
    """
    length = len(left) // count * count if equal else len(left)
    return tuple(left.between(*shard_bounds(length, (number, count))) for number in range(count))
