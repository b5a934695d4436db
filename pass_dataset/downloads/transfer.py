"""One file, from whatever sources there are, until it is whole: the loop of tries."""

from __future__ import annotations

import errno
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pass_dataset.downloads.partfile import PartFile
from pass_dataset.downloads.retries import Clock, Failure, HostGate, Misfit, Passing, RetryPolicy
from pass_dataset.downloads.sources import Source, Stream
from pass_dataset.downloads.turns import Standing, Stopped, Turns
from pass_dataset.errors import DiskSpaceError, DownloadError
from pass_dataset.progress import Task
from pass_dataset.releases.release import ReleaseFile

__all__ = ["Transfer"]

logger = logging.getLogger(__name__)

#: A server that ignores Range makes us read again what we have. Below this it is cheaper to do so
#: than to ask again; above, we ask this many times first.
_CHEAP_SKIP_BYTES = 1 << 20
_IGNORED_RANGES_BEFORE_SKIP = 3
#: Times the whole file, fetched from its first byte, may have the wrong hash.
_MAX_WRONG_WHOLES = 3


@dataclass
class Transfer:
    """Fetches one file.

    Attributes:
      file: what to fetch.
      path: its final name.
      sources: places to ask, in order.
      policy, clock, gate: when to try again.
      sleep: waits some seconds; returns True if the download was stopped meanwhile.
      stopped: True once the download is to stop.
      task: line of progress.
    """

    file: ReleaseFile
    path: Path
    sources: list[Source]
    policy: RetryPolicy
    clock: Clock
    gate: HostGate
    sleep: Callable[[float], bool]
    stopped: Callable[[], bool]
    task: Task
    received_bytes: int = field(default=0, init=False)

    def run(self) -> None:
        """Returns once the file is whole under its final name.

        Raises:
          DownloadError: no source is left, or no progress after repeated failures. What was
            fetched stays in the part file unless it is known to be wrong.
          DiskSpaceError: the disk is full.
          Stopped: asked to stop.
        """
        self._turns = Turns(
            self.file.filename, self.sources, self.policy, self.clock, self.gate, self.sleep
        )
        self._latest: Standing | None = None
        try:
            part = PartFile(self.path, self.file.size_bytes, self._advance)
        except OSError as error:
            raise self._disk_error(error) from error
        try:
            self._fill(part)
        except OSError as error:
            raise self._disk_error(error) from error
        finally:
            part.close()

    def _advance(self, amount: int) -> None:
        if self.stopped():
            raise Stopped
        self.task.advance(amount)

    def _fill(self, part: PartFile) -> None:
        wrong_wholes = 0
        while True:
            if part.missing_bytes == 0:
                if self.file.fits(part.hexdigest()):
                    part.commit()
                    return
                wrong_wholes += self._take_back(part)
                if wrong_wholes >= _MAX_WRONG_WHOLES:
                    part.discard()
                    raise self._turns.given_up(f"wrong bytes {wrong_wholes} times")
            standing = self._latest = self._turns.next()
            before = part.size_bytes
            failure = self._try(standing, part)
            standing.brought_bytes += max(0, part.size_bytes - before)
            if failure is None:
                self._turns.succeeded()
            else:
                self._turns.failed(standing, failure, gained_bytes=part.size_bytes - before)

    def _try(self, standing: Standing, part: PartFile) -> Failure | None:
        """One request; None when the file has all its bytes afterwards."""
        try:
            stream = standing.source.open(part.size_bytes)
            part.mark()
            try:
                if stream.start < part.size_bytes:
                    self._skip(standing, stream, part)
                else:
                    standing.ignored_ranges = 0
                self._receive(stream, part)
            finally:
                stream.close()
        except Failure as failure:
            return failure
        return None

    def _receive(self, stream: Stream, part: PartFile) -> None:
        received = 0
        while part.missing_bytes:
            data = self._read(stream)
            if not data:
                raise self._early_end(stream, part, received)
            received += len(data)
            part.append(data)

    @staticmethod
    def _early_end(stream: Stream, part: PartFile, received: int) -> Failure:
        """What it means that a body has ended, and that without an error of the connection.

        A short page of a rate limit, in JSON or plain text, ends so too. Taken for the beginning of
        the file it would be found out only by the hash of the whole.
        """
        missing = part.missing_bytes
        # Without a measure and a mark a broken connection looks alike; little is lost with little.
        if stream.is_measured or not (stream.has_end_mark or received <= _CHEAP_SKIP_BYTES):
            return Passing(f"ended {missing:,} bytes early")
        part.take_back_answer()
        return Passing(
            f"sent {received:,} bytes in place of the file, {missing:,} fewer than it has"
        )

    def _read(self, stream: Stream) -> bytes:
        data = stream.read()
        self.received_bytes += len(data)
        return data

    def _skip(self, standing: Standing, stream: Stream, part: PartFile) -> None:
        """Reads past what we have, for a server that knows no ranges."""
        standing.ignored_ranges += 1
        if (
            part.size_bytes > _CHEAP_SKIP_BYTES
            and standing.ignored_ranges <= _IGNORED_RANGES_BEFORE_SKIP
        ):
            raise Passing("HTTP 200: the byte range was ignored")
        digest = hashlib.sha256()
        rest, left = b"", part.size_bytes
        while left:
            data = self._read(stream)
            if not data:
                raise Passing("ended before the bytes that are missing")
            if self.stopped():
                raise Stopped
            digest.update(data[:left])
            rest = data[left:]
            left -= min(left, len(data))
        if digest.hexdigest() != part.hexdigest():
            raise Misfit("its first bytes are not those fetched before")
        part.append(rest)

    def _take_back(self, part: PartFile) -> int:
        """Drops the latest bytes of a whole file that is wrong; 1 if nothing is left of it."""
        had = part.size_bytes
        left = part.roll_back()
        standing = self._latest or self._turns.next()
        standing.last = "wrong bytes: the SHA-256 of the whole file is not that of the release"
        logger.warning(
            "%s: wrong SHA-256 with %s; fetching the last %s bytes again",
            self.file.filename,
            standing.source,
            f"{had - left:,}",
        )
        if left:
            self._turns.demote(standing)
        else:
            self._turns.mistrust()
        return int(left == 0)

    def _disk_error(self, error: OSError) -> DownloadError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DiskSpaceError(
                f"{self.file.filename}: the disk of {self.path.parent} is full; what was fetched "
                "is kept, free some room and run again"
            )
        return DownloadError(f"{self.file.filename}: {self.path.parent}: {error}")
