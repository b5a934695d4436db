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

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from pass_dataset.errors import RunError
from pass_dataset.files.checked_json import load_json
from pass_dataset.files.parts import PART_SUFFIX
from pass_dataset.files.whole import writing_whole
from pass_dataset.folders.state import STATE_NAMES
from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.runs.settings import RunSettings, differences

__all__ = ["CrashRecord", "RunFolder", "ShardStats", "written_whole"]


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


@dataclass
class CrashRecord:
    """Processes that died on a shard.

    Attributes:
      deaths: how many.
      culprits: images that were being worked on, alone, when a process died: position in the shard
        shard to how it died. They are not tried again.
      slow: images that took too long, by position, with how long that was. Nor are these.
    """

    deaths: int = 0
    culprits: dict[int, str] = field(default_factory=dict)
    slow: dict[int, str] = field(default_factory=dict)


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file of a run to write, see `writing_whole`; its folder is made if missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing_whole(path) as file:
        yield file


def _write_json(path: Path, content: object) -> None:
    with written_whole(path) as file:
        file.write(json.dumps(content, indent=1).encode())


def _no_marker(path: Path, error: Exception) -> RunError:
    return RunError(f"{path}: is no file of a run ({error}); remove it and run again")


class RunFolder:
    """Names of files, and the small files that say what is done."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

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

    def log_path(self, name: str) -> Path:
        return self.path / "logs" / f"{name}.log"

    def _marker_path(self, shard: int, stage: Target | None) -> Path:
        return self._markers(stage) / f"{shard:06d}.json"

    def _markers(self, stage: Target | None) -> Path:
        return self.path / "done" if stage is None else self.path / "staged" / stage

    def _failure_path(self, shard: int) -> Path:
        return self.path / "failed" / f"{shard:06d}.json"

    def _crash_path(self, shard: int) -> Path:
        return self.path / "crashes" / f"{shard:06d}.json"

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

    # --- shards -----------------------------------------------------------------------------------

    def done(self, stage: Target | None = None) -> set[int]:
        """Numbers of the shards that are whole; with a stage, of those that are through it."""
        return self._numbers(self._markers(stage))

    def mark_done(self, stats: ShardStats, stage: Target | None = None) -> None:
        """Says that a shard is whole, or through a stage; the last thing that is written."""
        _write_json(self._marker_path(stats.shard, stage), asdict(stats))
        if stage is None:
            for path in (
                self.partial_path(stats.shard),
                self._marker_path(stats.shard, "face"),
                self._failure_path(stats.shard),
                self._crash_path(stats.shard),
            ):
                path.unlink(missing_ok=True)

    def stats(self) -> Iterator[ShardStats]:
        """What was counted in each shard that is whole, in order."""
        for shard in sorted(self.done()):
            stats = self.shard_stats(shard)
            if stats is not None:
                yield stats

    def shard_stats(self, shard: int) -> ShardStats | None:
        """What was counted in a shard; None if it is not whole."""
        path = self._marker_path(shard, None)
        content = self._read_json(path)
        try:
            return None if content is None else ShardStats(**content)
        except TypeError as error:
            raise _no_marker(path, error) from error

    def failures(self) -> dict[int, str]:
        """Shards that could not be done, and why."""
        found = {}
        for shard in sorted(self._numbers(self.path / "failed") - self.done()):
            found[shard] = self.failure(shard) or "no reason was recorded"
        return found

    def failure(self, shard: int) -> str | None:
        """Why a shard could not be done; None: nothing is known of it."""
        content = self._read_json(self._failure_path(shard))
        return None if content is None else str(content.get("message"))

    def forget_failure(self, shard: int) -> None:
        """Before a shard is tried again by others: what they say of it is then new."""
        self._failure_path(shard).unlink(missing_ok=True)

    def mark_failed(self, shard: int, message: str) -> None:
        """Says why a shard could not be done."""
        _write_json(self._failure_path(shard), {"shard": shard, "message": message})

    def crashes(self, shard: int) -> CrashRecord:
        """Processes that died on a shard."""
        path = self._crash_path(shard)
        content = self._read_json(path)
        if content is None:
            return CrashRecord()
        try:
            return self._crash_record(content)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _no_marker(path, error) from error

    @staticmethod
    def _crash_record(content: Mapping[str, Any]) -> CrashRecord:
        culprits, slow = (
            {int(position): how for position, how in content.get(name, {}).items()}
            for name in ("culprits", "slow")
        )
        return CrashRecord(int(content["deaths"]), culprits, slow)

    def record_crash(self, shard: int, record: CrashRecord) -> None:
        """Keeps what is known of processes that died on a shard."""
        _write_json(self._crash_path(shard), asdict(record))

    @staticmethod
    def _read_json(path: Path) -> dict[str, Any] | None:
        try:
            return load_json(path)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise RunError(f"{path}: cannot be read ({error}); remove it and run again") from error

    @staticmethod
    def _numbers(folder: Path) -> set[int]:
        try:
            names = os.listdir(folder)  # noqa: PTH208
        except FileNotFoundError:
            return set()
        stems = (name.partition(".") for name in names if not name.startswith("."))
        return {int(stem) for stem, _, ending in stems if stem.isdecimal() and ending == "json"}

    def sweep(self, older_than_s: float | None = None) -> None:
        """Removes pieces of files that processes left that were killed. Call it holding the run.

        Args:
          older_than_s: only those that nobody wrote to for so long, where others may be at work.
        """
        for path in self.path.rglob(f".*{PART_SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):
                if older_than_s is None or time.time() - path.stat().st_mtime > older_than_s:
                    path.unlink()
