"""Tables read row by row: a few windows of rows are kept, as readers go forward side by side."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeAlias

from pass_dataset.errors import SourceError

__all__ = ["WINDOW_ROWS", "Cell", "RowWindows"]

#: Rows read together; at 100 kB an image, 3 MB.
WINDOW_ROWS = 32
#: Threads that read ahead are at most this many windows apart.
_KEPT = 3

#: An image's bytes, nothing, or why they cannot be had; the cells beside it can.
Cell: TypeAlias = "bytes | SourceError | None"


class RowWindows:
    """Cells of a column by container and row."""

    def __init__(self, read: Callable[[str, int], Sequence[Cell]]) -> None:
        """Args: `read` gives the cells of a window, from a container and the window's number."""
        self._read = read
        self._kept: OrderedDict[tuple[str, int], Sequence[Cell]] = OrderedDict()
        self._lock = threading.Lock()

    def cell(self, container: str, row: int) -> bytes:
        """The cell in a row; a missing one is empty.

        Raises:
          SourceError: its bytes cannot be had.
        """
        number, within = divmod(row, WINDOW_ROWS)
        key = (container, number)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._read(container, number)
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            cell = self._kept[key][within]
        if isinstance(cell, SourceError):
            raise cell
        return cell or b""

    def clear(self) -> None:
        self._kept.clear()
