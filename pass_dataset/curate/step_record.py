"""What a step of a curation did, as it is written when it was done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["StepRecord"]


@dataclass(frozen=True)
class StepRecord:
    """What a step did, written when it was done.

    Attributes:
      name: of the step.
      after: the step before it, whose photographs it was given; None: it is the first.
      settings: what it was begun with, and their digest.
      shards: files.
      came: photographs that came to it.
      causes: those that went no further, by cause, most first.
      details: what it counted besides, such as rows of metadata that were not selected.
      sha256: of each file, by its name.
      finished_at: UTC, as ISO 8601.
    """

    name: str
    after: str | None
    settings: dict[str, Any]
    settings_sha256: str
    shards: int
    came: int
    causes: dict[str, int]
    details: dict[str, Any]
    sha256: dict[str, str] = field(repr=False)
    finished_at: str

    @property
    def left(self) -> int:
        """Photographs that went on."""
        return self.came - sum(self.causes.values())
