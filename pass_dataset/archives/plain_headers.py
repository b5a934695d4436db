"""Headers of images as the tars of PASS have them, gone through the short way.

Of 1.44 million members all but ten are a plain file with a short name of ASCII. What such a header
says is a handful of fields at fixed places; whatever is otherwise than usual is left to `tars`,
which knows all there is, and says what is wrong.

One header leads to the next by its member's size, so that is all that is read of each by itself;
all else is looked at for a thousand of them at once, in a third of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["AddImages", "PlainHeaders", "ReadInto"]

_BLOCK_BYTES = 512
_NAME_BYTES = 100
_SUFFIX = b".jpg"
_PLAIN_FILE, _SLASH, _DOT, _UNDERLINE = b"0/._"
#: Octal digits; behind them, and where else a number may end.
_SIZE, _CHECKSUM = slice(124, 135), slice(148, 154)
_ENDS = [135, 154, 155]
_KIND, _PREFIX = 156, 345
#: What the checksum has in the place of itself.
_EIGHT_SPACES = 8 * ord(" ")
#: Headers that are read before they are looked at: the fewer where they did not follow each other
#: as their sizes say, and twice as many each time that they did.
_FEWEST, _MOST = 16, 1024
_COLUMNS = np.arange(_NAME_BYTES, dtype=np.uint8)

#: Fills memory from a position on; returns how many bytes there were.
ReadInto: TypeAlias = Callable[[tuple[memoryview], int], int]
_Numbers: TypeAlias = npt.NDArray[np.int64]
_Bytes: TypeAlias = npt.NDArray[np.uint8]
#: Takes images: their names without folder and ``.jpg``, one behind the other; where each of them
#: ends; where the bytes of each image begin; their number.
AddImages: TypeAlias = Callable[[bytes, _Numbers, _Numbers, _Numbers], None]


class PlainHeaders:
    """The headers of a tar.

    Those that were read stay, with what they say, until others are asked for: what stands between
    images is not for `skip`, which is called again behind it.
    """

    def __init__(self, read_into: ReadInto, tar_bytes: int, add: AddImages) -> None:
        """Reads nothing yet.

        Args:
          read_into: reads from the tar.
          tar_bytes: its size.
          add: told of the images.
        """
        self._read_into = read_into
        self._tar_bytes = tar_bytes
        self._add = add
        self._memory = bytearray()
        #: Where a header is read to, and where in memory its size is.
        self._rooms: list[tuple[tuple[memoryview], slice]] = []
        self._next = -1
        self._headers = _NONE

    def skip(self, position: int) -> int:
        """Goes through members that are plain images, and adds them.

        Args:
          position: of a header, before which there is none that belongs to it.

        Returns:
          The position of the first header that is not one of theirs, or no header at all.
        """
        while True:
            first = self._headers.row_of(position)
            if first is None:
                self._headers, first = self._read(position), 0
            headers = self._headers
            last = headers.end_of_plain(first)
            if last > first:
                self._add(*headers.images(first, last))
                position = headers.behind(last - 1)
            if last < len(headers) or not len(headers):
                return position

    def _read(self, position: int) -> _Headers:
        """Reads headers, as far as each leads to the next. What is no header leads anywhere."""
        self._make_room(2 * len(self._rooms) if position == self._next else _FEWEST)
        read_into, memory = self._read_into, self._memory
        positions: list[int] = []
        try:
            for room, size in self._rooms:
                if read_into(room, position) < _BLOCK_BYTES:
                    break
                positions.append(position)
                size_bytes = int(memory[size], 8)
                if size_bytes < 0:  # as Python reads signs
                    break
                # This is `_next`, where a call would count.
                position += (size_bytes + 2 * _BLOCK_BYTES - 1) // _BLOCK_BYTES * _BLOCK_BYTES
        except ValueError:
            pass  # it is no number
        self._next = position
        blocks = np.frombuffer(memory, np.uint8).reshape(-1, _BLOCK_BYTES)[: len(positions)]
        return _Headers(blocks, np.array(positions, np.int64), self._tar_bytes)

    def _make_room(self, headers: int) -> None:
        headers = min(headers, _MOST)
        if headers == len(self._rooms):
            return
        self._memory = bytearray(headers * _BLOCK_BYTES)
        view = memoryview(self._memory)
        self._rooms = [
            ((view[at : at + _BLOCK_BYTES],), slice(at + _SIZE.start, at + _SIZE.stop))
            for at in range(0, len(view), _BLOCK_BYTES)
        ]


class _Headers:
    """What headers say, and which of them are those of plain images."""

    def __init__(self, blocks: _Bytes, positions: _Numbers, tar_bytes: int) -> None:
        self._names = blocks[:, :_NAME_BYTES]
        self._positions = positions
        self._offsets = positions + _BLOCK_BYTES
        # A row for each place in a header: NumPy goes along all headers quicker than along one.
        letters = np.ascontiguousarray(blocks[:, : _KIND + 1].T)
        self._sizes, size_is_plain = _octal(letters[_SIZE])
        checksums, checksum_is_plain = _octal(letters[_CHECKSUM])
        self._first, self._last, name_is_plain = _bounds(letters[:_NAME_BYTES])
        sums = blocks.sum(1, dtype=np.uint32) - letters[148:156].sum(0, dtype=np.uint32)
        self._odd = np.flatnonzero(
            ~(
                (letters[_KIND] == _PLAIN_FILE)
                & (blocks[:, _PREFIX] == 0)
                & name_is_plain
                & size_is_plain
                & checksum_is_plain
                & ((letters[_ENDS] == 0) | (letters[_ENDS] == ord(" "))).all(0)
                & (sums + _EIGHT_SPACES == checksums)
                & (self._offsets + self._sizes <= tar_bytes)
            )
        )

    def __len__(self) -> int:
        return len(self._positions)

    def row_of(self, position: int) -> int | None:
        """Which header stands at a position; None if none of them does."""
        row = int(np.searchsorted(self._positions, position))
        return row if row < len(self) and self._positions[row] == position else None

    def end_of_plain(self, row: int) -> int:
        """The first row from one on that is no plain image's."""
        at = int(np.searchsorted(self._odd, row))
        return int(self._odd[at]) if at < len(self._odd) else len(self)

    def behind(self, row: int) -> int:
        """Where the header after a plain one stands."""
        return _next(int(self._positions[row]), int(self._sizes[row]))

    def images(self, first: int, last: int) -> tuple[bytes, _Numbers, _Numbers, _Numbers]:
        """What there is to add of plain rows; see `AddImages`."""
        rows = slice(first, last)
        starts, ends = self._first[rows], self._last[rows]
        is_name = (starts[:, None] <= _COLUMNS) & (ends[:, None] > _COLUMNS)
        names = self._names[rows][is_name].tobytes()
        lengths = (ends - starts).astype(np.int64)
        return names, np.cumsum(lengths), self._offsets[rows], self._sizes[rows]


def _bounds(names: _Bytes) -> tuple[_Bytes, _Bytes, npt.NDArray[np.bool_]]:
    """Where hashes begin and end in the names of images, and which of the names are plain.

    Args:
      names: a column each.
    """
    ordinals = (_COLUMNS + np.uint8(1))[:, None]
    is_letter = names != 0
    ends = is_letter.sum(0, dtype=np.uint8)
    firsts = ((names == _SLASH) * ordinals).max(0)
    lasts = ends - np.uint8(len(_SUFFIX))
    headers = np.arange(names.shape[1])
    dots = names == _DOT
    is_plain = (
        (ends > len(_SUFFIX))
        & (ends < _NAME_BYTES)
        & ((is_letter * ordinals).max(0) == ends)  # behind the first zero there is nothing
        & (names[0] != _SLASH)
        & ~(dots[1:] & dots[:-1]).any(0)
        & (names.max(0) < 0x80)
    )
    for number, letter in enumerate(_SUFFIX):
        is_plain &= names[(lasts + np.uint8(number)) % _NAME_BYTES, headers] == letter
    firsts[~is_plain] = 0
    # macOS keeps what it knows of files under such names.
    is_plain &= (names[firsts, headers] != _DOT) | (names[firsts + 1, headers] != _UNDERLINE)
    return firsts, lasts, is_plain


def _octal(digits: _Bytes) -> tuple[_Numbers, npt.NDArray[np.bool_]]:
    """Octal numbers, a column each, and which of the columns are digits throughout."""
    values = digits - np.uint8(ord("0"))
    numbers = np.zeros(digits.shape[1], np.int64)
    for value in values:
        numbers *= 8
        numbers += value
    return numbers, values.max(0) < 8


def _next(position: int, size_bytes: int) -> int:
    """Where the header behind a member of a header stands."""
    return position + _BLOCK_BYTES + (size_bytes + _BLOCK_BYTES - 1) // _BLOCK_BYTES * _BLOCK_BYTES


_NONE = _Headers(np.empty((0, _BLOCK_BYTES), np.uint8), np.empty(0, np.int64), 0)
