"""How many requests a host takes: halved when it refuses, grown again, left alone when it asks."""

from __future__ import annotations

from dataclasses import dataclass

from pass_dataset.curate.fetch.hosts import Hosts
from pass_dataset.downloads.retries import Clock, RetryPolicy


@dataclass
class Watch:
    """A clock that is set by hand."""

    s: float = 100.0

    def clock(self) -> Clock:
        return Clock(lambda: self.s, lambda: self.s, lambda: 0.0)


def test_halved_once_for_all_under_way() -> None:
    watch = Watch()
    host = Hosts(16, RetryPolicy(base_delay_s=2.0), watch.clock())["http://host:80"]
    for _ in range(5):
        host.throttled(watch.s - 1, None)
    assert host.limit == 8
    assert host.wait_s() == 1.0
    assert not host.is_free
    watch.s += 5
    assert host.is_free
    for expected, wait_s in ((4, 2.0), (2, 4.0), (1, 8.0), (1, 16.0)):
        watch.s += 100
        host.throttled(watch.s, None)
        assert (host.limit, host.wait_s()) == (expected, wait_s)


def test_grown_again() -> None:
    watch = Watch()
    host = Hosts(8, RetryPolicy(), watch.clock())["http://host:80"]
    host.throttled(watch.s, 0.0)
    answers = 0
    while host.limit < 8:
        host.answered()
        answers += 1
    # About as many as there are connections, for each one more.
    assert 4 + 5 + 6 + 7 <= answers <= 5 + 6 + 7 + 8
    host.answered()
    assert host.limit == 8


def test_left_alone_as_long_as_it_asks() -> None:
    watch = Watch()
    hosts = Hosts(8, RetryPolicy(), watch.clock())
    hosts["http://host:80"].throttled(watch.s, 120.0)
    hosts["http://host:80"].throttled(watch.s, 5.0)
    assert hosts["http://host:80"].wait_s() == 120.0
    assert hosts["http://other:80"].is_free
    watch.s += 120
    assert hosts["http://host:80"].is_free
    hosts["http://host:80"].active = 4
    assert not hosts["http://host:80"].is_free
