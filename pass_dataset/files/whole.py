"""Files written whole, and made to last.

What it takes for a file to outlive a power cut is said here once. A file is written under another
name in the same folder, brought to the disk, and renamed; then the folder, which has the name, is
brought to the disk too. Half of a file never has the name, and no name stands for bytes that are
not there.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pass_dataset.files.parts import new_part, sweep_parts

__all__ = [
    "begin_sync",
    "create_new",
    "rename_lasting",
    "sync_file",
    "sync_folder",
    "sync_tree",
    "write_whole",
    "writing_whole",
]

#: Of a file that must be new: a link that was planted under its name is not followed.
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
#: Folders that this process has looked through for parts.
_swept: set[Path] = set()
#: What file systems answer that cannot sync a folder (CIFS, some FUSE).
_NO_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


def write_whole(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Writes a small file so that its name never stands for half of it; see `writing_whole`."""
    with writing_whole(path, durable=durable) as file:
        file.write(data)


@contextlib.contextmanager
def writing_whole(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """A file to write; it gets its name when the block ends, and none if the block fails.

    Args:
      path: the file, with the mode that new files get. What is there is replaced; a link, not what
        it leads to.
      durable: once the block has ended it outlives a power cut. Without, for what is made anew
        where it is missing or cut, it may be empty then.

    Raises:
      OSError: it cannot be written; the error names the file.
    """
    if path.parent not in _swept:
        # What the last one left that was killed here.
        _swept.add(path.parent)
        sweep_parts(path.parent)
    part = new_part(path)
    try:
        with os.fdopen(os.open(part, _NEW, 0o666), "wb") as file:
            yield file
            file.flush()
            if durable:
                _sync(file.fileno())
        os.replace(part, path)
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        # That of a full disk names no file, others name the part.
        names_another = error.filename is not None and str(error.filename) != str(part)
        if error.errno is None or names_another:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    finally:
        # On a full disk even this may fail, and must not hide why.
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def create_new(path: Path) -> None:
    """Makes an empty file for others to write, where nothing is, not even a link."""
    os.close(os.open(path, _NEW, 0o666))


def rename_lasting(part: Path, path: Path) -> None:
    """Gives a file that was written under another name in its folder its own, to stay."""
    sync_file(part)
    os.replace(part, path)
    sync_folder(path.parent)


def sync_tree(folder: Path) -> None:
    """Brings a folder with all that is in it to the disk."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            sync_tree(Path(entry.path))
        elif entry.is_file(follow_symlinks=False):
            sync_file(Path(entry.path))
    sync_folder(folder)


def sync_file(path: Path) -> None:
    """Brings the bytes of a file to the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _sync(handle)
    finally:
        os.close(handle)


def begin_sync(path: Path) -> None:
    """Has the system begin to bring a file to the disk; `sync_file` then has less to wait for."""
    if not hasattr(os, "posix_fadvise"):
        return
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        # Pages that are to be written Linux does not drop, but begins to write.
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Brings the names in a folder to the disk, where the file system can do that."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        return  # it may be written to and not be looked into
    try:
        _sync(handle)
    finally:
        os.close(handle)


def _sync(handle: int) -> None:
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
