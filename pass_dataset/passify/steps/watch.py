"""A look at the threads that decode: decoders are C code, which nothing ends but its process."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

__all__ = ["LIMIT_S", "Watch"]

#: Time of one processor that an image may take. The slowest at hand, noise of 67 million pixels in
#: JPEG 2000, takes 71 s.
LIMIT_S = 300.0
#: How often is looked.
_LOOK_S = 0.5


class Watch:
    """Tells of an image that takes too long.

    Where the system says so, a thread's own time counts: a machine that is busy with other things,
    or a program that was stopped for a while, says nothing about an image.
    """

    def __init__(self, stuck: Callable[[int], object]) -> None:
        """Args: `stuck` is told the number of an image, from a thread of the watch's own."""
        self._stuck = stuck
        #: By image: the clock to look at, and what it showed when the image was begun.
        self._begun: dict[int, tuple[int, float]] = {}
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True, name="watch")
        self._thread.start()

    @contextlib.contextmanager
    def over(self, number: int) -> Iterator[None]:
        """Watches while an image is decoded in this thread."""
        clock = time.CLOCK_MONOTONIC
        if hasattr(time, "pthread_getcpuclockid"):
            clock = time.pthread_getcpuclockid(threading.get_ident())
        self._begun[number] = (clock, time.clock_gettime(clock))
        try:
            yield
        finally:
            del self._begun[number]

    def _look(self) -> None:
        while not self._closed.wait(_LOOK_S):
            for number, (clock, started) in list(self._begun.items()):
                # The thread may have ended by now.
                with contextlib.suppress(OSError):
                    if time.clock_gettime(clock) - started > LIMIT_S:
                        self._stuck(number)

    def close(self) -> None:
        """Ends it."""
        self._closed.set()
        self._thread.join()
