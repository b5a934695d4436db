"""One file, from whatever sources there are, until it is whole: the loop of tries."""

from __future__ import annotations

import errno
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pass_dataset.downloads.partfile import PartFile
from pass_dataset.downloads.retries import (
    Clock,
    Failure,
    HostGate,
    Misfit,
    Passing,
    RetryPolicy,
)
from pass_dataset.downloads.sources import Source, Stream
from pass_dataset.errors import DiskSpaceError, DownloadError
from pass_dataset.progress import Task
from pass_dataset.releases import ReleaseFile

__all__ = ["Stopped", "Transfer"]

logger = logging.getLogger(__name__)

#: A server that ignores Range makes us read again what we have. Below this it is cheaper to do so
#: than to ask again; above, we ask this many times first.
_CHEAP_SKIP_BYTES = 1 << 20
_IGNORED_RANGES_BEFORE_SKIP = 3
#: Times the whole file, fetched from its first byte, may have the wrong hash.
_MAX_WRONG_WHOLES = 3


class Stopped(Exception):
    """The download was asked to stop; the part file is in order."""


@dataclass
class _Standing:
    """How a source has done so far."""

    source: Source
    failures: int = 0
    misfits: int = 0
    ignored_ranges: int = 0
    last: str = ""


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
        self._standings = [_Standing(source) for source in self.sources]
        self._latest: _Standing | None = None
        if not self._standings:
            raise DownloadError(
                f"{self.file.filename}: is published nowhere; give a mirror, or a folder that has "
                "it (--mirror, --from)"
            )
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
        failures = wrong_wholes = 0
        while True:
            if part.missing_bytes == 0:
                if self.file.fits(part.hexdigest()):
                    part.commit()
                    return
                wrong_wholes += self._take_back(part)
                if wrong_wholes >= _MAX_WRONG_WHOLES:
                    part.discard()
                    raise self._given_up(f"wrong bytes {wrong_wholes} times")
            standing = self._latest = self._next()
            before = part.size_bytes
            failure = self._try(standing, part)
            if failure is None:
                failures = 0
                continue
            failures = 1 if part.size_bytes > before else failures + 1
            standing.last = str(failure)
            if self._is_hopeless(standing, failure):
                self._leave_out(standing)
                continue
            if failures >= self.policy.max_failures:
                raise self._given_up(f"no progress in {failures} tries")
            self._give_way(standing, progressed=part.size_bytes > before)
            self._wait(standing, failure, failures)

    def _next(self) -> _Standing:
        """The first source whose host may be asked now, or soonest."""
        return min(self._standings, key=lambda item: self.gate.wait_s(item.source.host))

    def _try(self, standing: _Standing, part: PartFile) -> Failure | None:
        """One request; None when the file has all its bytes afterwards."""
        # Another connection may have been told to wait since this one chose.
        if self.sleep(self.gate.wait_s(standing.source.host)):
            raise Stopped
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
        while part.missing_bytes:
            data = self._read(stream)
            if not data:
                raise Passing(f"ended {part.missing_bytes:,} bytes early")
            part.append(data)

    def _read(self, stream: Stream) -> bytes:
        data = stream.read()
        self.received_bytes += len(data)
        return data

    def _skip(self, standing: _Standing, stream: Stream, part: PartFile) -> None:
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

    def _is_hopeless(self, standing: _Standing, failure: Failure) -> bool:
        """True if this source is not to be asked again for this file."""
        if isinstance(failure, Misfit):
            standing.misfits += 1
            return standing.misfits >= self.policy.max_misfits
        if isinstance(failure, Passing):
            return (failure.retry_after_s or 0.0) > self.policy.max_retry_after_s
        return True

    def _give_way(self, standing: _Standing, *, progressed: bool) -> None:
        """Lets the next source have a turn after some failures without progress."""
        standing.failures = 1 if progressed else standing.failures + 1
        if standing.failures >= self.policy.failures_per_source:
            standing.failures = 0
            self._demote(standing)

    def _demote(self, standing: _Standing) -> None:
        self._standings.remove(standing)
        self._standings.append(standing)

    def _leave_out(self, standing: _Standing) -> None:
        logger.warning("%s: %s: %s", self.file.filename, standing.source, standing.last)
        if len(self._standings) == 1:
            raise self._given_up("no source is left")
        self._standings.remove(standing)

    def _take_back(self, part: PartFile) -> int:
        """Drops the latest bytes of a whole file that is wrong; 1 if nothing is left of it."""
        had = part.size_bytes
        left = part.roll_back()
        standing = self._latest or self._standings[0]
        standing.last = "wrong bytes: the SHA-256 of the whole file is not that of the release"
        logger.warning(
            "%s: wrong SHA-256 with %s; fetching the last %s bytes again",
            self.file.filename,
            standing.source,
            f"{had - left:,}",
        )
        self._demote(standing)
        return int(left == 0)

    def _wait(self, standing: _Standing, failure: Failure, failures: int) -> None:
        if isinstance(failure, Passing) and failure.retry_after_s is not None:
            # The whole host asked for quiet, so the other connections keep it too.
            self.gate.close(standing.source.host, failure.retry_after_s)
        host_s = self.gate.wait_s(self._next().source.host)
        delay_s = max(self.policy.delay_s(failures, self.clock.jitter()), host_s)
        logger.info(
            "%s: %s: %s; next try in %.0f s (%d of %d without progress)",
            self.file.filename,
            standing.source,
            failure,
            delay_s,
            failures,
            self.policy.max_failures,
        )
        if self.sleep(delay_s):
            raise Stopped

    def _given_up(self, why: str) -> DownloadError:
        seen = "; ".join(f"{item.source}: {item.last}" for item in self._standings if item.last)
        return DownloadError(f"{self.file.filename}: {why} ({seen})")

    def _disk_error(self, error: OSError) -> DownloadError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DiskSpaceError(
                f"{self.file.filename}: the disk of {self.path.parent} is full; what was fetched "
                "is kept, free some room and run again"
            )
        return DownloadError(f"{self.file.filename}: {self.path.parent}: {error}")
