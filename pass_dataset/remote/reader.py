"""Bytes of one remote file at any position, read forward over connections that break.

The first request is small, so that the first record is soon there; the next ones are larger, up to
the end of what will be read, so that a server that counts requests has few to count. An answer is
read as it is used: memory holds what is being looked at, and not what was asked for.
"""

from __future__ import annotations

import time

from pass_dataset.downloads.retries import Clock, Failure, HostGate, Passing, Permanent, RetryPolicy
from pass_dataset.downloads.sources import Source, Stream
from pass_dataset.downloads.turns import Standing, Turns
from pass_dataset.releases import ReleaseFile

__all__ = ["RangeReader"]

#: The first request: a few images.
FIRST_BYTES = 1 << 20
_GROWTH = 16
#: Bytes that are rather read past than asked around.
_SKIP_BYTES = 1 << 20
#: Times a server may ignore a range before it counts as one that knows none.
_MAX_IGNORED_RANGES = 3


class RangeReader:
    """Reads one file; a request that fails is made again as the downloader would."""

    def __init__(
        self,
        file: ReleaseFile,
        sources: list[Source],
        *,
        policy: RetryPolicy,
        gate: HostGate,
        stop: int,
        first_bytes: int = FIRST_BYTES,
    ) -> None:
        """Opens nothing yet.

        Args:
          file: what to read.
          sources: places that have it, in the order to be asked.
          policy: how patient to be.
          gate: when each host may be asked again.
          stop: one past the last byte that will be read, as far as is known: beyond it, no more
            is asked for than is read.
          first_bytes: size of the first request.

        Raises:
          DownloadError: there is no source.
        """
        self.file = file
        self._turns = Turns(file.filename, sources, policy, Clock(), gate, _sleep)
        self._stop = stop
        self._ask_bytes = first_bytes
        self._buffer = bytearray()
        self._start = 0
        self._stream: Stream | None = None
        self._standing = self._turns.next()
        self._asked_start = self._asked_stop = 0

    @property
    def _end(self) -> int:
        return self._start + len(self._buffer)

    def read(self, size_bytes: int, position: int) -> bytes:
        """Bytes of the file, fewer only at its end; earlier ones may be read until `forget`.

        Raises:
          DownloadError: they cannot be had.
        """
        stop = min(position + size_bytes, self.file.size_bytes)
        if stop <= position:
            return b""
        is_near = self._start <= position <= self._end + _SKIP_BYTES
        if not is_near or (self._stream is None and position > self._end):
            self._drop(position)
        while self._end < stop:
            self._receive(stop)
        begin = position - self._start
        return bytes(memoryview(self._buffer)[begin : begin + stop - position])

    def forget(self, position: int) -> None:
        """Frees what is before a position."""
        size_bytes = min(position, self._end) - self._start
        if size_bytes > 0:
            del self._buffer[:size_bytes]
            self._start += size_bytes

    def distrust(self) -> None:
        """Drops the bytes at hand, which make no sense, and asks another source first if any."""
        self._turns.demote(self._standing)
        self._drop(self._start)

    def close(self) -> None:
        """Lets go of the connection; reading opens a new one."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _drop(self, position: int) -> None:
        self.close()
        self._buffer.clear()
        self._start = position

    def _receive(self, needed: int) -> None:
        """Adds some bytes to those at hand; after a failure none, once the next try is due."""
        try:
            if self._stream is None:
                self._stream = self._opened(needed)
            data = self._stream.read()
            if not data:
                raise Passing(f"ended {self._asked_stop - self._end:,} bytes early")
        except Failure as failure:
            self.close()
            self._turns.failed(self._standing, failure, progressed=self._end > self._asked_start)
            return
        self._buffer += data[: self._asked_stop - self._end]
        self._turns.succeeded()
        if self._end >= self._asked_stop:
            # Read to its end, so the connection stays open for the next request.
            self.close()

    def _opened(self, needed: int) -> Stream:
        standing = self._standing = self._turns.next()
        start = self._asked_start = self._end
        self._asked_stop = max(needed, min(start + self._ask_bytes, self._stop))
        self._asked_stop = min(self._asked_stop, self.file.size_bytes)
        stream = standing.source.open(start, self._asked_stop)
        try:
            self._skip(standing, stream, start)
        except BaseException:
            stream.close()
            raise
        self._ask_bytes *= _GROWTH
        return stream

    def _skip(self, standing: Standing, stream: Stream, start: int) -> None:
        """Comes to the first byte wanted, where a server sends the file from its first byte on."""
        if stream.start == start:
            standing.ignored_ranges = 0
            return
        standing.ignored_ranges += 1
        if standing.ignored_ranges > _MAX_IGNORED_RANGES:
            raise Permanent(
                "does not serve byte ranges, which streaming needs; use a server that does, or "
                "fetch the archives with pass-dataset download"
            )
        raise Passing("HTTP 200: the byte range was ignored")


def _sleep(delay_s: float) -> bool:
    time.sleep(delay_s)
    return False
