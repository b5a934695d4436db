"""A shard to be done, as it is handed to whoever does it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.runs.outcomes import TARGETS, Thresholds

__all__ = ["ShardJob"]


@dataclass(frozen=True)
class ShardJob:
    """What is to be done with a shard. Rows that have all they need already stay as they are.

    Attributes:
      shard: its number.
      targets: the detectors to run; with faces alone in a run that looks for people too, the shard
        is left staged, for another job to go on with.
      retry_failed: begin anew with images that failed.
      thresholds: look for people as these thresholds ask for it; None: as those of the run.
      careful: one image at a time, each announced before it is touched, as a process died on them.
    """

    shard: int
    targets: tuple[Target, ...] = TARGETS
    retry_failed: bool = False
    thresholds: Thresholds | None = None
    careful: bool = False

    def to_json(self) -> str:
        """One line that `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> ShardJob:
        """The job that a line holds."""
        content = json.loads(line)
        content["targets"] = tuple(content["targets"])
        if content["thresholds"] is not None:
            content["thresholds"] = Thresholds(**content["thresholds"])
        return cls(**content)
