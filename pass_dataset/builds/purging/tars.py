"""A tar without some of its members; all others keep their headers and bytes as they are."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from pass_dataset.archives.tars import BLOCK_BYTES, Member, image_hash, read_members
from pass_dataset.errors import ArchiveError

__all__ = ["image_of", "rewrite_tar"]

_COPY_BYTES = 4 << 20


def image_of(member: Member, is_known: Callable[[str], bool]) -> str | None:
    """The image that a member is, or is told of by its name: ``<hash>.json``, ``<hash>.jpeg``.

    Args:
      member: of a tar.
      is_known: true of the hash of an image, whether it stays or goes.

    Returns:
      Its hash, None for what is of no image.
    """
    found = image_hash(member)
    if found is not None:
        return found
    # macOS keeps what it knows of a file beside it, and what is told of a.b.jpg may be a.b.json.
    name = member.name.rpartition("/")[2].removeprefix("._")
    while name:
        for form in (name, name.lower()):
            if is_known(form):
                return form
        name = name.rpartition(".")[0]
    return None


def rewrite_tar(
    path: Path,
    target: Path,
    is_removed: Callable[[Member], bool],
    advance: Callable[[int], None] = lambda amount: None,
) -> int:
    """Copies a tar without some members.

    Args:
      path: the tar.
      target: the copy; what was there is overwritten.
      is_removed: true of a member that is left out.
      advance: told the bytes of the tar that are done.

    Returns:
      The number of members left out.

    Raises:
      ArchiveError: the tar cannot be read.
      OSError: the copy cannot be written.
    """
    removed = 0
    with path.open("rb") as source, target.open("wb") as copy:
        done = 0
        for member in read_members(path):
            if is_removed(member):
                start = _own_start(path, source, member)
                _copy(source, copy, done, start, advance)
                advance(member.end - start)
                done = member.end
                removed += 1
        # With the blocks of zeros that close it.
        _copy(source, copy, done, os.fstat(source.fileno()).st_size, advance)
    return removed


def _own_start(path: Path, source: BinaryIO, member: Member) -> int:
    """Where the headers begin that are the member's alone.

    A global pax header before it speaks of all that follow, and stays.
    """
    start = position = member.start
    for kind, after in _headers(source, member):
        if kind == tarfile.XGLTYPE:
            if start != position:
                raise ArchiveError(
                    f"{path}: a global header at byte {position:,} stands among those of the "
                    "member after it; make the tar anew"
                )
            start = after
        position = after
    return start


def _headers(source: BinaryIO, member: Member) -> Iterator[tuple[bytes, int]]:
    """Kind of each header before the member's last one, and the position after it."""
    position = member.start
    while position < member.offset - BLOCK_BYTES:
        source.seek(position)
        header = tarfile.TarInfo.frombuf(source.read(BLOCK_BYTES), "utf-8", "surrogateescape")
        position += BLOCK_BYTES + -(-header.size // BLOCK_BYTES) * BLOCK_BYTES
        yield header.type, position


def _copy(
    source: BinaryIO, copy: BinaryIO, start: int, stop: int, advance: Callable[[int], None]
) -> None:
    source.seek(start)
    left = stop - start
    while left > 0:
        data = source.read(min(left, _COPY_BYTES))
        if not data:
            raise ArchiveError(f"{source.name}: became shorter while it was read")
        copy.write(data)
        advance(len(data))
        left -= len(data)
