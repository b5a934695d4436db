"""Files and where they are kept: written whole, made to last, hashed; the user's cache folder.

What it takes for a file to outlive a power cut is said here once. A file is written under another
name in the same folder, brought to the disk, and renamed; then the folder, which has the name, is
brought to the disk too. Half of a file never has the name, and no name stands for bytes that are
not there.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import platformdirs

from pass_dataset.errors import FolderError

__all__ = [
    "PART_SUFFIX",
    "begin_sync",
    "create_new",
    "file_sha256",
    "is_part",
    "optional_cache",
    "part_path",
    "read_blocks",
    "rename_lasting",
    "require_inside",
    "sweep_parts",
    "sync_file",
    "sync_folder",
    "sync_tree",
    "user_cache",
    "write_whole",
    "writing_whole",
]

PART_SUFFIX = ".part"

_APPLICATION = "pass_dataset"
_BLOCK_BYTES = 4 << 20
#: Of a file that must be new: a link that was planted under its name is not followed.
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
#: ``.<name>.<host>.<process>.<random>.part``. Hidden, as readers ask for files by patterns such as
#: ``data/train-*``; random, so that nobody can be there first.
_PART = re.compile(r"\..+\.(?P<process>\d+)\.[0-9a-f]{8}\.part")
#: Characters of the file's name and of the host's in it: file systems take 255 bytes.
_NAME_CHARACTERS, _HOST_CHARACTERS = 40, 60
#: After so long, what another machine left is taken for left behind.
_ABANDONED_S = 24 * 3600.0
#: Folders that this process has looked through for parts.
_swept: set[Path] = set()
#: What file systems answer that cannot sync a folder (CIFS, some FUSE).
_NO_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


# --- the user's cache -----------------------------------------------------------------------------


def user_cache(kind: str) -> Path:
    """A folder of ours in the user's cache folder; it may not exist yet.

    On Linux ``~/.cache/pass_dataset``, or below ``XDG_CACHE_HOME``.

    Raises:
      FolderError: there is no home folder to keep it in.
    """
    named = os.environ.get("XDG_CACHE_HOME", "").strip()
    try:
        # On macOS too.
        root = Path(named, _APPLICATION) if named else platformdirs.user_cache_path(_APPLICATION)
    except RuntimeError:
        # So newer ones say that there is no home folder; older ones give a path that begins with ~.
        root = Path("~", ".cache", _APPLICATION)
    if not root.is_absolute():
        # It would be another one in each working folder, and what it says would be forgotten.
        raise FolderError(
            f"{root}: is no place for the user's cache, as it is not absolute: this user has no "
            "home folder, or XDG_CACHE_HOME names none. Set XDG_CACHE_HOME to a folder that lasts"
        )
    return root / kind


def optional_cache(kind: str) -> Path | None:
    """`user_cache` for what can do without; None: there is no home folder."""
    try:
        return user_cache(kind)
    except FolderError:
        return None


# --- writing --------------------------------------------------------------------------------------


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
    part = _new_part(path)
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


# --- parts ----------------------------------------------------------------------------------------


def part_path(path: Path) -> Path:
    """Where a download is kept until it is whole; the next run goes on with it."""
    return path.with_name(path.name + PART_SUFFIX)


def is_part(name: str) -> bool:
    """True of the name of a file that `writing_whole` is writing, or was when it was killed."""
    return _PART.fullmatch(name) is not None


def sweep_parts(folder: Path) -> None:
    """Removes from a folder what processes left that were killed while they wrote a file.

    Those of this machine that are gone; those of other machines after a day.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = _PART.fullmatch(entry.name)
            if match is None:
                continue
            # Others may have removed it, or it may not be ours to remove.
            with contextlib.suppress(OSError):
                if _is_left(entry, int(match["process"])):
                    os.unlink(entry.path)  # noqa: PTH108  (the entry has no Path)


def _new_part(path: Path) -> Path:
    ending = f"{_host()}.{os.getpid()}.{secrets.token_hex(4)}{PART_SUFFIX}"
    return path.with_name(f".{path.name[:_NAME_CHARACTERS]}.{ending}")


def _host() -> str:
    return socket.gethostname()[:_HOST_CHARACTERS]


def _is_left(entry: os.DirEntry[str], process: int) -> bool:
    if f".{_host()}.{process}." in entry.name:
        return not _is_alive(process)
    return time.time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED_S


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


# --- reading --------------------------------------------------------------------------------------


def require_inside(name: str) -> str:
    """A path that a manifest or an index names, if it is one within their folder.

    Whoever passes such a file on could else have the bytes of any other be taken for data.

    Raises:
      ValueError: it leads out of the folder.
    """
    if not name or name.startswith("/") or "\0" in name or ".." in name.split("/"):
        raise ValueError(f"expected the name of a file within the folder, found {name!r}")
    return name


def read_blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as handle:
        while block := handle.read(_BLOCK_BYTES):
            yield block


def file_sha256(path: Path, advance: Callable[[int], None] = lambda amount: None) -> str:
    """SHA-256 of a file, lower-case hexadecimal; `advance` is told the bytes as they are read."""
    digest = hashlib.sha256()
    for block in read_blocks(path):
        digest.update(block)
        advance(len(block))
    return digest.hexdigest()
