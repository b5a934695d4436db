"""Settings of asking whether photographs are still public."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pass_dataset.downloads.retries import RetryPolicy

__all__ = ["AliveSettings", "Politeness"]


@dataclass(frozen=True)
class AliveSettings:
    """What decides the result.

    Attributes:
      ask: the photograph's ``page``, or its ``download`` address.
    """

    ask: Literal["page", "download"] = "page"


@dataclass(frozen=True)
class Politeness:
    """How it is asked; nothing of it decides the result.

    Attributes:
      per_second: requests to a host.
      connections: to a host at any moment.
      policy: when a photograph is asked for again: `max_failures` tries in all.
      refusals: answers in a row that the request is forbidden, after which the host is taken to
        refuse this machine, and not the photographs.
    """

    per_second: float = 2.0
    connections: int = 2
    policy: RetryPolicy = field(
        default_factory=lambda: RetryPolicy(max_failures=6, base_delay_s=5.0)
    )
    refusals: int = 50

    def __post_init__(self) -> None:
        if not self.per_second > 0 or self.connections < 1 or self.refusals < 1:
            raise ValueError("per_second, connections, refusals: expected more than 0")
