"""Reading and decoding, in threads that run ahead of the detectors."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from pass_dataset.errors import MissingExtraError, PassDatasetError, SourceChangedError
from pass_dataset.images.decoding import decode
from pass_dataset.passify.runs.exclusions import Exclusions
from pass_dataset.passify.runs.outcomes import DECODER_FAILED, EXCLUDED, UNREADABLE
from pass_dataset.passify.sources.source import Reader
from pass_dataset.passify.steps.record import Examined
from pass_dataset.passify.steps.watch import Watch

__all__ = ["Decoding"]

#: Pixels that wait for a detector; images of 500×375 take 0.56 MB. A single image may be larger.
_AHEAD_BYTES = 128 << 20


class Decoding:
    """Reads each image, hashes it and decodes it.

    Pillow and hashing let go of the interpreter, so threads decode while a detector computes.
    """

    def __init__(
        self,
        reader: Reader,
        exclusions: Exclusions,
        max_pixels: int | None,
        threads: int,
        ahead: int,
        stuck: Callable[[int], object] = lambda position: None,
    ) -> None:
        """Args:
        reader: reads the images.
        exclusions: images that must not be looked at.
        max_pixels: larger images are not decoded; None: the decoder's own limit.
        threads: threads to decode in; 0: none of its own, each image when it is asked for.
        ahead: images that may wait decoded.
        stuck: is told the position of an image that takes too long to decode.
        """
        self._reader = reader
        self._exclusions = exclusions
        self._max_pixels = max_pixels
        self._threads = threads
        self._ahead = ahead
        self._stuck = stuck
        self._watch: Watch | None = None
        self.seconds = 0.0

    def run(self, records: Iterable[Examined]) -> Iterator[Examined]:
        self._watch = Watch(self._stuck)
        try:
            yield from self._in_threads(records) if self._threads else map(self._examine, records)
        finally:
            self._watch.close()

    def _in_threads(self, records: Iterable[Examined]) -> Iterator[Examined]:
        room = _Room(_AHEAD_BYTES)
        waiting: deque[Future[Examined]] = deque()
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="decode")
        taken = 0
        try:
            for number, record in enumerate(records):
                waiting.append(pool.submit(room.enter, number, self._examine, record))
                if len(waiting) > self._ahead:
                    yield self._take(room, taken, waiting)
                    taken += 1
            while waiting:
                yield self._take(room, taken, waiting)
                taken += 1
        finally:
            room.close()
            pool.shutdown(wait=True, cancel_futures=True)

    @staticmethod
    def _take(room: _Room, number: int, waiting: deque[Future[Examined]]) -> Examined:
        room.call(number)
        record = waiting.popleft().result()
        room.leave(record)
        return record

    def _examine(self, record: Examined) -> Examined:
        started = time.thread_time()
        result = record.result
        if self._exclusions.has_path(record.item.path):
            result.reason, result.message = EXCLUDED, "named by its path"
            return record
        try:
            data = self._reader.read(record.item)
        except SourceChangedError:
            raise  # nothing to do with this image
        except (OSError, PassDatasetError) as error:
            said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            result.reason, result.message = UNREADABLE, said
            return record
        sha256 = hashlib.sha256(data).hexdigest()
        if result.sha256 not in (None, sha256):
            # What other detectors found is of other bytes.
            result.reason = UNREADABLE
            result.message = (
                f"its bytes have changed while the run was made: SHA-256 {result.sha256}, then "
                f"{sha256}; --retry-failed begins anew with it"
            )
            return record
        result.size_bytes = len(data)
        result.sha256 = sha256
        if result.sha256 in self._exclusions.hashes:
            result.reason, result.message = EXCLUDED, "named by its SHA-256"
            return record
        self._decode(record, data)
        # Threads of one interpreter: the sum loses nothing that matters if two add at once.
        self.seconds += time.thread_time() - started
        return record

    def _decode(self, record: Examined, data: bytes) -> None:
        result = record.result
        assert self._watch is not None
        try:
            with self._watch.over(record.position):
                if self._max_pixels is None:
                    decoded = decode(data)
                else:
                    decoded = decode(data, max_pixels=self._max_pixels)
        except MissingExtraError:
            raise  # nothing to do with this image
        except Exception as error:  # a step turns what goes wrong with an image into its row
            result.reason = DECODER_FAILED
            result.message = f"{type(error).__name__}: {error}"
            return
        result.width, result.height = decoded.width, decoded.height
        if decoded.outcome == "ok":
            record.image = decoded
        else:
            result.reason, result.message = decoded.outcome, decoded.message or None


class _Room:
    """Bounds the bytes of decoded images that wait: threads stand before it until there is room.

    The image that is being waited for always gets in: it would otherwise wait for those behind it.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._called = 0
        self._closed = False
        self._changed = threading.Condition()

    def enter(
        self, number: int, examine: Callable[[Examined], Examined], record: Examined
    ) -> Examined:
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._held_bytes < self._limit_bytes or number <= self._called or self._closed
                )
            )
            if self._closed:
                return record
        examine(record)
        with self._changed:
            self._held_bytes += record.size_bytes
        return record

    def call(self, number: int) -> None:
        with self._changed:
            self._called = number
            self._changed.notify_all()

    def leave(self, record: Examined) -> None:
        with self._changed:
            self._held_bytes -= record.size_bytes
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
