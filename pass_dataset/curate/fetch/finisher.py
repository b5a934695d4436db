"""Shards that are settled become tars in a thread beside the loop."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

from pass_dataset.curate.fetch.shard import Shard
from pass_dataset.downloads.turns import Stopped

__all__ = ["Finisher"]


class Finisher:
    """Makes tars of shards; use it as a context manager, which waits for those under way.

    After an error of the loop what is under way stops, and spools stay.
    """

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._open: set[Shard] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tar")
        self._futures: list[Future[None]] = []

    def __enter__(self) -> Finisher:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None:
            self._stop.set()
        try:
            self._thread.shutdown(wait=True, cancel_futures=kind is not None)
        finally:
            self._stop.set()
            for shard in self._open:
                shard.close()
        if kind is None:
            self._heed()

    def opened(self, shard: Shard) -> None:
        """Tells of a shard whose spool is open."""
        self._open.add(shard)

    def settled(self, shard: Shard) -> None:
        """A shard for which nothing more is to be done now: without one left, it becomes a tar.

        Raises:
          OSError, PassDatasetError: of a shard before it.
        """
        self._heed()
        if shard.left:
            self._open.discard(shard)
            shard.close()
            return
        if len(self._futures) > 1:
            # No more room than for these is taken besides.
            self._futures[0].result()
        self._futures.append(self._thread.submit(self._finish, shard))

    def _finish(self, shard: Shard) -> None:
        shard.finish(self._check)
        self._open.discard(shard)

    def _check(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def _heed(self) -> None:
        """Raises what went wrong."""
        while self._futures and self._futures[0].done():
            self._futures.pop(0).result()
