"""Rows of the index: the bytes of an image, its metadata, and what will be read next.

Nothing here holds a Python object for a record: columns are NumPy views of the mapped index file,
whose pages all processes share. Counting references would copy them into each worker, bit by bit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pass_dataset.archives.index import ArchiveIndex
from pass_dataset.archives.records import OpenTars

__all__ = ["RowReader"]

#: Images with less between them are announced to the system as one stretch: a request costs a
#: disk more than reading so much in vain.
_GAP_BYTES = 64 << 10


class RowReader:
    """Reads what belongs to rows of an index; of one process, not to be pickled."""

    def __init__(self, index: ArchiveIndex) -> None:
        self._tars = OpenTars(index.folder, index.summary.tars)
        self._names = [index.folder / name for name in index.summary.tars]
        table = index.table
        self._tar = _view(table["tar"], np.uint8)
        self._offset = _view(table["offset"], np.int64)
        self._size = _view(table["size_bytes"], np.int64)
        self._hash = table["hash"]
        self._metadata = [
            (name, table[column], missing)
            for name, column, missing in (
                ("hash", "hash", ""),
                ("creator", "creator", ""),
                ("license", "license", ""),
                ("date_taken", "date_taken_text", ""),
                ("latitude", "latitude", float("nan")),
                ("longitude", "longitude", float("nan")),
            )
        ]

    def jpeg(self, row: int) -> bytes:
        """The bytes of an image. Raises ArchiveError if they cannot be read."""
        return next(self.jpegs(np.array([row])))

    def jpegs(self, rows: npt.NDArray[np.int64]) -> Iterator[bytes]:
        """The bytes of images, one after the other; see `jpeg`."""
        # A third faster than `OpenTars.read`, which is left to say what is wrong.
        places = (column[rows].tolist() for column in (self._tar, self._offset, self._size))
        pread, handle = os.pread, self._tars.handle
        for tar, offset, size_bytes, row in zip(*places, rows.tolist(), strict=True):
            try:
                jpeg = pread(handle(tar), size_bytes, offset)
            except OSError:
                jpeg = b""
            if len(jpeg) != size_bytes:
                jpeg = self._tars.read(tar, offset, size_bytes, self.hash(row))
            yield jpeg

    def read_into(
        self, rows: npt.NDArray[np.int64], memory: memoryview, starts: Sequence[int]
    ) -> None:
        """Reads images to where they shall start in some memory.

        Raises:
          ArchiveError: they cannot be read.
        """
        # The same as in `jpegs`: `OpenTars.read_into` is left to say what is wrong, and is for
        # systems that have no `preadv`.
        places = (column[rows].tolist() for column in (self._tar, self._offset, self._size))
        preadv, handle = getattr(os, "preadv", _nothing_read), self._tars.handle
        for tar, offset, size_bytes, row, start in zip(*places, rows.tolist(), starts, strict=True):
            target = memory[start : start + size_bytes]
            try:
                found = preadv(handle(tar), [target], offset)
            except OSError:
                found = -1
            if found != size_bytes:
                self._tars.read_into(tar, offset, target, self.hash(row))

    def sizes_bytes(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Sizes of images, in bytes."""
        return self._size[rows]

    def hash(self, row: int) -> str:
        text: str = self._hash[row].as_py()
        return text

    def place(self, row: int) -> str:
        """Where an image lies, for messages."""
        path = self._names[self._tar[row]]
        return f"{path}: image {self.hash(row)} at byte {self._offset[row]:,}"

    def metadata(self, row: int) -> dict[str, Any]:
        """What is known of an image; text is empty and degrees are NaN where it is not."""
        values = ((name, column[row].as_py(), missing) for name, column, missing in self._metadata)
        return {name: missing if value is None else value for name, value, missing in values}

    def in_tar_order(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Positions in `rows`, in the order in which the images lie."""
        return np.lexsort((self._offset[rows], self._tar[rows]))

    def expect(self, rows: npt.NDArray[np.int64]) -> None:
        """Tells the system that these images will be read soon.

        Args:
          rows: in the order in which they lie.
        """
        for tar, start, stop in self._stretches(rows):
            self._tars.expect(tar, start, stop - start)

    def _stretches(self, rows: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
        """Tar, first byte and byte after the last one of images that lie close together."""
        if not len(rows):
            return
        tars, starts = self._tar[rows], self._offset[rows]
        stops = starts + self._size[rows]
        breaks = (tars[1:] != tars[:-1]) | (starts[1:] - stops[:-1] > _GAP_BYTES)
        firsts = np.flatnonzero(np.concatenate(([True], breaks)))
        lasts = np.concatenate((firsts[1:], [len(rows)])) - 1
        yield from zip(
            tars[firsts].tolist(), starts[firsts].tolist(), stops[lasts].tolist(), strict=True
        )


def _view(column: Any, dtype: type[np.generic]) -> npt.NDArray[Any]:
    """The values of a column without nulls, where they are.

    Arrow's own `to_numpy` would import pandas where it is installed: 0.2 s in each worker.
    """
    values: npt.NDArray[Any] = np.frombuffer(column.buffers()[1] or b"", dtype)
    return values[column.offset : column.offset + len(column)]


def _nothing_read(handle: int, targets: list[memoryview], offset: int) -> int:
    """In the place of `os.preadv` where there is none."""
    return -1
