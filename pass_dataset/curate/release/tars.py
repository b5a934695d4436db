"""The tars of a release. Their bytes depend on what is in them alone."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.release.contents import Image
from pass_dataset.errors import CurationError
from pass_dataset.files.whole import writing_whole
from pass_dataset.progress import Task
from pass_dataset.releases.release import ReleaseFile

__all__ = ["fetched_tar", "member_name", "write_tar"]

_ROOT = "PASS_dataset"
_BLOCK = tarfile.BLOCKSIZE
#: A tar ends with two empty blocks, and is filled up to a record.
_END = 2 * _BLOCK
_RECORD = tarfile.RECORDSIZE


def fetched_tar(folder: CurationFolder, shard: int) -> Path:
    """The tar that `fetch` wrote of a shard."""
    return folder.work_path("fetch") / "tars" / f"{shard:06d}.tar"


def member_name(tar: int, image_hash: str) -> str:
    """The name of an image in a tar, as in PASS.

    >>> member_name(3, "ffd3eb12a16cb83138f26e6f36dec967")
    'PASS_dataset/3/ffd3eb12a16cb83138f26e6f36dec967.jpg'
    """
    return f"{_ROOT}/{tar}/{image_hash}.jpg"


def write_tar(
    folder: CurationFolder, path: Path, number: int, images: Iterable[Image], task: Task
) -> ReleaseFile:
    """Writes a tar; it gets its name when it is whole.

    Args:
      folder: of the curation, where the images' bytes are.
      path: of the tar.
      number: of the tar, which is in the names of its members.
      images: in order.
      task: is told of each image.

    Returns:
      The tar as it was written.

    Raises:
      CurationError: bytes are not those that were fetched.
      OSError: a tar cannot be read or written; the error names it.
    """
    with writing_whole(path) as file:
        out = _Summed(file)
        for name in (f"{_ROOT}/", f"{_ROOT}/{number}/"):
            out.write(_header(name, 0))
        for image in images:
            data = _read(folder, image)
            out.write(_header(member_name(number, image.hash), len(data)))
            out.write(data)
            out.write(bytes(-len(data) % _BLOCK))
            task.advance(1)
        out.write(bytes(_END + -(out.size_bytes + _END) % _RECORD))
    return ReleaseFile(path.name, out.size_bytes, out.sha256)


class _Summed:
    """A file that is being written, its size and SHA-256."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self.size_bytes += len(data)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def _header(name: str, size_bytes: int) -> bytes:
    """The header of a member: nobody's, of no time."""
    info = tarfile.TarInfo(name.rstrip("/"))
    info.size = size_bytes
    info.mode = 0o644
    if name.endswith("/"):
        info.type, info.mode = tarfile.DIRTYPE, 0o755
    return info.tobuf(tarfile.USTAR_FORMAT)


def _read(folder: CurationFolder, image: Image) -> bytes:
    """The bytes of an image, which are those that were fetched."""
    path = fetched_tar(folder, image.shard)
    try:
        # Opened for each: the images of a tar come from all the fetched ones, in no order.
        opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise CurationError(
            f"{path}: missing; a release needs the tars that were fetched. Put it back, or fetch "
            "into another folder"
        ) from None
    try:
        data = os.pread(opened, image.size_bytes, image.offset)
    finally:
        os.close(opened)
    found = hashlib.sha256(data).hexdigest()
    if found != image.sha256:
        raise CurationError(
            f"{path}: {image.hash}: expected {image.size_bytes:,} bytes with SHA-256 "
            f"{image.sha256} at byte {image.offset:,}, found {len(data):,} with {found}: the tar "
            "is damaged. Put it back from a copy, or fetch into another folder"
        )
    return data
