"""A shard of images to be examined, as it is handed to whoever does it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.shard_folder import ShardFolder
from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.runs.outcomes import TARGETS, Thresholds

__all__ = ["FilterJob"]


@dataclass(frozen=True)
class FilterJob(ShardJob):
    """What is to be done with a shard. Rows that have all they need already stay as they are.

    Attributes:
      targets: the detectors to run; with faces alone in a run that looks for people too, the shard
        is left staged, for another job to go on with.
      retry_failed: begin anew with images that failed.
      thresholds: look for people as these thresholds ask for it; None: as those of the run.
    """

    targets: tuple[Target, ...] = TARGETS
    retry_failed: bool = False
    thresholds: Thresholds | None = None

    @property
    def again(self) -> str | None:
        """What is done once more: images that failed, or people where thresholds ask for them."""
        if self.retry_failed:
            return "retry"
        return None if self.thresholds is None else "fill"

    def is_done(self, folder: ShardFolder[Any]) -> bool:
        """True if there is surely nothing to do."""
        if super().is_done(folder):
            return True
        return (
            self.again is None and self.targets == ("face",) and self.shard in folder.done("face")
        )

    @classmethod
    def from_json(cls, line: str) -> FilterJob:
        """The job that a line holds."""
        content = json.loads(line)
        content["targets"] = tuple(content["targets"])
        if content["thresholds"] is not None:
            content["thresholds"] = Thresholds(**content["thresholds"])
        return cls(**content)
