"""Words cut in blocks, which are brought to the top choice by choice, to be sorted by them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pass_dataset.curate.duplicates.unions import Numbers

__all__ = ["BITS", "Shuffled", "choices", "choose_blocks", "usual_stretch"]

#: Of a word.
BITS = 64
#: What a sort takes, in passes over the codes: measured, 1.44 million codes with AVX-512.
_SORT_COST = 10


def choose_blocks(count: int, radius: int) -> int:
    """Number of blocks with which the search takes least: few sorts, and short stretches."""

    def cost(blocks: int) -> float:
        equal = blocks - radius
        stretch = usual_stretch(count, equal * (BITS // blocks))
        return math.comb(blocks, equal) * (_SORT_COST + stretch)

    return min(range(radius + 1, min(BITS, radius + 5) + 1), key=cost)


def usual_stretch(count: int, key_bits: int) -> int:
    """What stretches of equal keys would hardly be longer than if codes were random."""
    mean = count / 2.0**key_bits
    return int(mean + 6 * math.sqrt(mean)) + 6


class Shuffled:
    """Words whose blocks stand in another order, so that sorting them sorts by some blocks.

    Attributes:
      codes: N uint64.
      key_bits: bits at the top that the chosen blocks have.
    """

    def __init__(self, codes: npt.NDArray[np.uint64], blocks: int, chosen: int) -> None:
        self.codes = codes
        self._width = BITS // blocks
        self._blocks = blocks
        self._chosen = chosen
        self.key_bits = chosen * self._width
        #: Which block is at which place; place 0 is at the top.
        self._at = list(range(blocks))

    def arrangements(self) -> Iterator[None]:
        """Has the chosen blocks be at the top, for each choice."""
        yield
        others = choices(self._blocks, self._chosen)
        next(others)
        for choice in others:
            top = self._at[: self._chosen]
            (gone,) = set(top) - set(choice)
            (come,) = set(choice) - set(top)
            self._swap(self._at.index(gone), self._at.index(come))
            yield

    def _swap(self, upper: int, lower: int) -> None:
        shift = np.uint64((lower - upper) * self._width)
        mask = np.uint64(((1 << self._width) - 1) << self._shift_of(lower))
        differing = ((self.codes >> shift) ^ self.codes) & mask
        self.codes ^= differing
        differing <<= shift
        self.codes ^= differing
        self._at[upper], self._at[lower] = self._at[lower], self._at[upper]

    def _shift_of(self, place: int) -> int:
        return BITS - (place + 1) * self._width

    def places_of(self, codes: npt.NDArray[np.uint64], values: npt.NDArray[np.uint64]) -> Numbers:
        """Where shuffled codes are among the values as they were, which are sorted."""
        rest = BITS - self._blocks * self._width
        plain = codes & np.uint64((1 << rest) - 1)
        mask = np.uint64((1 << self._width) - 1)
        for place, block in enumerate(self._at):
            bits = (codes >> np.uint64(self._shift_of(place))) & mask
            plain |= bits << np.uint64(self._shift_of(block))
        places: Numbers = np.searchsorted(values, plain)
        return places


def choices(count: int, chosen: int) -> Iterator[tuple[int, ...]]:
    """All choices of so many of `count`, each with one other than the one before; 0, 1, … first."""
    listed = _revolving(count, chosen)
    for before, after in pairwise(listed):
        assert len(set(before) ^ set(after)) == 2
    yield from listed


def _revolving(count: int, chosen: int) -> list[tuple[int, ...]]:
    # The revolving door order: Knuth, The Art of Computer Programming 4A, 7.2.1.3.
    if chosen == 0:
        return [()]
    if chosen == count:
        return [tuple(range(count))]
    with_last = [(*choice, count - 1) for choice in reversed(_revolving(count - 1, chosen - 1))]
    return _revolving(count - 1, chosen) + with_last
