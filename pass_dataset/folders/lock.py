"""The lock of a folder: one process at a time changes it, and the others are told who does.

Folders are shared. The lock's file is made for all who may write to the folder, and one that a
colleague made with other rights does as well: whoever may read it can lock it. Some file systems
keep no locks (NFS without its daemon, some FUSE): there work goes on, and it is said.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from pass_dataset.errors import FolderError, FolderLockedError
from pass_dataset.files.parts import sweep_parts
from pass_dataset.files.whole import write_whole
from pass_dataset.folders.state import HOLDER_NAME, LOCK_NAME, state_path

__all__ = ["hold", "holder"]

logger = logging.getLogger(__name__)

_BUSY = frozenset({errno.EAGAIN, errno.EWOULDBLOCK})
#: What file systems answer that keep no locks; EBADF: that want the file opened for writing.
_NO_LOCKS = frozenset(
    {
        errno.ENOLCK,
        errno.EOPNOTSUPP,
        errno.ENOTSUP,
        errno.ENOSYS,
        errno.EINVAL,
        errno.EBADF,
        errno.EROFS,
    }
)

#: Folders that this thread holds: what it calls meanwhile need not wait for it.
_held = threading.local()


@contextlib.contextmanager
def hold(
    folder: Path,
    *,
    wait: bool = True,
    poll_s: float = 0.5,
    is_needed: bool = True,
) -> Iterator[None]:
    """Holds the folder for changing it; the system lets go of it however the process ends.

    Who holds it already goes on holding it: a build may write into the folder of its archives.

    Args:
      folder: an existing folder.
      wait: wait for another holder (saying who it is), or raise at once.
      poll_s: seconds between tries.
      is_needed: false for what is safe without, and only spares two processes the same work: it
        goes on where the folder cannot be locked, whatever the reason.

    Raises:
      FolderLockedError: not waiting, and another process holds the folder.
      FolderError: this user may not lock it.
    """
    mine = _held.__dict__.setdefault("folders", set())
    key = (os.getpid(), folder.resolve())
    if key in mine:
        yield
        return
    with _holding(folder, wait, poll_s, is_needed):
        mine.add(key)
        try:
            yield
        finally:
            mine.discard(key)


@contextlib.contextmanager
def _holding(folder: Path, wait: bool, poll_s: float, is_needed: bool) -> Iterator[None]:
    try:
        handle = _locked(folder, wait, poll_s)
    except FolderLockedError:
        raise
    except (OSError, FolderError) as error:
        if is_needed and not _keeps_no_locks(error):
            raise _refused(folder, error) from error
        logger.warning("%s: cannot be locked (%s); going on without a lock", folder, error)
        yield
        return
    try:
        with _named_holder(folder):
            yield
    finally:
        # Said, and not left to the closing: a process that was forked meanwhile has the file too.
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def _keeps_no_locks(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in _NO_LOCKS


def _refused(folder: Path, error: Exception) -> FolderError:
    what = f"{folder}: the folder cannot be locked for a change"
    if not isinstance(error, OSError):
        return FolderError(f"{what}, which this user may not write to: {error}")
    place = Path(os.fsdecode(error.filename or folder))
    if place.is_relative_to(folder):
        return FolderError(
            f"{what}: {place}: {error.strerror}. The file's owner can give the others the right to "
            "read and write it"
        )
    # The lock of a folder that is read-only is kept in the user's cache.
    return FolderError(
        f"{what}, which this user may not write to: the lock would be in this user's cache, and "
        f"{place}: {error.strerror}. Set XDG_CACHE_HOME to a folder that lasts, or take a folder "
        "that can be written"
    )


def _locked(folder: Path, wait: bool, poll_s: float) -> int:
    """Locks the folder; returns the open file that keeps it so.

    Raises:
      FolderLockedError: not waiting, and another process holds it.
      FolderError, OSError: it cannot be locked.
    """
    path = state_path(folder, LOCK_NAME, for_writing=True)
    handle = _opened(folder, path)
    is_told = False
    try:
        while not _is_got(path, handle, fcntl.LOCK_EX):
            message = f"{folder} is in use by {_holder(folder)}"
            if not wait:
                raise FolderLockedError(f"{message}; wait for it to end, or stop it")
            if not is_told:
                logger.warning("%s; waiting for it", message)
                is_told = True
            time.sleep(poll_s)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _is_got(path: Path, handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    return True


def _opened(folder: Path, path: Path) -> int:
    """The lock's file, open; made for all who may write to the folder if it is not there."""
    flags = os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        # Not to be made and opened at once: in folders where all may write, systems then refuse
        # the files of others.
        return os.open(path, os.O_RDWR | flags)
    except PermissionError:
        return os.open(path, os.O_RDONLY | flags)
    except FileNotFoundError:
        pass
    # That of the folder for a lock in the user's cache too, though nobody else comes there.
    meant = folder.stat()
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | flags, _mode(meant.st_mode))
    except FileExistsError:
        return os.open(path, os.O_RDONLY | flags)
    with contextlib.suppress(OSError):
        os.fchown(handle, -1, meant.st_gid)
    with contextlib.suppress(OSError):
        os.fchmod(handle, _mode(meant.st_mode))
    return handle


def _mode(folder_mode: int) -> int:
    """Reading and writing for those who may write to the folder."""
    mode = 0o644
    if folder_mode & stat.S_IWGRP:
        mode |= 0o060
    if folder_mode & stat.S_IWOTH:
        mode |= 0o006
    return mode


@contextlib.contextmanager
def _named_holder(folder: Path) -> Iterator[None]:
    """Says who holds the folder. For people, so nothing depends on it."""
    content = {"host": socket.gethostname(), "pid": os.getpid(), "since": time.strftime("%F %T")}
    path = state_path(folder, HOLDER_NAME, for_writing=True)
    with contextlib.suppress(OSError):
        sweep_parts(path.parent)
        write_whole(path, json.dumps(content).encode(), durable=False)
    try:
        yield
    finally:
        # One that a colleague left stays where only owners may remove files.
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _holder(folder: Path) -> str:
    try:
        holder = json.loads(state_path(folder, HOLDER_NAME).read_text())
        return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def holder(folder: Path) -> str | None:
    """Who holds the folder now; None: nobody, or it cannot be told."""
    path = state_path(folder, LOCK_NAME)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        return None if _is_got(path, handle, fcntl.LOCK_SH) else _holder(folder)
    except OSError:
        return None
    finally:
        os.close(handle)
