"""The file a download grows in: appended to, hashed as it grows, named only once it is right."""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.files.hashing import read_blocks
from pass_dataset.files.parts import part_path
from pass_dataset.files.whole import rename_lasting

__all__ = ["PartFile"]

#: Chunks waiting to be hashed: enough to ride out a slow write, little memory (16 × 1 MiB).
_QUEUE_CHUNKS = 16


class _Hasher:
    """SHA-256 on a thread of its own, so that hashing and receiving use two cores."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._chunks: queue.Queue[bytes | None] = queue.Queue(_QUEUE_CHUNKS)
        self._thread = threading.Thread(target=self._work, name="sha256", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (chunk := self._chunks.get()) is not None:
            self._digest.update(chunk)
            self._chunks.task_done()

    def update(self, chunk: bytes) -> None:
        self._chunks.put(chunk)

    def state(self) -> hashlib._Hash:
        """A copy of the digest of all bytes so far."""
        self._chunks.join()
        return self._digest.copy()

    def restore(self, state: hashlib._Hash) -> None:
        self._chunks.join()
        self._digest = state.copy()

    def close(self) -> None:
        self._chunks.put(None)
        self._thread.join()


@dataclass(frozen=True)
class _Checkpoint:
    """A length of the file and the digest of the bytes up to it."""

    size_bytes: int
    state: hashlib._Hash


class PartFile:
    """``<name>.part``: bytes from the start of the file, in order, never more than are expected.

    Every write reaches the operating system at once, so a killed process loses nothing it wrote.
    Where each answer of a server began is remembered: if the whole turns out wrong, the last
    answers are taken back first, as wrong bytes mostly come from the latest source.
    """

    def __init__(
        self, path: Path, expected_bytes: int, advance: Callable[[int], None] = lambda amount: None
    ) -> None:
        """Opens the part file, hashing what is there.

        Args:
          path: final name.
          expected_bytes: size of the whole.
          advance: told the bytes that become (or, negative, cease to be) part of the file.
        """
        self.path = path
        self.part_path = part_path(path)
        self.expected_bytes = expected_bytes
        self._advance = advance
        self._file = self.part_path.open("ab", buffering=0)
        self._hasher = _Hasher()
        self._rollbacks = 0
        self.size_bytes = 0
        self._checkpoints = [_Checkpoint(0, self._hasher.state())]
        if self.part_path.stat().st_size > expected_bytes:
            self._file.truncate(expected_bytes)
        for block in read_blocks(self.part_path):
            self._count(block)

    def _count(self, data: bytes) -> None:
        self._hasher.update(data)
        self.size_bytes += len(data)
        self._advance(len(data))

    @property
    def missing_bytes(self) -> int:
        return self.expected_bytes - self.size_bytes

    def append(self, data: bytes) -> None:
        """Adds bytes at the end; those past the expected size are dropped."""
        rest = memoryview(data)[: self.missing_bytes]
        kept = bytes(rest) if len(rest) < len(data) else data
        while rest:
            rest = rest[self._file.write(rest) or 0 :]
        self._count(kept)

    def mark(self) -> None:
        """Remembers that a new answer begins here."""
        if self._checkpoints[-1].size_bytes < self.size_bytes:
            self._checkpoints.append(_Checkpoint(self.size_bytes, self._hasher.state()))

    def hexdigest(self) -> str:
        return self._hasher.state().hexdigest()

    def roll_back(self) -> int:
        """Takes back the last answer; the next times the last two, four, … of those left.

        Returns:
          The size that is left, in bytes; 0 when everything was taken back.
        """
        keep = max(0, len(self._checkpoints) - (1 << self._rollbacks))
        if self._checkpoints[keep].size_bytes == self.size_bytes and keep > 0:
            keep -= 1
        self._rollbacks += 1
        return self._return_to(keep)

    def take_back_answer(self) -> None:
        """Takes back what came since `mark`: it is known to be no part of the file."""
        self._return_to(len(self._checkpoints) - 1)

    def _return_to(self, keep: int) -> int:
        """Takes back what came after a checkpoint; returns the size that is left."""
        point = self._checkpoints[keep]
        del self._checkpoints[keep + 1 :]
        self._file.truncate(point.size_bytes)
        self._hasher.restore(point.state)
        self._advance(point.size_bytes - self.size_bytes)
        self.size_bytes = point.size_bytes
        return point.size_bytes

    def commit(self) -> None:
        """Gives the file its final name; call it only when size and hash are right."""
        self._file.close()
        rename_lasting(self.part_path, self.path)

    def discard(self) -> None:
        """Removes the part file: its bytes are known to be wrong."""
        self._file.close()
        self.part_path.unlink(missing_ok=True)

    def close(self) -> None:
        """Lets go of file and thread; what was written stays for the next run."""
        self._file.close()
        self._hasher.close()
