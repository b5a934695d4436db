"""What is fetched of a shard so far: a file that only grows, with a receipt for each photograph.

    "PASSPOOL" version boot    of the file
    length check receipt body  of each photograph, in the order in which they were done

A photograph is written by one call when all of it is there, so whoever is killed loses what was in
flight. What a killed process left half written is cut off; after a power cut, when bytes may be
missing in the middle, all bodies are hashed first.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import xxhash

from pass_dataset.errors import CurationError, DiskSpaceError

__all__ = ["Receipt", "Spool"]

_MAGIC = b"PASSPOOL\x00\x00\x00\x01"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_BOOT_BYTES = 36
_HEAD = struct.Struct("<IQ")
#: Receipts are some hundred bytes.
_MOST_RECEIPT_BYTES = 1 << 16


class Receipt(NamedTuple):
    """What became of a photograph.

    Attributes:
      row: of the ledger.
      cause: why it goes no further; None: it is kept.
      status: of HTTP, of the answer that decided; None: there was none, or it was a file.
      source: the place that gave it, or that decided.
      size_bytes: of what the place gave, where that was an image.
      sha256: of that.
      is_kept: its bytes follow.
      tries: requests that were made for it.
      said: what was seen, for people; empty where all went well.
    """

    row: int
    cause: str | None
    status: int | None
    source: str | None
    size_bytes: int | None
    sha256: str | None
    is_kept: bool
    tries: int
    said: str


class Spool:
    """The file of a shard, open for what is still to come; use it as a context manager.

    Attributes:
      receipts: of the photographs that are done, by row.
    """

    def __init__(self, path: Path) -> None:
        """Opens it, or makes it.

        Raises:
          DiskSpaceError: the disk is full.
          CurationError: it is of another kind.
          OSError: it cannot be read or written.
        """
        self.path = path
        self.receipts: dict[int, Receipt] = {}
        self._places: dict[int, int] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.open(path, flags, 0o666)
        try:
            self._hold()
            self._end = self._read()
            os.ftruncate(self._file, self._end)
            if not self._end:
                self._append(_MAGIC, _boot())
        except BaseException:
            os.close(self._file)
            raise

    def _hold(self) -> None:
        """One process at a time: a task of a cluster may still be at it that nobody waits for."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CurationError(
                f"{self.path}: another process fetches this shard; wait for it, or end it"
            ) from None
        except OSError:
            pass  # some file systems keep no locks

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; what it has stays."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def add(self, receipt: Receipt, body: bytes = b"") -> None:
        """Writes a photograph that is done.

        Raises:
          DiskSpaceError: the disk is full; nothing of it is written.
          OSError: it cannot be written.
        """
        text = json.dumps(receipt, separators=(",", ":")).encode()
        place = self._end + _HEAD.size + len(text)
        self._append(_HEAD.pack(len(text), xxhash.xxh3_64_intdigest(text)), text, body)
        self._note(receipt, place)

    def body(self, row: int) -> bytes:
        """The bytes of a photograph that is kept. Raises OSError."""
        size_bytes = self.receipts[row].size_bytes or 0
        body = os.pread(self._file, size_bytes, self._places[row])
        if len(body) < size_bytes:
            raise CurationError(f"{self.path}: became shorter; run the step again")
        return body

    def _note(self, receipt: Receipt, place: int) -> None:
        self.receipts[receipt.row] = receipt
        self._places[receipt.row] = place

    def _append(self, *pieces: bytes) -> None:
        size_bytes = sum(map(len, pieces))
        try:
            written = os.pwritev(self._file, pieces, self._end)
            if written < size_bytes:  # a disk that is nearly full, or a body of gigabytes
                left = b"".join(pieces)[written:]
                while left:
                    more = os.pwrite(self._file, left, self._end + written)
                    written, left = written + more, left[more:]
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._end)
            raise disk_error(self.path, error) from error
        self._end += size_bytes

    def _read(self) -> int:
        """Reads receipts; returns where the last one that is whole ends."""
        size = os.fstat(self._file).st_size
        start = len(_MAGIC) + _BOOT_BYTES
        head = os.pread(self._file, start, 0)
        if not _MAGIC.startswith(head[: len(_MAGIC)]):
            raise CurationError(
                f"{self.path}: expected photographs that were fetched, found another file; move it "
                "away and go on"
            )
        if len(head) < start:
            return 0
        # Written since this machine was started: a process may have been killed, no power was cut.
        is_trusted = head[len(_MAGIC) :] == _boot() != bytes(_BOOT_BYTES)
        end = start
        for receipt, place, stop in self._entries(start, size):
            if receipt.is_kept and not (is_trusted or self._fits(receipt, place)):
                break
            self._note(receipt, place)
            end = stop
        return end

    def _entries(self, start: int, size: int) -> Iterator[tuple[Receipt, int, int]]:
        while True:
            head = os.pread(self._file, _HEAD.size, start)
            if len(head) < _HEAD.size:
                return
            length, check = _HEAD.unpack(head)
            text = os.pread(self._file, min(length, _MOST_RECEIPT_BYTES), start + _HEAD.size)
            if xxhash.xxh3_64_intdigest(text) != check:
                return
            try:
                receipt = Receipt(*json.loads(text))
            except (ValueError, TypeError):
                return
            place = start + _HEAD.size + length
            start = place + (receipt.size_bytes or 0 if receipt.is_kept else 0)
            if start > size:
                return
            yield receipt, place, start

    def _fits(self, receipt: Receipt, place: int) -> bool:
        body = os.pread(self._file, receipt.size_bytes or 0, place)
        return hashlib.sha256(body).hexdigest() == receipt.sha256


def disk_error(path: Path, error: OSError) -> Exception:
    """What an error of writing is to be told as."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskSpaceError(
            f"{path}: the disk is full; what was fetched is kept, free some room and run again"
        )
    return error


def _boot() -> bytes:
    """Which start of which machine this is; zeros where it cannot be told."""
    with contextlib.suppress(OSError):
        return _BOOT.read_bytes().strip()[:_BOOT_BYTES].ljust(_BOOT_BYTES, b"\0")
    return bytes(_BOOT_BYTES)
