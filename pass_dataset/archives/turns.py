"""Turns: threads that read from one disk, of which one works while the others wait for the disk.

Python runs one thread at a time, and a thread that reads hands over to another. Where all that is
read is in memory, ten threads do nothing but hand over: 1.44 million headers took them twice the
time of one thread. So the turn is kept while what is read is there, and given away only for
the time that the disk takes.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Ended", "Turn"]

#: Read what is in memory, or fail (Linux 4.14); 0: not known here.
_NO_WAIT = getattr(os, "RWF_NOWAIT", 0)
#: A file system that cannot tell.
_CANNOT_TELL = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)


class Ended(Exception):
    """Nobody wants to know any more what is read."""


class Turn:
    """One for all threads that take turns."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._can_tell = bool(_NO_WAIT) and hasattr(os, "preadv")
        self._ended = threading.Event()

    def end(self) -> None:
        """No thread takes it any more, and one that waits for the disk does not go on."""
        self._ended.set()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """While the others wait, apart from what `read` waits for.

        Raises:
          Ended: there are no turns any more.
        """
        with self._lock:
            self._check()
            yield

    def _check(self) -> None:
        if self._ended.is_set():
            raise Ended

    def read(self, handle: int, size_bytes: int, position: int) -> bytes:
        """As `os.pread`, for who has the turn: it is given away while the disk is waited for.

        Raises:
          OSError: as `os.pread`.
          Ended: there are no turns any more.
        """
        room = bytearray(size_bytes)
        found = self.read_into(handle, (room,), position)
        return bytes(room) if found == size_bytes else bytes(room[:found])

    def read_into(self, handle: int, rooms: tuple[bytearray | memoryview], position: int) -> int:
        """The same into memory; returns how many bytes there were.

        Raises:
          OSError, Ended: as `read`.
        """
        if self._can_tell:
            try:
                # A part is read where the next page is not there; the end of a file looks so too.
                found = os.preadv(handle, rooms, position, _NO_WAIT)
                if found == len(rooms[0]):
                    return found
            except BlockingIOError:
                pass
            except OSError as error:
                if error.errno not in _CANNOT_TELL:
                    raise
                self._can_tell = False
        self._lock.release()
        try:
            data = os.pread(handle, len(rooms[0]), position)
        finally:
            self._lock.acquire()
        self._check()
        rooms[0][: len(data)] = data
        return len(data)
