"""The open tars of a process. None is read that is not the one that was indexed.

Tars are opened late: when the first image of them is asked for, which may be hours after the index
was read. A purge may have put another tar into the place by then, whose bytes at an image's offset
are those of another image. So what is opened is compared with what was indexed; and a tar that is
open stays the one it was, whatever takes its name.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pass_dataset.errors import ArchiveError, ArchiveReplacedError
from pass_dataset.folders.file_mark import FileMark

__all__ = ["OpenTars"]

#: Tars held open at a time. PASS has 10; systems give a process 256 open files, or 1,024.
_MAX_OPEN = 64


class _Handle(int):
    """A file descriptor, closed when nobody has it any more.

    So it can be given up while another thread reads from it: a number that was closed may be that
    of any other file already.
    """

    # Bound here: one that is left till the end of a process finds the module's names gone.
    def __del__(
        self,
        close: Callable[[int], None] = os.close,
        suppress: type[contextlib.suppress] = contextlib.suppress,
    ) -> None:
        with suppress(OSError):
            close(self)


class OpenTars:
    """Open tars of one process; reading needs no position, so forked processes may share them."""

    def __init__(
        self, folder: Path, names: Sequence[str], marks: Sequence[FileMark] | None = None
    ) -> None:
        """Tars of a folder; none is opened yet.

        Args:
          folder: that they are in.
          names: of them; reading counts in these.
          marks: of the files that places in them are known of; None: whatever is there is read.
        """
        self._folder = folder
        self._names = names
        self._marks = marks
        self._handles: dict[int, _Handle] = {}

    def read(self, tar: int, offset: int, size_bytes: int, image_hash: str) -> bytes:
        """The bytes of an image.

        Raises:
          ArchiveError: they cannot be read, or the tar was cut.
          ArchiveReplacedError: there is another tar now.
        """
        with self._reading(tar, offset, image_hash):
            data = os.pread(self.handle(tar), size_bytes, offset)
        self._check_length(tar, offset, image_hash, size_bytes, len(data))
        return data

    def read_into(self, tar: int, offset: int, target: memoryview, image_hash: str) -> None:
        """Fills `target` with the bytes of an image.

        Raises:
          ArchiveError, ArchiveReplacedError: as `read`.
        """
        with self._reading(tar, offset, image_hash):
            if hasattr(os, "preadv"):
                found = os.preadv(self.handle(tar), [target], offset)
            else:
                data = os.pread(self.handle(tar), len(target), offset)
                found = len(data)
                target[:found] = data
        self._check_length(tar, offset, image_hash, len(target), found)

    @contextlib.contextmanager
    def _reading(self, tar: int, offset: int, image_hash: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ArchiveError(
                f"{self._path(tar)}: image {image_hash} at byte {offset:,} cannot be read: "
                f"{error.strerror}"
            ) from error

    def _check_length(
        self, tar: int, offset: int, image_hash: str, expected: int, found: int
    ) -> None:
        if found != expected:
            raise ArchiveError(
                f"{self._path(tar)}: image {image_hash} at byte {offset:,}: expected "
                f"{expected:,} bytes, found {found:,}: the tar was cut after it was indexed. "
                "pass-dataset verify tells more."
            )

    def expect(self, tar: int, offset: int, size_bytes: int) -> None:
        """Tells the system that these bytes will be read soon, so that it fetches them now.

        Raises:
          ArchiveReplacedError: there is another tar now.
        """
        if hasattr(os, "posix_fadvise"):
            # Only a hint: whatever is wrong with the file, reading it will say so better.
            with contextlib.suppress(OSError):
                os.posix_fadvise(self.handle(tar), offset, size_bytes, os.POSIX_FADV_WILLNEED)

    def handle(self, tar: int) -> int:
        """The tar's file descriptor, which stays open as long as the object is kept.

        Raises:
          OSError: it cannot be opened.
          ArchiveReplacedError: it is not the one that was indexed.
        """
        handle = self._handles.get(tar)
        return self._opened(tar) if handle is None else handle

    def _opened(self, tar: int) -> _Handle:
        # Two threads may both come here: the second handle is dropped, nothing is lost.
        opened = self._open(tar)
        self._check_mark(tar, opened)
        while len(self._handles) >= _MAX_OPEN:
            with contextlib.suppress(StopIteration, RuntimeError, KeyError):
                del self._handles[next(iter(self._handles))]
        return self._handles.setdefault(tar, opened)

    def _open(self, tar: int) -> _Handle:
        flags = os.O_RDONLY | os.O_CLOEXEC
        try:
            return _Handle(os.open(self._path(tar), flags))
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or not self._handles:
                raise
        # The process has files of others open too: make room with our own.
        self.close()
        return _Handle(os.open(self._path(tar), flags))

    def _check_mark(self, tar: int, opened: _Handle) -> None:
        if self._marks is None:
            return
        found = FileMark.of(os.fstat(opened))
        if not self._marks[tar].is_same(found):
            raise ArchiveReplacedError(
                f"{self._path(tar)}: is not the file that was indexed: expected "
                f"{self._marks[tar]}, found {found}. It was purged, fetched anew or cut since the "
                "archives were opened: open them again (pass-dataset verify tells whether it is "
                "whole)"
            )

    def _path(self, tar: int) -> Path:
        return self._folder / self._names[tar]

    def close(self) -> None:
        """Gives the tars up; they are opened again when needed."""
        self._handles.clear()
