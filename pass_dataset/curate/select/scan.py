"""Lines of text, of which most are looked at only for how many columns they have and how they end.

Tabs and newlines are bits, 64 of them at a time: a line's tabs are counted in words, and the last
ones are found by going back from its end. So what is done for a byte of text is a comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pass_dataset.curate.bits import popcount
from pass_dataset.curate.select.cut import texts_between

__all__ = ["Scan", "ending_of"]

_TAB, _NEWLINE = 9, 10
#: Tabs before the end of a row, of YFCC100M's text: of what follows the address of its licence.
#: The licence's name and address are the two fields before it; the marker is the last one.
_AFTER_URL, _BEFORE_NAME = 6, 8
_STEP_BYTES = 1 << 18
_WORD = 64
#: By so many bytes before the last `_SAME_BYTES` of its address, a licence is known; then compared.
_KEY_BYTES = 8
_SAME_BYTES = len("/2.0/")
_ONE = np.uint64(1)
Lines = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


class Scan:
    """A block of lines.

    Attributes:
      tabs: in each line (int64).
    """

    def __init__(self, block: bytes, size: int | None = None) -> None:
        """Looks for tabs and the ends of lines.

        Args:
          block: lines, each with its newline; less than 2 GiB.
          size: bytes of it that are lines; None: all.
        """
        self._block = block
        self._bytes = np.frombuffer(block, np.uint8)[:size]
        self._words = _bits(self._bytes, _TAB)
        self._ends = _places(_bits(self._bytes, _NEWLINE))
        until = np.cumsum(popcount(self._words), dtype=np.int64)
        words, inside = _word_of(self._ends)
        before = until[words] - popcount(self._words[words] << inside)
        self.tabs: Lines = np.diff(before, prepend=0)

    def lines(self, rows: Lines) -> list[bytes]:
        """Lines without their newlines."""
        starts, ends = self._starts(rows).tolist(), self._ends[rows].tolist()
        return [self._block[start:end] for start, end in zip(starts, ends, strict=True)]

    def text_of(self, rows: Lines) -> bytes:
        """Some lines by themselves, with their newlines."""
        bounds = np.empty((len(rows), 2), np.int32)
        bounds[:, 0] = self._starts(rows)
        bounds[:, 1] = self._ends[rows] + 1
        found = texts_between(bounds, self._block).buffers()[2]
        return b"" if found is None else found.to_pybytes()

    def _starts(self, rows: Lines) -> Lines:
        # Of the first line, this is the last end, and is put right.
        starts = self._ends[rows - 1] + 1
        starts[rows == 0] = 0
        return starts

    def codes(
        self, rows: Lines, licenses: Sequence[bytes], markers: bytes
    ) -> npt.NDArray[np.int64]:
        """Which of some licences and markers each line has.

        Args:
          rows: lines with enough columns.
          licenses: names and addresses, with a tab before, between and after; told apart by the
            eight bytes before the version of their address.
          markers: of one character each.

        Returns:
          The licence's place times the number of markers, and the marker's place; -1: another, or
          one that is not known from the last 64 bytes of its line.
        """
        ends = self._ends[rows]
        words, inside = _word_of(ends)
        # Of these bits, the lowest is the byte before the end.
        back = (self._words[words] >> (_WORD - inside)) | (self._words[words - 1] << inside)
        places = np.full(256, -1)
        places[np.frombuffer(markers, np.uint8)] = np.arange(len(markers))
        # The field has one byte. (Where the first line is shorter, it has no such tabs.)
        marker = np.where(back & np.uint64(3) == 2, places[self._bytes[ends - 1]], -1)
        for _ in range(_AFTER_URL - 1):
            back &= back - _ONE
        afters = ends - 1 - _zeros_below(back)
        license_ = np.full(len(rows), -1)
        known = np.flatnonzero((marker >= 0) & (back != 0))
        keys = _seen(self._bytes, f"V{_KEY_BYTES}")
        found = keys[np.maximum(afters[known] - _SAME_BYTES - _KEY_BYTES, 0)].view("<u8")
        for place, text in enumerate(licenses):
            stop = len(text) - 1 - _SAME_BYTES
            key = np.frombuffer(text[stop - _KEY_BYTES : stop], "<u8")[0]
            those = known[found == key]
            starts = afters[those] - (len(text) - 1)
            if len(those):
                license_[those[self._are(text, starts)]] = place
        return np.where((license_ < 0) | (marker < 0), -1, license_ * len(markers) + marker)

    def _are(self, text: bytes, starts: Lines) -> npt.NDArray[np.bool_]:
        """True where a text stands in the block."""
        if len(self._bytes) < len(text):
            return np.zeros(len(starts), bool)
        there = _seen(self._bytes, f"V{len(text)}")[np.maximum(starts, 0)].view(np.uint8)
        same = there == np.frombuffer(text * len(starts), np.uint8)
        if same.all() and starts.min() >= 0:
            return np.ones(len(starts), bool)
        whole: npt.NDArray[np.bool_] = same.reshape(-1, len(text)).all(axis=1)
        return whole & (starts >= 0)


def ending_of(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Name and address of the licence, and the marker, of a line with enough columns."""
    _, name, url, *_, marker = line.rsplit(b"\t", _BEFORE_NAME)
    return name, url, marker


def _bits(text: npt.NDArray[np.uint8], value: int) -> Words:
    """A bit for each byte, set where it has a value; a word of none stands before all.

    The first byte of 64 is the highest bit. Little is compared at a time, for what it gives to stay
    in the cache.
    """
    packed = np.zeros(8 * (2 + len(text) // _WORD), np.uint8)
    for at in range(0, len(text), _STEP_BYTES):
        step = np.packbits(text[at : at + _STEP_BYTES] == value)
        packed[8 + at // 8 : 8 + at // 8 + len(step)] = step
    return packed.view(">u8").astype(np.uint64)


def _places(words: Words) -> Lines:
    """The bytes whose bits are set, in order."""
    used = np.flatnonzero(words)
    bits = words[used]
    if (popcount(bits) == 1).all():
        return (used - 1) * _WORD + (_WORD - 1 - _zeros_below(bits))
    found = np.flatnonzero(np.unpackbits(bits.astype(">u8").view(np.uint8)))
    return (used[found // _WORD] - 1) * _WORD + found % _WORD


def _word_of(places: Lines) -> tuple[Lines, Words]:
    """The word in which a byte has its bit, and how many of its bits are before that."""
    return places // _WORD + 1, (places % _WORD).astype(np.uint64)


def _zeros_below(words: Words) -> npt.NDArray[np.uint8]:
    """Bits below the lowest that is set."""
    return popcount((words & (~words + _ONE)) - _ONE)


def _seen(text: npt.NDArray[np.uint8], kind: str) -> npt.NDArray[Any]:
    """What begins at each byte, as so many bytes."""
    size = np.dtype(kind).itemsize
    seen: npt.NDArray[Any] = np.ndarray((max(0, len(text) - size + 1),), kind, text.data, 0, (1,))
    return seen
