"""How many requests a host takes at a time, and when it is left alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from pass_dataset.downloads.retries import Clock, RetryPolicy

__all__ = ["Host", "Hosts"]


@dataclass
class Host:
    """A host that is asked. It begins with all connections; each refusal halves them, and as many
    good answers as there are connections add one.

    Attributes:
      most: connections that it may have.
      policy: how long it is left alone.
      clock: what time is measured by.
      active: requests under way.
      failed_in_a_row: photographs that it did not give, since it gave one.
    """

    most: int
    policy: RetryPolicy
    clock: Clock
    active: int = 0
    failed_in_a_row: int = 0
    _limit: float = 0.0
    _cut_at: float = -1.0
    _throttled: int = 0
    _quiet_until: float = -1.0

    def __post_init__(self) -> None:
        self._limit = float(self.most)

    @property
    def limit(self) -> int:
        """Requests that it takes at a time now."""
        return int(self._limit)

    def wait_s(self) -> float:
        """Seconds until it may be asked again, by what it said."""
        return max(0.0, self._quiet_until - self.clock.now())

    @property
    def is_free(self) -> bool:
        """True if it may be asked now."""
        return self.active < self.limit and self.wait_s() == 0.0

    def answered(self) -> None:
        """It gave an answer that it was not too busy for."""
        self._throttled = 0
        self._limit = min(float(self.most), self._limit + 1.0 / self._limit)

    def throttled(self, asked_at: float, retry_after_s: float | None) -> bool:
        """It said that it is asked too much.

        Args:
          asked_at: when the request was made: those under way together count once.
          retry_after_s: how long it asked to be left alone; None: it did not say.

        Returns:
          Whether connections were halved.
        """
        is_news = asked_at > self._cut_at
        if is_news:
            self._cut_at = self.clock.now()
            self._limit = max(1.0, self._limit / 2)
            self._throttled += 1
        wait_s = retry_after_s
        if wait_s is None:
            wait_s = self.policy.delay_s(self._throttled, self.clock.jitter())
        self._quiet_until = max(self._quiet_until, self.clock.now() + wait_s)
        return is_news


@dataclass
class Hosts:
    """All hosts, by name."""

    most: int
    policy: RetryPolicy
    clock: Clock
    _hosts: dict[str, Host] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Host:
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = Host(self.most, self.policy, self.clock)
        return host
