"""A folder of image files, of any depth."""

from __future__ import annotations

import heapq
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from pass_dataset.archives.tars import is_sidecar
from pass_dataset.errors import SourceError
from pass_dataset.passify.sources.file_states import FileStates
from pass_dataset.passify.sources.names import name_to_text, text_to_name
from pass_dataset.passify.sources.source import Kind, ListingReport, SourceItem, require_size

__all__ = ["FileReader", "FolderTree", "Suffixes", "read_file"]

#: Names of one folder that are sorted in memory; more are sorted in parts on disk and merged.
_SORTED_NAMES = 250_000
_LINK_OUT = "links that lead out of the folder"


@dataclass(frozen=True)
class Suffixes:
    """Which file names are images: by their ending, in any case; None: all are."""

    endings: frozenset[bytes] | None

    @classmethod
    def of(cls, suffixes: Sequence[str] | None) -> Suffixes:
        """From endings without dot."""
        return cls(None if suffixes is None else frozenset(text.encode() for text in suffixes))

    def accept(self, name: bytes, report: ListingReport) -> bool:
        """Whether it is an image; if not, it is counted."""
        if is_sidecar(os.fsdecode(name[name.rfind(b"/") + 1 :])):
            report.leave_out("what macOS keeps beside files (._*)")
            return False
        if self.endings is None:
            return True
        stem, dot, ending = name.rpartition(b".")
        if dot and ending.lower() in self.endings:
            return True
        named = dot and stem and len(ending) <= 12
        report.leave_out(name_to_text(b"." + ending.lower()) if named else "files without ending")
        return False


@dataclass(frozen=True)
class FolderTree:
    """All image files under a folder, sorted by the bytes of their paths.

    Links to folders are not followed; links to files are where they lead to a file in the tree.

    Attributes:
      root: the folder, without links in it.
      suffixes: which files are images.
    """

    root: bytes
    suffixes: Suffixes

    @property
    def kind(self) -> Kind:
        return "folder"

    def items(self, report: ListingReport) -> Iterator[SourceItem]:
        for path in self.files(report):
            yield SourceItem(name_to_text(path))

    def files(self, report: ListingReport) -> Iterator[bytes]:
        """Paths of the files within the folder."""
        # A stack of its own: trees may be deeper than Python's.
        pending = [(b"", self._entries(b"", report))]
        while pending:
            folder, entries = pending[-1]
            for name in entries:
                path = folder + name
                if name.endswith(b"/"):
                    pending.append((path, self._entries(path, report)))
                    break
                yield path
            else:
                pending.pop()

    def _entries(self, folder: bytes, report: ListingReport) -> Iterator[bytes]:
        """Names in a folder, sorted, those of folders with a slash at the end.

        The slash is part of what is sorted: so the order is that of whole paths.
        """
        names: list[bytes] = []
        parts = _SortedParts()
        try:
            with os.scandir(os.path.join(self.root, folder)) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        names.append(entry.name + b"/")
                    elif self._is_image(entry, report):
                        names.append(entry.name)
                    if len(names) >= _SORTED_NAMES:
                        parts.add(sorted(names))
                        names = []
        except OSError as error:
            if not folder:
                raise SourceError(
                    f"{os.fsdecode(self.root)}: cannot be listed: {error.strerror}"
                ) from error
            report.add_unreadable(f"{name_to_text(folder)}: {error.strerror}")
        names.sort()
        return parts.merged(names) if parts else iter(names)

    def _is_image(self, entry: os.DirEntry[bytes], report: ListingReport) -> bool:
        if not self.suffixes.accept(entry.name, report):
            return False
        if entry.is_file(follow_symlinks=False):
            return True
        if not entry.is_symlink():
            report.leave_out("pipes, sockets and devices")
            return False
        target = os.path.realpath(entry.path)
        if not target.startswith(self.root.rstrip(b"/") + b"/"):
            report.leave_out(_LINK_OUT)
            return False
        if not os.path.isfile(target):
            report.leave_out("links to no file")
            return False
        return True

    def reader(self, states: FileStates) -> FileReader:
        return FileReader(self.root)

    def file_of(self, item: SourceItem) -> bytes | None:
        return os.path.join(self.root, text_to_name(item.path))


class _SortedParts:
    """Sorted lists of names, kept in a file that has no name."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._bounds: list[tuple[int, int]] = []

    def __bool__(self) -> bool:
        return bool(self._bounds)

    def add(self, names: list[bytes]) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the listing)
        start = self._file.tell()
        # No name has a NUL in it.
        self._file.write(b"\0".join(names))
        self._bounds.append((start, self._file.tell()))

    def merged(self, rest: list[bytes]) -> Iterator[bytes]:
        assert self._file is not None
        self._file.flush()
        yield from heapq.merge(*(self._names(*bounds) for bounds in self._bounds), rest)
        self._file.close()

    def _names(self, start: int, end: int) -> Iterator[bytes]:
        assert self._file is not None
        tail = b""
        while start < end:
            data = os.pread(self._file.fileno(), min(1 << 16, end - start), start)
            start += len(data)
            *names, tail = (tail + data).split(b"\0")
            yield from names
        yield tail


class FileReader:
    """Reads images that are files, each opened for itself."""

    def __init__(self, root: bytes) -> None:
        self._root = root

    def read(self, item: SourceItem) -> bytes:
        return read_file(os.path.join(self._root, text_to_name(item.path)))

    def close(self) -> None:
        pass


def read_file(path: bytes) -> bytes:
    """All bytes of a file.

    Raises:
      OSError: it cannot be read.
      SourceError: it is no file, or too large to be an image.
    """
    # Without O_NONBLOCK a pipe that has taken the file's place would be waited for.
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise SourceError("no regular file")
        require_size(status.st_size)
        return file.read()
