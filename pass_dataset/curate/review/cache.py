"""A bounded cache of small pictures: files of many, and the oldest file goes when there is no room.

Pictures are made in the order in which they are looked at, so the oldest are those that nobody will
ask for again. A file has its index beside it when it is full; one without was being written when
the server ended, and is removed.
"""

from __future__ import annotations

import contextlib
import io
import threading
from pathlib import Path

import numpy as np

from pass_dataset.files.whole import write_whole

__all__ = ["ThumbnailCache"]

#: Files that the cache is cut into: what goes at a time.
_FILES = 16
_MIN_FILE_BYTES = 1 << 20


class ThumbnailCache:
    """Pictures by the rows of their images. Threads may share it."""

    def __init__(self, folder: Path, images: int, max_bytes: int) -> None:
        """Opens a cache, with what an earlier one left.

        Args:
          folder: is made if it is not there.
          images: number of rows.
          max_bytes: of all pictures.

        Raises:
          OSError: it cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._file_bytes = max(_MIN_FILE_BYTES, max_bytes // _FILES)
        self._max_files = max(2, max_bytes // self._file_bytes)
        self._lock = threading.Lock()
        # Which file a picture is in (0: none), and where.
        self._file = np.zeros(images, np.int32)
        self._start = np.zeros(images, np.uint32)
        self._size = np.zeros(images, np.uint32)
        self._numbers: list[int] = []
        self._handles: dict[int, io.FileIO] = {}
        self._load(images)
        self._begin()

    def _load(self, images: int) -> None:
        whole = {int(path.stem): path for path in self._folder.glob("*.npy")}
        for path in self._folder.glob("*.pictures"):
            if int(path.stem) not in whole:
                path.unlink()
        for number in sorted(whole):
            try:
                index = np.load(whole[number], allow_pickle=False)
                handle = io.FileIO(self._path(number))
            except (OSError, ValueError):
                self._remove(number)
                continue
            rows = index["row"]
            if len(rows) and rows.max() >= images:
                handle.close()
                self._remove(number)
                continue
            self._file[rows], self._start[rows] = number, index["start"]
            self._size[rows] = index["size"]
            self._numbers.append(number)
            self._handles[number] = handle

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}.pictures"

    def _remove(self, number: int) -> None:
        for path in (self._path(number).with_suffix(".npy"), self._path(number)):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _begin(self) -> None:
        number = max(self._numbers, default=0) + 1
        self._numbers.append(number)
        self._handles[number] = io.FileIO(self._path(number), "w+")
        self._end = 0
        while len(self._numbers) > self._max_files:
            oldest = self._numbers.pop(0)
            self._file[self._file == oldest] = 0
            self._handles.pop(oldest).close()
            self._remove(oldest)

    def has(self, row: int) -> bool:
        """True if it has the picture."""
        return bool(self._file[row])

    def get(self, row: int) -> bytes | None:
        """A picture; empty where there can be none; None: it is not here."""
        with self._lock:
            number = int(self._file[row])
            if not number:
                return None
            handle = self._handles[number]
            handle.seek(int(self._start[row]))
            return handle.read(int(self._size[row]))

    def put(self, row: int, picture: bytes) -> None:
        """Keeps a picture, where there is room on the disk."""
        with self._lock, contextlib.suppress(OSError):
            if self._end + len(picture) > self._file_bytes and self._end:
                self._save_index()
                self._begin()
            number = self._numbers[-1]
            handle = self._handles[number]
            handle.seek(self._end)
            if handle.write(picture) != len(picture):
                return
            self._start[row], self._size[row] = self._end, len(picture)
            self._file[row] = number
            self._end += len(picture)

    def _save_index(self) -> None:
        number = self._numbers[-1]
        rows = np.flatnonzero(self._file == number)
        index = np.zeros(len(rows), [("row", np.int64), ("start", np.uint32), ("size", np.uint32)])
        index["row"], index["start"] = rows, self._start[rows]
        index["size"] = self._size[rows]
        buffer = io.BytesIO()
        np.save(buffer, index, allow_pickle=False)
        write_whole(self._path(number).with_suffix(".npy"), buffer.getvalue(), durable=False)

    def close(self) -> None:
        """Closes the files; the last one gets its index too."""
        with self._lock:
            with contextlib.suppress(OSError):
                self._save_index()
            for handle in self._handles.values():
                handle.close()
