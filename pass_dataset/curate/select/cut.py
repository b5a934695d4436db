"""Lines of text cut at their tabs, all at once: what most rows are looked at for is their end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Cut"]

_TAB, _NEWLINE = 9, 10
#: Tabs before the end of a row, of YFCC100M's text: of the licence's name, of what follows its
#: address, and of the marker, which is the last field.
_NAME, _AFTER_URL, _MARKER = 8, 6, 1


class Cut:
    """A block of lines.

    Attributes:
      tabs: in each line (int64).
    """

    def __init__(self, block: bytes) -> None:
        """Looks for the ends of fields and lines.

        Args:
          block: lines, each with its newline.
        """
        self._block = block
        self._bytes = np.frombuffer(block, np.uint8)
        # Both at once: what is less than a tab wraps around, to more.
        marks = np.flatnonzero((self._bytes - np.uint8(_TAB)) <= _NEWLINE - _TAB)
        self._marks = marks
        self._ends = np.flatnonzero(self._bytes[marks] == _NEWLINE)
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

    def ending(self, row: int) -> tuple[bytes, bytes, bytes]:
        """Name and address of the licence, and the marker, of a line with enough columns."""
        (line,) = self.lines(np.array([row]))
        _, name, url, *_, marker = line.rsplit(b"\t", _NAME)
        return name, url, marker

    def codes(
        self, rows: npt.NDArray[np.int64], endings: Sequence[tuple[bytes, bytes]]
    ) -> npt.NDArray[np.int64]:
        """Which of some endings each line has; -1: another.

        Args:
          rows: lines with enough columns.
          endings: the licence's name, tab and address, and the marker.
        """
        ends = self._ends[rows]
        starts = self._marks[ends - _NAME] + 1
        lengths = self._marks[ends - _AFTER_URL] - starts
        stops = self._marks[ends]
        markers = np.where(stops - self._marks[ends - _MARKER] == 2, self._bytes[stops - 1], 0)
        codes = np.full(len(rows), -1, np.int64)
        for licence in dict.fromkeys(licence for licence, _ in endings):
            those = np.flatnonzero(lengths == len(licence))
            if not len(those):
                continue
            windows = np.lib.stride_tricks.sliding_window_view(self._bytes, len(licence))
            same = (windows[starts[those]] == np.frombuffer(licence, np.uint8)).all(axis=1)
            those = those[same]
            for code, (other, marker) in enumerate(endings):
                if other == licence:
                    codes[those[markers[those] == marker[0]]] = code
        return codes
