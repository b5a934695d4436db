"""States of the files that a listing was read from: a place in a file holds for that file only."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from pass_dataset.errors import SourceChangedError

__all__ = ["FileState", "FileStates", "require_unchanged"]


class FileState(NamedTuple):
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
    def of(cls, path: str | bytes | os.PathLike[str]) -> FileState:
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


#: By path within the source, as text. Those of plans that earlier versions made have none.
FileStates: TypeAlias = Mapping[str, FileState]


def require_unchanged(path: bytes, name: str, states: FileStates) -> None:
    """Sees that a file is still the one that was listed.

    Call it when the file was read: what was opened before the file was replaced is then refused
    too, and so is what was read while it was written to.

    Args:
      path: of the file.
      name: what `states` knows it by.
      states: from the listing; a file that is not in them is not checked.

    Raises:
      SourceChangedError: it is another one, or gone.
      OSError: it cannot be looked at.
    """
    listed = states.get(name)
    if listed is None:
        return
    try:
        found = FileState.of(path)
    except FileNotFoundError:
        found = None
    if found != listed:
        raise SourceChangedError(
            f"{os.fsdecode(path)}: has changed since its images were listed: expected {listed}, "
            f"found {found or 'no file'}. Where its images lie is no longer known. Put the file "
            "back as it was, or begin a new run with another --out"
        )
