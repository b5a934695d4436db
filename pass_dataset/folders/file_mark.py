"""What tells a file from another one that took its name, without reading it."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from pass_dataset.files.hashing import file_sha256

__all__ = ["FileMark", "FileVersion", "are_same", "hash_at_rest"]


class FileVersion(NamedTuple):
    """What tells a file from the one that takes its place, on every machine that sees it.

    Not its inode and device: other nodes of a cluster, and some file systems (FUSE) each time they
    are asked, number the same file otherwise.

    Attributes:
      size_bytes: its size.
      mtime_ns: when it was last written to, in nanoseconds since 1970.
    """

    size_bytes: int
    mtime_ns: int

    @classmethod
    def of(cls, path: str | bytes | os.PathLike[str]) -> FileVersion:
        """That of a file as it is now. Raises OSError."""
        status = os.stat(path)  # noqa: PTH116
        return cls(status.st_size, status.st_mtime_ns)

    def __str__(self) -> str:
        try:
            when = datetime.datetime.fromtimestamp(self.mtime_ns / 1e9, datetime.timezone.utc)
            written = f"{when:%Y-%m-%d %H:%M:%S} UTC"
        except (OverflowError, ValueError, OSError):  # years that nobody lives in
            written = f"{self.mtime_ns} ns after 1970"
        return f"{self.size_bytes:,} bytes written {written}"


class FileMark(NamedTuple):
    """A file as the system knew it at a time.

    Attributes:
      size_bytes: its size.
      mtime_ns: when its bytes were changed last; copies may keep it, and anybody may set it.
      changed_ns: when the system noted a change of it last, which nobody can set; 0: not known.
      device, inode: which file it is on this machine; 0: not known.
    """

    size_bytes: int
    mtime_ns: int
    changed_ns: int = 0
    device: int = 0
    inode: int = 0

    @classmethod
    def of(cls, found: os.stat_result) -> FileMark:
        """The mark of a file, from what the system says."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_dev, found.st_ino)

    @classmethod
    def at(cls, path: Path) -> FileMark | None:
        """The mark of the file at a path; None if there is none to be seen."""
        try:
            return cls.of(path.stat())
        except OSError:
            return None

    @property
    def content(self) -> FileVersion:
        """Size and time: what a copy of the file has too, in any folder of any machine."""
        return FileVersion(self.size_bytes, self.mtime_ns)

    def is_same(self, other: FileMark) -> bool:
        """True if both are of one file, with the same bytes as far as its times tell.

        Some file systems give a file another inode each time it is looked at (FUSE); the time of
        its last change then says that it is the same. Of what is not known nothing is asked.
        """
        if self.content != other.content:
            return False
        if 0 in (self.inode, other.inode):
            return True
        here = (self.device, self.inode) == (other.device, other.inode)
        return here or self.changed_ns == other.changed_ns

    def __str__(self) -> str:
        which = f" (file {self.inode})" if self.inode else ""
        return f"{self.content}{which}"


def are_same(before: Mapping[str, FileMark], after: Mapping[str, FileMark]) -> bool:
    """True if files by name are those that they were: none changed, came, or went."""
    return before.keys() == after.keys() and all(
        mark.is_same(after[name]) for name, mark in before.items()
    )


def hash_at_rest(
    path: Path, advance: Callable[[int], None] = lambda amount: None
) -> tuple[str, FileMark | None]:
    """Hashes a file that nobody should be writing.

    What was damaged behind the place that was being hashed has the right hash all the same, so the
    file must be the same before and after.

    Args:
      path: the file.
      advance: is told the bytes as they are read.

    Returns:
      SHA-256 (lower-case hexadecimal), and the file that it is of; None: it was changed meanwhile.

    Raises:
      OSError: it cannot be read.
    """
    before = FileMark.of(path.stat())
    sha256 = file_sha256(path, advance)
    return sha256, before if FileMark.of(path.stat()) == before else None
