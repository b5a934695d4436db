"""The run folder: all that a run is told and all that it finds. This class owns every name in it.

RUN/
  settings.json             what decides the rows; written once
  exclusions.txt            the opt-out list, if there is one; written once
  plan/items.arrow          every image and where it is, in order; written once
  plan/plan.json            how they are cut into shards; written last, so all of the plan is there
  results/000017.parquet    the rows of a shard
  done/000017.json          what was counted in it; written last, so the shard is whole
  partial/000017.parquet    the rows of a shard that is being worked on
  staged/face/000017.json   a partial shard that has all its face scores and waits for people
  failed/000017.json        why a shard could not be done, the last time
  crashes/000017.json       images that took a process down with them
  logs/                     what worker processes said
  kept.txt, dropped.parquet the answer
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pass_dataset.errors import RunError
from pass_dataset.executors.shard_folder import ShardFolder, written_whole
from pass_dataset.folders.state import STATE_NAMES
from pass_dataset.passify.runs.settings import RunSettings, differences

__all__ = ["RunFolder", "ShardStats"]


@dataclass(frozen=True)
class ShardStats:
    """What was counted in a shard: its marker.

    Attributes:
      shard: its number.
      images: rows.
      outcomes: rows by outcome, at the run's own thresholds.
      worked_on: images that the last worker had to look at, which is fewer after a checkpoint.
      seconds: time that took, from start to end.
      decode_s: processor time of reading and decoding, summed over threads.
      detect_s: time in detectors, by target.
      host: name of the machine.
      finished_at: seconds since 1970.
    """

    shard: int
    images: int
    outcomes: dict[str, int]
    worked_on: int
    seconds: float
    decode_s: float
    detect_s: dict[str, float]
    host: str
    finished_at: float


class RunFolder(ShardFolder[ShardStats]):
    """Names of files, and the small files that say what is done."""

    # --- names ------------------------------------------------------------------------------------

    @property
    def settings_path(self) -> Path:
        return self.path / "settings.json"

    @property
    def exclusions_path(self) -> Path:
        return self.path / "exclusions.txt"

    @property
    def items_path(self) -> Path:
        return self.path / "plan" / "items.arrow"

    @property
    def plan_path(self) -> Path:
        return self.path / "plan" / "plan.json"

    @property
    def kept_path(self) -> Path:
        return self.path / "kept.txt"

    @property
    def dropped_path(self) -> Path:
        return self.path / "dropped.parquet"

    @property
    def report_path(self) -> Path:
        return self.path / "report.html"

    def results_path(self, shard: int) -> Path:
        return self.path / "results" / f"{shard:06d}.parquet"

    def partial_path(self, shard: int) -> Path:
        return self.path / "partial" / f"{shard:06d}.parquet"

    def marker(self, content: Mapping[str, Any]) -> ShardStats:
        return ShardStats(**content)

    def left_by(self, shard: int) -> Iterable[Path]:
        return (self.partial_path(shard),)

    # --- settings ---------------------------------------------------------------------------------

    def settings(self) -> RunSettings:
        """What the run was told.

        Raises:
          RunError: there is no run here, or its settings cannot be read.
        """
        try:
            return RunSettings.from_json(self.settings_path.read_text())
        except FileNotFoundError:
            found = "another folder" if self.path.is_dir() else "nothing"
            raise RunError(
                f"{self.path}: expected the folder of a run, found {found}; "
                "passify run SOURCE --out FOLDER makes one"
            ) from None
        except OSError as error:
            raise RunError(f"{self.settings_path}: {error.strerror}") from error
        except (
            AttributeError,
            KeyError,
            OverflowError,
            RecursionError,
            TypeError,
            ValueError,
        ) as error:
            raise RunError(f"{self.settings_path}: cannot be read: {error}") from error

    def claim(self, settings: RunSettings, exclusions: bytes | None) -> bool:
        """Makes this the folder of a run with these settings; True if it is new.

        Until the images are listed nothing depends on the settings, and others may take their
        place: a run that found no images must not stand in the way of one that says where they are.

        Raises:
          RunError: it is that of a run with other settings, or holds something else.
        """
        if self.plan_path.exists():
            found = differences(self.settings(), settings)
            if found:
                listed = "\n  ".join(found)
                raise RunError(
                    f"{self.path}: this is a run with other settings:\n  {listed}\n"
                    "Take another --out, or the settings of the run. For other thresholds nothing "
                    "has to run again: passify keep and passify summary take --face and --person"
                )
            return False
        own = {path.name for path in (self.settings_path, self.exclusions_path)}
        own |= {self.plan_path.parent.name} if self.settings_path.exists() else set()
        foreign = sorted(set(self._entries()) - STATE_NAMES - own)
        if foreign:
            raise RunError(
                f"{self.path}: expected a new folder or that of a run, found {foreign[0]!r}"
                f"{' and others' if len(foreign) > 1 else ''}; take another --out"
            )
        self.path.mkdir(parents=True, exist_ok=True)
        if exclusions is not None:
            with written_whole(self.exclusions_path) as file:
                file.write(exclusions)
        with written_whole(self.settings_path) as file:
            file.write(settings.to_json().encode())
        return True

    def _entries(self) -> list[str]:
        try:
            return [name for name in os.listdir(self.path) if not name.endswith(".part")]  # noqa: PTH208
        except FileNotFoundError:
            return []
        except NotADirectoryError:
            raise RunError(f"{self.path}: expected a folder, found a file") from None
