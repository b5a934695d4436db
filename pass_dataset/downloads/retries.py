"""When to try again, and when to stop trying: pure decisions about failures."""

from __future__ import annotations

import datetime
import email.utils
import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = [
    "MIN_BYTES_PER_S",
    "Clock",
    "Failure",
    "HostGate",
    "Misfit",
    "Passing",
    "Permanent",
    "RetryPolicy",
    "Slow",
]

#: A floor for the speed of a connection. A dial-up line gives 5,000 bytes/s, over two connections;
#: at 2,000 a tar of PASS takes three months, so whoever sends less is no help, or means harm.
MIN_BYTES_PER_S = 2000.0


class Failure(Exception):
    """A try at one source that did not end well; `str()` says what was seen."""


class Passing(Failure):
    """Likely to pass: a reset, a stall, 5xx, 429, an error page.

    Attributes:
      retry_after_s: seconds the server asked to be left alone, or None.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Slow(Passing):
    """So slow that another source is to be asked: it may stay so for ever."""


class Misfit(Failure):
    """The source offers something that is not this file: another size, another range."""


class Permanent(Failure):
    """Asking this source again is no use: 403, 404, 410, a bad address."""


@dataclass(frozen=True)
class RetryPolicy:
    """How patient a download is.

    The defaults outlast about an hour without network, as a night on a cluster may bring.

    Attributes:
      max_failures: failures in a row without a new byte after which a file is given up.
      failures_per_source: of those, how many before the next mirror is asked.
      max_misfits: times a source may offer another file before it is left out.
      base_delay_s: first wait; each failure without progress doubles it.
      max_delay_s: longest wait of our own choosing.
      max_retry_after_s: longest wait a server may ask for; more counts as a refusal.
      connect_timeout_s: for a connection to be made.
      stall_timeout_s: longest silence within a body, and longest wait for a body to begin.
      min_bytes_per_s: a source that sends less has its connection closed, and the next one is
        asked; 0 for any speed.
      speed_window_s: seconds of waiting over which that is measured.
    """

    max_failures: int = 20
    failures_per_source: int = 3
    max_misfits: int = 3
    base_delay_s: float = 1.0
    max_delay_s: float = 300.0
    max_retry_after_s: float = 3600.0
    connect_timeout_s: float = 30.0
    stall_timeout_s: float = 60.0
    min_bytes_per_s: float = MIN_BYTES_PER_S
    speed_window_s: float = 30.0

    def __post_init__(self) -> None:
        if self.max_failures < 1 or self.failures_per_source < 1 or self.max_misfits < 1:
            raise ValueError(f"counts of failures must be at least 1: {self}")
        if min(self.base_delay_s, self.max_delay_s, self.max_retry_after_s) < 0:
            raise ValueError(f"waits cannot be negative: {self}")
        if not (0 <= self.min_bytes_per_s < math.inf and self.speed_window_s > 0):
            raise ValueError(f"expected a speed of 0 or more, over some time: {self}")

    def is_progress(self, failure: Failure, gained_bytes: int) -> bool:
        """True if a try that failed brought enough to go on as if it had not."""
        little = self.min_bytes_per_s * self.speed_window_s if isinstance(failure, Slow) else 0
        return gained_bytes > little

    def delay_s(self, failures: int, jitter: float) -> float:
        """Seconds to wait after the n-th failure in a row.

        Args:
          failures: 1 for the first failure (also for one after progress).
          jitter: uniform in [0, 1): spreads clients that failed together.
        """
        longest = min(self.max_delay_s, self.base_delay_s * 2.0 ** min(failures - 1, 30))
        return longest * (0.5 + 0.5 * jitter)


@dataclass(frozen=True)
class Clock:
    """Time, injected so that tests advance it by hand.

    Attributes:
      now: seconds on a clock that never runs backwards.
      wall: seconds since the epoch, to read dates by.
      jitter: uniform in [0, 1).
    """

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random


def parse_retry_after(value: str | None, wall_s: float) -> float | None:
    """Seconds to wait by a ``Retry-After`` header (RFC 9110, 10.2.3: seconds or an HTTP date).

    >>> parse_retry_after("120", wall_s=0.0)
    120.0
    >>> parse_retry_after("Thu, 01 Jan 1970 00:02:00 GMT", wall_s=100.0)
    20.0

    Returns:
      None for no header or one that is neither.
    """
    if value is None:
        return None
    value = value.strip()
    if value.isdecimal():
        return float(value)
    try:
        date = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # the latter from a time zone of many digits
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=datetime.timezone.utc)
    return max(0.0, date.timestamp() - wall_s)


@dataclass
class HostGate:
    """Until when each host has asked to be left alone: for all connections of this process."""

    clock: Clock = field(default_factory=Clock)
    _until: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def close(self, host: str, delay_s: float) -> None:
        """Leaves the host alone for some seconds from now."""
        with self._lock:
            until = self.clock.now() + delay_s
            self._until[host] = max(until, self._until.get(host, until))

    def wait_s(self, host: str) -> float:
        """Seconds until the host may be asked again."""
        with self._lock:
            return max(0.0, self._until.get(host, 0.0) - self.clock.now())
