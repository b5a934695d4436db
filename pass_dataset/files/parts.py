"""What a file is called until it is whole.

Those that are written here go under names of their own, which nobody could have planted; those that
are downloaded keep one name, with which the next run goes on.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
import time
from pathlib import Path

__all__ = ["PART_SUFFIX", "is_part", "new_part", "part_path", "sweep_parts"]

PART_SUFFIX = ".part"
#: ``.<name>.<host>.<process>.<random>.part``. Hidden, as readers ask for files by patterns such as
#: ``data/train-*``; random, so that nobody can be there first.
_PART = re.compile(r"\..+\.(?P<process>\d+)\.[0-9a-f]{8}\.part")
#: Characters of the file's name and of the host's in it: file systems take 255 bytes.
_NAME_CHARACTERS, _HOST_CHARACTERS = 40, 60
#: After so long, what another machine left is taken for left behind.
_ABANDONED_S = 24 * 3600.0


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


def new_part(path: Path) -> Path:
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
