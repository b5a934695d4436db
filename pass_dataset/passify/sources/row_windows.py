"""Tables read row by row: a few windows of rows are kept, as readers go forward side by side."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

__all__ = ["WINDOW_ROWS", "RowWindows"]

#: Rows read together; at 100 kB an image, 3 MB.
WINDOW_ROWS = 32
#: Threads that read ahead are at most this many windows apart.
_KEPT = 3


class RowWindows:
    """Cells of a column by container and row."""

    def __init__(self, read: Callable[[str, int], Sequence[bytes | None]]) -> None:
        """Args: `read` gives the cells of a window, from a container and the window's number."""
        self._read = read
        self._kept: OrderedDict[tuple[str, int], Sequence[bytes | None]] = OrderedDict()
        self._lock = threading.Lock()

    def cell(self, container: str, row: int) -> bytes:
        """The cell in a row; a missing one is empty."""
        number, within = divmod(row, WINDOW_ROWS)
        key = (container, number)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._read(container, number)
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            return self._kept[key][within] or b""

    def clear(self) -> None:
        self._kept.clear()
