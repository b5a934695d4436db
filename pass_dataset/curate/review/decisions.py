"""The log of a review: one line for each thing that a reviewer did, and none is ever changed.

A line is the checksum of what follows it, a blank, and JSON: its number `n`, when (`at`, UTC), who
(`by`), what (`do`), and what that needs. It is on the disk before whoever did it is told so.

- A server that is killed, or a full disk, may leave a part of a line at the end. Nobody was told
  that it was kept, so it counts for nothing, and the next line gets its number.
- What was sent twice, as a connection was lost before the answer, has the same `id`, and counts
  once.
- A line that is damaged between others is an error: somebody's work would be missing.
"""

from __future__ import annotations

import datetime
import errno
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import xxhash

from pass_dataset.errors import CurationError
from pass_dataset.files.whole import create_new, sync_folder

__all__ = ["DecisionLog", "read_log"]

_DIGEST_CHARACTERS = 16


def _line(content: Mapping[str, Any]) -> bytes:
    text = json.dumps(content, separators=(",", ":")).encode()
    return xxhash.xxh3_64_hexdigest(text).encode() + b" " + text + b"\n"


def _parsed(line: bytes) -> dict[str, Any] | None:
    """What a line says; None if it is not whole."""
    text = line[_DIGEST_CHARACTERS + 1 :]
    if line[:_DIGEST_CHARACTERS] != xxhash.xxh3_64_hexdigest(text).encode():
        return None
    try:
        content: dict[str, Any] = json.loads(text)
    except ValueError:
        return None
    return content


def read_log(path: Path) -> Iterator[dict[str, Any]]:
    """All entries of a log, in order; none if there is no file.

    Raises:
      CurationError: a line between others is damaged or gone, or the file cannot be read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise CurationError(f"{path}: cannot be read: {error.strerror}") from error
    lines = data.split(b"\n")
    last, torn = 0, 0
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        entry = _parsed(line)
        if entry is None:
            torn = number
            continue
        if entry.get("n") != last + 1:
            what = f"line {torn} is damaged" if torn else f"what stood before line {number} is gone"
            raise CurationError(
                f"{path}: {what}: expected decision {last + 1:,} there, found {entry.get('n')}. "
                "Put the file back from a copy"
            )
        last += 1
        yield entry


class DecisionLog:
    """A log that is open for adding. One process at a time has it (`ReviewFolder.held`)."""

    def __init__(self, path: Path) -> None:
        """Opens a log, making it where there is none.

        Raises:
          OSError: it cannot be written.
        """
        self.path = path
        if not path.exists():
            create_new(path)
            sync_folder(path.parent)
        self._handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._lock = threading.Lock()
        self._last = 0
        self._is_broken = False

    def replay(self, apply: Callable[[dict[str, Any]], None]) -> None:
        """Gives all entries, in order; what is added afterwards has the numbers after theirs.

        Raises:
          CurationError: the log is damaged.
        """
        for entry in read_log(self.path):
            self._last = entry["n"]
            apply(entry)

    def add(self, by: str, do: str, **what: Any) -> dict[str, Any]:
        """Adds an entry; it is on the disk when this returns.

        Raises:
          OSError: it cannot be written; then it counts for nothing.
        """
        with self._lock:
            at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
            entry = {"n": self._last + 1, "at": at, "by": by, "do": do, **what}
            self._write(_line(entry))
            self._last += 1
            return entry

    def _write(self, line: bytes) -> None:
        if self._is_broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO), os.fspath(self.path))
        size = os.fstat(self._handle).st_size
        # What a server left that was killed ends with no newline.
        if size and os.pread(self._handle, 1, size - 1) != b"\n":
            line = b"\n" + line
        try:
            if os.write(self._handle, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(self.path))
            os.fsync(self._handle)
        except OSError:
            # Whoever did it is told that it was not kept, so it must not be found later.
            self._is_broken = True
            os.ftruncate(self._handle, size)
            os.fsync(self._handle)
            self._is_broken = False
            raise

    def close(self) -> None:
        """Closes the file."""
        os.close(self._handle)
