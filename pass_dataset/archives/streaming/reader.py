"""Bytes of one remote file at any position, read forward over connections that break.

The first request is small, so that the first record is soon there; the next ones are larger, so
that a server that counts requests has few to count. An answer is read to its end before anything
else is done: no connection stays open while its bytes are looked at, so that the many readers of a
shuffled stream take turns with one.
"""

from __future__ import annotations

import threading
import time

from pass_dataset.downloads.retries import Clock, Failure, HostGate, Passing, Permanent, RetryPolicy
from pass_dataset.downloads.sources import Source, Stream
from pass_dataset.downloads.turns import Standing, Turns
from pass_dataset.releases.release import ReleaseFile

__all__ = ["FIRST_BYTES", "MOST_BYTES", "RangeReader"]

#: The first request: a few images. The largest: what a reader may hold in memory.
FIRST_BYTES, MOST_BYTES = 1 << 20, 8 << 20
_GROWTH = 4
#: A request may be so many times as large if it is the last one then.
_MOST_OVER = 1.25
#: Bytes that are rather read past than asked around.
_SKIP_BYTES = 1 << 20
#: Times a server may ignore a range before it counts as one that knows none.
_MAX_IGNORED_RANGES = 3


class RangeReader:
    """Reads one file; a request that fails is made again as the downloader would.

    Attributes:
      file: the file.
      stop: one past the last byte that will be read, as far as is known.
      ask_bytes: size of the next request.
      memory: what the bytes are read into.
    """

    def __init__(
        self,
        file: ReleaseFile,
        sources: list[Source],
        *,
        policy: RetryPolicy,
        gate: HostGate,
        connection: threading.Lock,
        stop: int,
        first_bytes: int = FIRST_BYTES,
        memory: bytearray | None = None,
    ) -> None:
        """Opens nothing yet.

        Args:
          file: what to read.
          sources: places that have it, in the order to be asked.
          policy: how patient to be.
          gate: when each host may be asked again.
          connection: held during each request, by all readers that are to take turns.
          stop: one past the last byte that will be read, as far as is known: beyond it, no more
            is asked for than is read.
          first_bytes: size of the first request.
          memory: of a reader that is done with; more is taken when it does not suffice.

        Raises:
          DownloadError: there is no source.
        """
        self.file = file
        self.stop = stop
        self.ask_bytes = first_bytes
        self.memory = bytearray() if memory is None else memory
        self._sources, self._policy, self._gate = sources, policy, gate
        self._connection = connection
        #: What is at hand: of the memory, from one place to another, and where it is in the file.
        self._first, self._last, self._start = 0, 0, 0
        self.begin_again()

    def begin_again(self) -> None:
        """Forgets how its sources did: how often they may fail is reckoned from here."""
        turns = Turns(self.file.filename, self._sources, self._policy, Clock(), self._gate, _sleep)
        self._turns = turns
        self._latest: Standing | None = None

    @property
    def _end(self) -> int:
        return self._start + self._last - self._first

    def read(self, size_bytes: int, position: int) -> bytes:
        """Bytes of the file, fewer only at its end; earlier ones may be read until `forget`.

        Raises:
          DownloadError: they cannot be had.
        """
        return bytes(self.view(size_bytes, position))

    def view(self, size_bytes: int, position: int) -> memoryview:
        """The same where they lie, until the next call of any kind.

        Raises:
          DownloadError: they cannot be had.
        """
        stop = min(position + size_bytes, self.file.size_bytes)
        if stop <= position:
            return memoryview(b"")
        is_near = self._start <= position <= self._end + _SKIP_BYTES
        if not is_near or self._first == self._last:
            self._drop(position)
        while self._end < stop:
            self._fetch(stop)
        begin = self._first + position - self._start
        return memoryview(self.memory)[begin : begin + stop - position]

    def read_held(self, memory: bytearray, position: int) -> int:
        """Fills memory if all its bytes are at hand.

        Returns:
          Their number; else 0.
        """
        first = self._first + position - self._start
        last = first + len(memory)
        if position < self._start or last > self._last:
            return 0
        memory[:] = self.memory[first:last]
        return len(memory)

    def forget(self, position: int) -> None:
        """Frees what is before a position."""
        size_bytes = min(position, self._end) - self._start
        if size_bytes > 0:
            self._first += size_bytes
            self._start += size_bytes

    def distrust(self) -> None:
        """Drops the bytes at hand, which make no sense, and asks another source first if any."""
        if self._latest is not None:
            self._turns.demote(self._latest)
        self._drop(self._start)

    def _drop(self, position: int) -> None:
        self._first = self._last = 0
        self._start = position

    def _make_room(self, size_bytes: int) -> memoryview:
        """Memory for the bytes that come after those at hand."""
        if self._last + size_bytes > len(self.memory):
            kept = self._last - self._first
            # The same memory again where that is possible: of new memory each page costs a fault.
            memory = self.memory
            if kept + size_bytes > len(memory):
                memory = bytearray(kept + size_bytes)
            memory[:kept] = self.memory[self._first : self._last]
            self.memory, self._first, self._last = memory, 0, kept
        return memoryview(self.memory)[self._last : self._last + size_bytes]

    def _fetch(self, needed: int) -> None:
        """Asks for the next bytes; after a failure with fewer of them, once a new try is due."""
        before = self._end
        standing = self._latest = self._turns.next()
        try:
            with self._connection:
                self._request(standing, needed)
        except Failure as failure:
            self._turns.failed(standing, failure, gained_bytes=self._end - before)
        else:
            self._turns.succeeded()

    def _request(self, standing: Standing, needed: int) -> None:
        start = self._end
        stop = max(needed, min(self._asked_until(start), self.stop, self.file.size_bytes))
        stream = standing.source.open(start, stop)
        try:
            self._check_start(standing, stream, start)
            self.ask_bytes = min(self.ask_bytes * _GROWTH, MOST_BYTES)
            room = self._make_room(stop - start)
            while self._end < stop:
                size_bytes = stream.read_into(room[self._end - start :])
                if not size_bytes:
                    raise Passing(f"ended {stop - self._end:,} bytes early")
                self._last += size_bytes
        finally:
            stream.close()

    def _asked_until(self, start: int) -> int:
        """Where a request ends; what would be left over for a small one comes with it."""
        is_nearly_all = self.stop - start <= self.ask_bytes * _MOST_OVER
        return self.stop if is_nearly_all else start + self.ask_bytes

    def _check_start(self, standing: Standing, stream: Stream, start: int) -> None:
        """Refuses what a server sends that knows no ranges: the file from its first byte on."""
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
    if delay_s > 0:
        time.sleep(delay_s)
    return False
