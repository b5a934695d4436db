"""A shard to be done, as it is handed to whoever does it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from pass_dataset.executors.shard_folder import ShardFolder

__all__ = ["ShardJob"]

_Job = TypeVar("_Job", bound="ShardJob")


@dataclass(frozen=True)
class ShardJob:
    """What is to be done with a shard. Work that has more to say of it adds fields.

    Attributes:
      shard: its number.
      careful: one image at a time, each announced before it is touched, as processes died on them.
    """

    shard: int
    careful: bool = field(default=False, kw_only=True)

    @property
    def again(self) -> str | None:
        """What is done once more with a shard that is done, in a word; None: it is missing."""
        return None

    def is_done(self, folder: ShardFolder[Any]) -> bool:
        """True if there is surely nothing to do."""
        return self.again is None and self.shard in folder.done()

    def to_json(self) -> str:
        """One line that `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls: type[_Job], line: str) -> _Job:
        """The job that a line holds."""
        return cls(**json.loads(line))
