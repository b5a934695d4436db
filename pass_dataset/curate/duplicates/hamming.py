"""Codes that differ in few bits, found exactly among millions.

Cut a code of 64 bits into `m` blocks: if two codes differ in at most `r` bits, at least `m - r`
blocks are equal. So for each choice of that many blocks, the codes are sorted by these blocks, and
each is compared with those that follow it while the blocks are equal: contiguous memory, an
exclusive or, a count of bits. Of codes of several words one word differs in at most the radius
divided by the number of words, so each word is searched so, and what is found is checked whole.

Real codes are not random: dark, flat and text images come in clusters, in which all are neighbours
of all. So equal codes are one code; long stretches of equal blocks are looked at apart, and not at
all where their codes are in one group already; what is left of them is taken apart in balls
(`_link_balls`), whose insides need no comparison. Groups are found exactly (connected components of
all pairs within the radius), without the pairs being listed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pass_dataset.curate.bits import popcount
from pass_dataset.curate.duplicates.blocks import BITS, Shuffled, choose_blocks, usual_stretch
from pass_dataset.curate.duplicates.unions import Numbers, Unions

__all__ = ["Codes", "distances", "group"]

#: N×W uint64: a code is a row.
Codes = npt.NDArray[np.uint64]

#: Elements that are compared at a time: with what is computed of them they fit into a cache.
_CHUNK = 1 << 15
#: Pairs whose distance is computed at a time.
_PAIRS = 1 << 20


def distances(left: Codes, right: Codes) -> npt.NDArray[np.int32]:
    """Bits in which codes differ, row by row; one of them may be a single row."""
    total: npt.NDArray[np.int32] = popcount(left[:, 0] ^ right[:, 0]).astype(np.int32)
    for word in range(1, left.shape[1]):
        total += popcount(left[:, word] ^ right[:, word])
    return total


def group(codes: Codes, radius: int) -> Numbers:
    """Groups of codes: connected by pairs that differ in at most `radius` bits. Exact.

    Args:
      codes: N×W uint64.
      radius: bits, less than W times 32.

    Returns:
      N int64: for each code the smallest number of a code of its group.

    Raises:
      ValueError: the radius is out of range.
    """
    words = codes.shape[1]
    if not 0 <= radius < words * BITS // 2:
        raise ValueError(f"radius: expected 0 to {words * BITS // 2 - 1}, found {radius}")
    if not len(codes):
        return np.zeros(0, np.int64)
    order, starts = _equal(codes)
    firsts = order[starts]
    search = _Search(np.ascontiguousarray(codes[firsts]), radius)
    for word in range(words):
        search.by_word(word)
    names = search.unions.names()
    # From groups of different codes to groups of codes: named by the smallest number again.
    of_code = np.empty(len(codes), np.int64)
    of_code[order] = np.repeat(names, np.diff(np.append(starts, len(codes))))
    smallest = np.full(len(firsts), len(codes), np.int64)
    np.minimum.at(smallest, names, firsts)
    found: Numbers = smallest[of_code]
    return found


def _equal(codes: Codes) -> tuple[Numbers, Numbers]:
    """An order in which equal codes follow each other, smallest number first; where each begins."""
    order: Numbers = (
        np.lexsort(codes.T[::-1]) if codes.shape[1] > 1 else np.argsort(codes[:, 0], kind="stable")
    )
    differs = np.ones(len(codes), bool)
    differs[1:] = False
    for word in range(codes.shape[1]):
        column = codes[order, word]
        differs[1:] |= column[1:] != column[:-1]
    return order, np.flatnonzero(differs)


class _Search:
    """Groups of different codes.

    Attributes:
      unions: what is connected as far as is known.
    """

    def __init__(self, codes: Codes, radius: int) -> None:
        self.unions = Unions(len(codes))
        self._codes = codes
        self._radius = radius

    def by_word(self, word: int) -> None:
        """Connects all pairs within the radius that differ least in this word, and maybe others."""
        column = self._codes[:, word]
        order = np.argsort(column, kind="stable")
        ordered = column[order]
        starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        values = ordered[starts]
        ends = np.append(starts[1:], len(order))
        for number in np.flatnonzero(ends - starts > 1):
            self.link_all(order[starts[number] : ends[number]])
        radius = self._radius // self._codes.shape[1]
        if radius:
            _Values(self, values, order, starts, ends).connect(radius)

    def check(self, left: Numbers, right: Numbers) -> None:
        """Connects pairs of codes that are within the radius."""
        for start in range(0, len(left), _PAIRS):
            first, second = left[start : start + _PAIRS], right[start : start + _PAIRS]
            near = distances(self._codes[first], self._codes[second]) <= self._radius
            self.unions.join(first[near], second[near])

    def link_all(self, codes: Numbers) -> None:
        """Connects all pairs of some codes that are within the radius.

        In balls: all codes within the radius of one are connected through it, so that pairs within
        the ball need no look. Only codes within twice the radius can have a neighbour in it.
        """
        if self.unions.are_one(codes):
            return
        rest = codes
        while len(rest) > 1:
            if len(rest) * len(rest) <= 4096:
                left, right = np.triu_indices(len(rest), 1)
                self.check(rest[left], rest[right])
                return
            away = distances(self._codes[rest], self._codes[rest[:1]])
            inside = away <= self._radius
            ball, near = rest[inside], rest[~inside & (away <= 2 * self._radius)]
            self.unions.join(ball, np.broadcast_to(ball[:1], ball.shape))
            near = near[self.unions.find(near) != self.unions.find(ball[:1])[0]]
            step = max(1, _PAIRS // len(ball))
            for start in range(0, len(near), step):
                some = near[start : start + step]
                self.check(np.repeat(some, len(ball)), np.tile(ball, len(some)))
            rest = rest[~inside]


class _Values:
    """The different values of one word, in order, and the codes that have each."""

    def __init__(
        self,
        search: _Search,
        values: npt.NDArray[np.uint64],
        members: Numbers,
        starts: Numbers,
        ends: Numbers,
    ) -> None:
        self._search = search
        self._values = values
        self._members = members
        self._starts, self._ends = starts, ends
        names = search.unions.find(members)
        #: Values whose codes are one group, and nearly all are of one code.
        self._are_one: npt.NDArray[np.bool_] = np.equal(
            np.minimum.reduceat(names, starts), np.maximum.reduceat(names, starts)
        )

    def connect(self, radius: int) -> None:
        """Checks the codes of all pairs of values that differ in at most `radius` bits."""
        blocks = choose_blocks(len(self._values), radius)
        # A copy that is sorted again and again, with its blocks in ever other places.
        shuffled = Shuffled(self._values.copy(), blocks, blocks - radius)
        for _ in shuffled.arrangements():
            shuffled.codes.sort()
            self._look_at(shuffled, radius)

    def _look_at(self, shuffled: Shuffled, radius: int) -> None:
        """Checks the neighbours in one arrangement."""
        codes = shuffled.codes
        keys = codes >> np.uint64(BITS - shuffled.key_bits)
        starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
        lengths = np.diff(np.append(starts, len(keys)))
        usual = usual_stretch(len(keys), shuffled.key_bits)
        is_long = lengths > usual
        settled = None
        if is_long.any():
            settled = np.repeat(is_long, lengths)
            self._link_long(shuffled, settled, lengths[is_long])
        longest = int(lengths[~is_long].max(initial=0))
        lefts: list[Numbers] = []
        rights: list[Numbers] = []
        found = 0
        for start in range(0, len(codes), _CHUNK):
            piece = codes[start : start + _CHUNK + longest]
            for shift in range(1, min(longest, len(piece))):
                differing = piece[shift:][:_CHUNK] ^ piece[:-shift][:_CHUNK]
                places = np.flatnonzero(popcount(differing) <= radius)
                if len(places):
                    places += start
                    lefts.append(places)
                    rights.append(places + shift)
                    found += len(places)
            if found > 4 * _PAIRS:
                self._check(shuffled, settled, np.concatenate(lefts), np.concatenate(rights))
                lefts, rights, found = [], [], 0
        if found:
            self._check(shuffled, settled, np.concatenate(lefts), np.concatenate(rights))

    def _link_long(
        self, shuffled: Shuffled, are_long: npt.NDArray[np.bool_], lengths: Numbers
    ) -> None:
        """Deals with long stretches of equal blocks: those that are not one group by now."""
        values = shuffled.places_of(shuffled.codes[are_long], self._values)
        names = self._names_of(values)
        starts = np.cumsum(lengths) - lengths
        mixed = np.minimum.reduceat(names, starts) != np.maximum.reduceat(names, starts)
        for start, length in zip(starts[mixed], lengths[mixed], strict=True):
            self._search.link_all(self._codes_of(values[start : start + length]))

    def _check(
        self,
        shuffled: Shuffled,
        settled: npt.NDArray[np.bool_] | None,
        left: Numbers,
        right: Numbers,
    ) -> None:
        """Checks pairs of places, but for those that are in one group by now."""
        if settled is not None:
            # A stretch is long as a whole, so two places that begin in one are of one only where
            # both are in it; what reaches out of it differs in the blocks, and may stay.
            loose = ~(settled[left] & settled[right])
            left, right = left[loose], right[loose]
        is_meant = np.zeros(len(shuffled.codes), bool)
        is_meant[left] = True
        is_meant[right] = True
        places = np.flatnonzero(is_meant)
        slots = np.cumsum(is_meant, dtype=np.int64) - 1
        values = shuffled.places_of(shuffled.codes[places], self._values)
        names = self._names_of(values)
        left, right = slots[left], slots[right]
        differ = names[left] != names[right]
        left, right = values[left[differ]], values[right[differ]]
        counts = self._ends - self._starts
        is_single = (counts[left] == 1) & (counts[right] == 1)
        self._search.check(
            self._members[self._starts[left[is_single]]],
            self._members[self._starts[right[is_single]]],
        )
        for first, second in zip(left[~is_single], right[~is_single], strict=True):
            self._search.link_all(self._codes_of(np.array([first, second])))

    def _names_of(self, values: Numbers) -> Numbers:
        """The group of each value's codes; a name of its own where they are several groups."""
        names = self._search.unions.find(self._members[self._starts[values]])
        return np.where(self._are_one[values], names, -1 - values)

    def _codes_of(self, values: Numbers) -> Numbers:
        """All codes that have some values."""
        return np.concatenate(
            [self._members[self._starts[value] : self._ends[value]] for value in values]
        )
