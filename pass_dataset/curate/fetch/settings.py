"""Settings of fetching: what decides the result, and how fast and how patiently it is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pass_dataset.downloads.retries import RetryPolicy
from pass_dataset.releases.addresses import check_address

__all__ = ["BUCKET", "MOST_CONNECTIONS", "FetchSettings", "Pace"]

#: The images of YFCC100M, public: registry.opendata.aws/multimedia-commons.
BUCKET = "https://multimedia-commons.s3-us-west-2.amazonaws.com/data/images"
#: Systems allow a process about a thousand open files, and `select` of C no more.
MOST_CONNECTIONS = 512


@dataclass(frozen=True)
class FetchSettings:
    """What decides what is fetched.

    Attributes:
      sources: where a photograph is looked for, in this order: ``path``, a file of this machine;
        ``bucket``, the copy of YFCC100M; ``download``, its own address.
      bucket: base address of that copy, under which a photograph with the hash ``abcdef12…`` is
        ``abc/def/abcdef12….jpg``.
      redirect_hosts: hosts that a redirect may lead to, with those below them; the host that was
        asked always may. ``*`` allows any.
      max_bytes: of a photograph; more is refused.
      doubtful_tries: times an answer that may be an accident (an empty body, a page in place of the
        file, a JPEG without its end) has to be given before it is believed.
      placeholder_copies: photographs whose bytes are the same, from which on these are a
        placeholder; 0: there are none.
    """

    sources: tuple[Literal["path", "bucket", "download"], ...] = ("path", "bucket")
    bucket: str = BUCKET
    redirect_hosts: tuple[str, ...] = ("flickr.com", "staticflickr.com")
    max_bytes: int = 64 << 20
    doubtful_tries: int = 3
    placeholder_copies: int = 20

    def __post_init__(self) -> None:
        if not self.sources or len(set(self.sources)) < len(self.sources):
            raise ValueError(f"sources: expected some, each once, found {list(self.sources)}")
        try:
            check_address(self.bucket)
        except ValueError as error:
            raise ValueError(f"bucket: expected an address such as {BUCKET}; {error}") from error
        if self.max_bytes < 1 or self.doubtful_tries < 1:
            raise ValueError("max_bytes and doubtful_tries: expected 1 or more")
        if self.placeholder_copies < 0 or self.placeholder_copies == 1:
            raise ValueError(
                f"placeholder_copies: expected 0 or 2 and more, found {self.placeholder_copies}"
            )


@dataclass(frozen=True)
class Pace:
    """How fast photographs are fetched, and how patiently; nothing of it decides the result.

    Attributes:
      connections: to a host at any moment, idle ones included.
      policy: when a photograph is asked for again: `max_failures` tries in all.
      failures_of_host: photographs in a row that a host fails to give, after which the rest of its
        photographs are left for another time.
    """

    connections: int = 16
    policy: RetryPolicy = field(
        default_factory=lambda: RetryPolicy(max_failures=6, max_delay_s=60.0)
    )
    failures_of_host: int = 100

    def __post_init__(self) -> None:
        if not 1 <= self.connections <= MOST_CONNECTIONS:
            raise ValueError(
                f"connections: expected 1 to {MOST_CONNECTIONS}, found {self.connections}"
            )
        if self.failures_of_host < 1:
            raise ValueError("failures_of_host: expected 1 or more")
