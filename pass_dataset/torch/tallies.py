"""Numbers that all processes of a loader see.

Workers have copies of a dataset. What the user sets in the main process while they live (the
epoch), and what they count (images left out), goes through memory that all of them share. It
survives a fork, and being handed to a process that `torch.multiprocessing` starts; in a pickle of
one's own it becomes a copy.
"""

from __future__ import annotations

import torch
from torch.utils.data import get_worker_info

__all__ = ["SharedNumber", "WorkerTally", "shared_cells"]

#: More workers than this share a place, and might then miss a count.
_PLACES = 256


class SharedNumber:
    """A whole number, written by one process."""

    def __init__(self, value: int) -> None:
        self._cell = shared_cells(torch.tensor([value], dtype=torch.int64))

    @property
    def value(self) -> int:
        return int(self._cell[0])

    @value.setter
    def value(self, value: int) -> None:
        self._cell[0] = value


class WorkerTally:
    """A count that every process adds to, each in a place of its own."""

    def __init__(self) -> None:
        self._cells = shared_cells(torch.zeros(_PLACES, dtype=torch.int64))

    def add_one(self) -> None:
        worker = get_worker_info()
        place = 0 if worker is None else 1 + worker.id % (_PLACES - 1)
        self._cells[place] += 1

    @property
    def total(self) -> int:
        return int(self._cells.sum())


def shared_cells(cells: torch.Tensor) -> torch.Tensor:
    """Numbers, moved to memory that all processes share."""
    cells.share_memory_()  # type: ignore[no-untyped-call]
    return cells
