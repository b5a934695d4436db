"""Lines of text cut at their tabs, all at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.files.arrow import column_of

__all__ = ["Cut", "texts_between"]

_TAB, _NEWLINE = 9, 10
_ASCII = 0x80
_STEP_BYTES = 1 << 18


def _lower_than_text(text: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Places of tabs, newlines, and of what is less and does not occur in text.

    One comparison, and little enough at a time for what it gives to stay in the cache.
    """
    return np.concatenate(
        [
            np.flatnonzero(text[at : at + _STEP_BYTES] <= _NEWLINE) + at
            for at in range(0, len(text), _STEP_BYTES)
        ]
        or [np.zeros(0, np.int64)]
    )


class Cut:
    """A block of lines.

    Attributes:
      tabs: in each line (int64).
    """

    def __init__(self, block: bytes, size: int | None = None) -> None:
        """Looks for the ends of fields and lines.

        Args:
          block: lines, each with its newline; less than 2 GiB.
          size: bytes of it that are lines; None: all.
        """
        self._block = block
        self._bytes = np.frombuffer(block, np.uint8)[:size]
        marks = _lower_than_text(self._bytes)
        what = self._bytes[marks]
        is_mark = what >= _TAB
        self._nuls = marks[what == 0]
        if not is_mark.all():
            marks, what = marks[is_mark], what[is_mark]
        self._marks = marks
        self._ends = np.flatnonzero(what == _NEWLINE)
        self.tabs: npt.NDArray[np.int64] = np.diff(self._ends, prepend=-1) - 1

    def lines(self, rows: npt.NDArray[np.int64]) -> list[bytes]:
        """Lines without their newlines."""
        stops = self._marks[self._ends[rows]].tolist()
        # Of the first line, this is the last end, and is put right.
        starts = (self._marks[self._ends[rows - 1]] + 1).tolist()
        if starts and rows[0] == 0:
            starts[0] = 0
        block = self._block
        return [block[start:stop] for start, stop in zip(starts, stops, strict=True)]

    def first_bytes(self) -> npt.NDArray[np.uint8]:
        """The first byte of each line; the newline of one that is empty."""
        starts = np.append(0, self._marks[self._ends[:-1]] + 1)
        found: npt.NDArray[np.uint8] = self._bytes[starts]
        return found

    def column(self, rows: npt.NDArray[np.int64], place: int, tabs: int) -> pa.Array:
        """A field of lines that have the same number of columns.

        Args:
          rows: the lines, in order.
          place: of the field, from 0.
          tabs: in each of the lines.

        Returns:
          Text (`pa.string()`), which nobody has looked at: it is text if the lines are `plain`.
        """
        marks = self._ends[rows] - tabs + place
        bounds = np.empty((len(rows), 2), np.int32)
        bounds[:, 1] = self._marks[marks]
        # Of the first field of all, this is the last mark, and is put right.
        bounds[:, 0] = self._marks[marks - 1] + 1
        if place == 0 and len(rows) and rows[0] == 0:
            bounds[0, 0] = 0
        return texts_between(bounds, self._block)

    def is_plain(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """True for lines that are ASCII, and have no NUL."""
        odd = self._nuls
        if not self._block.isascii():
            odd = np.concatenate([odd, np.flatnonzero(self._bytes >= _ASCII)])
        if not len(odd):
            return np.ones(len(rows), bool)
        return ~np.isin(rows, np.searchsorted(self._marks[self._ends], odd))


def texts_between(bounds: npt.NDArray[np.int32], block: bytes) -> pa.Array:
    """What lies between the first and the second of each pair of places in a block.

    It is `pa.string()`, and nobody has looked at it: so it may be no text.
    """
    # Between each pair and the next lies something, too.
    all_of_it = pa.StringArray.from_buffers(
        max(0, bounds.size - 1), pa.py_buffer(bounds), pa.py_buffer(block)
    )
    places = column_of(np.arange(0, bounds.size, 2, dtype=np.int32))
    return pc.take(all_of_it, places, boundscheck=False)
