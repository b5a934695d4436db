"""The lock of a folder: one process at a time changes it, and the others are told who does."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from pass_dataset.errors import FolderLockedError
from pass_dataset.files import sweep_parts, write_whole
from pass_dataset.folders.state import HOLDER_NAME, LOCK_NAME, state_path

__all__ = ["hold", "holder"]

logger = logging.getLogger(__name__)


#: Folders that this thread holds: what it calls meanwhile need not wait for it.
_held = threading.local()


@contextlib.contextmanager
def hold(folder: Path, *, wait: bool = True, poll_s: float = 0.5) -> Iterator[None]:
    """Holds the folder for changing it; the system lets go of it however the process ends.

    Who holds it already goes on holding it: a build may write into the folder of its archives.

    Args:
      folder: an existing folder.
      wait: wait for another holder (saying who it is), or raise at once.
      poll_s: seconds between tries.

    Raises:
      FolderLockedError: not waiting, and another process holds the folder.
    """
    mine = _held.__dict__.setdefault("folders", set())
    key = (os.getpid(), folder.resolve())
    if key in mine:
        yield
        return
    with _holding(folder, wait, poll_s):
        mine.add(key)
        try:
            yield
        finally:
            mine.discard(key)


@contextlib.contextmanager
def _holding(folder: Path, wait: bool, poll_s: float) -> Iterator[None]:
    # Readers lock nothing, and each process of a build or a training would load it.
    import filelock

    lock = filelock.FileLock(state_path(folder, LOCK_NAME, for_writing=True))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        message = f"{folder} is in use by {_holder(folder)}"
        if not wait:
            raise FolderLockedError(f"{message}; wait for it to end, or stop it") from None
        logger.warning("%s; waiting for it", message)
        lock.acquire(poll_interval=poll_s)
    holder = {"host": socket.gethostname(), "pid": os.getpid(), "since": time.strftime("%F %T")}
    holder_path = state_path(folder, HOLDER_NAME, for_writing=True)
    try:
        sweep_parts(holder_path.parent)
        # For people, and of no use after a power cut.
        write_whole(holder_path, json.dumps(holder).encode(), durable=False)
        yield
    finally:
        holder_path.unlink(missing_ok=True)
        lock.release()


def _holder(folder: Path) -> str:
    try:
        holder = json.loads(state_path(folder, HOLDER_NAME).read_text())
        return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def holder(folder: Path) -> str | None:
    """Who holds the folder now; None: nobody."""
    path = state_path(folder, LOCK_NAME)
    if not path.exists():
        return None
    # As above.
    import filelock

    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return _holder(folder)
    except OSError:
        return None  # it may not be written here, so nobody works on it from here
    lock.release()
    return None
