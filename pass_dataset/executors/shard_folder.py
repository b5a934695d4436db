"""A folder of shards: what is done, what failed, on what processes died, in small files.

FOLDER/
  done/000017.json          what was counted in a shard; written last, so the shard is whole
  staged/STAGE/000017.json  the same of a shard that is through the first of two stages
  failed/000017.json        why a shard could not be done, the last time
  crashes/000017.json       images that took a process down with them
  logs/                     what worker processes said
  slurm/                    which SLURM job has which shards

What is found in a shard lies beside these, under names of the work's own.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Generic, Protocol, TypeVar

from pass_dataset.errors import RunError
from pass_dataset.files.checked_json import load_json
from pass_dataset.files.parts import PART_SUFFIX
from pass_dataset.files.whole import writing_whole

__all__ = ["CrashRecord", "DoneShard", "Marker", "MarkerT", "ShardFolder", "written_whole"]


class Marker(Protocol):
    """What was counted in a shard: a frozen dataclass of what JSON has, with at least these.

    Attributes:
      shard: its number.
      images: images in it.
      worked_on: those that the last worker had to do, which is fewer after a checkpoint.
      finished_at: seconds since 1970.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def shard(self) -> int: ...

    @property
    def images(self) -> int: ...

    @property
    def worked_on(self) -> int: ...

    @property
    def finished_at(self) -> float: ...


MarkerT = TypeVar("MarkerT", bound=Marker)


@dataclass(frozen=True)
class DoneShard:
    """A `Marker` of work that counts nothing else."""

    shard: int
    images: int
    worked_on: int
    finished_at: float


@dataclass
class CrashRecord:
    """Processes that died on a shard.

    Attributes:
      deaths: how many.
      culprits: images that were being worked on, alone, when a process died: position in the shard
        to how it died. They are not tried again.
      slow: images that took too long, by position, with how long that was. Nor are these.
    """

    deaths: int = 0
    culprits: dict[int, str] = field(default_factory=dict)
    slow: dict[int, str] = field(default_factory=dict)


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file of such a folder to write, see `writing_whole`; its own folder is made if missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing_whole(path) as file:
        yield file


def _write_json(path: Path, content: object) -> None:
    with written_whole(path) as file:
        file.write(json.dumps(content, indent=1).encode())


def _no_marker(path: Path, error: Exception) -> RunError:
    return RunError(f"{path}: is no file of a run ({error}); remove it and run again")


class ShardFolder(ABC, Generic[MarkerT]):
    """Names of files, and the small files that say what is done."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    @abstractmethod
    def marker(self, content: Mapping[str, Any]) -> MarkerT:
        """A marker from its JSON.

        Raises:
          TypeError, ValueError: it is none.
        """

    def left_by(self, shard: int) -> Iterable[Path]:
        """Files that have no use when a shard is whole, such as checkpoints: they are removed."""
        return ()

    def log_path(self, name: str) -> Path:
        """Where a worker process's log goes."""
        return self.path / "logs" / f"{name}.log"

    def _marker_path(self, shard: int, stage: str | None) -> Path:
        return self._markers(stage) / f"{shard:06d}.json"

    def _markers(self, stage: str | None) -> Path:
        return self.path / "done" if stage is None else self.path / "staged" / stage

    def _failure_path(self, shard: int) -> Path:
        return self.path / "failed" / f"{shard:06d}.json"

    def _crash_path(self, shard: int) -> Path:
        return self.path / "crashes" / f"{shard:06d}.json"

    # --- what is done -----------------------------------------------------------------------------

    def done(self, stage: str | None = None) -> set[int]:
        """Numbers of the shards that are whole; with a stage, of those that are through it."""
        return self._numbers(self._markers(stage))

    def mark_done(self, stats: MarkerT, stage: str | None = None) -> None:
        """Says that a shard is whole, or through a stage; the last thing that is written."""
        _write_json(self._marker_path(stats.shard, stage), asdict(stats))
        if stage is None:
            for path in (
                *self.left_by(stats.shard),
                *self.path.glob(f"staged/*/{stats.shard:06d}.json"),
                self._failure_path(stats.shard),
                self._crash_path(stats.shard),
            ):
                path.unlink(missing_ok=True)

    def stats(self) -> Iterator[MarkerT]:
        """What was counted in each shard that is whole, in order."""
        for shard in sorted(self.done()):
            stats = self.shard_stats(shard)
            if stats is not None:
                yield stats

    def shard_stats(self, shard: int) -> MarkerT | None:
        """What was counted in a shard; None if it is not whole."""
        path = self._marker_path(shard, None)
        content = self._read_json(path)
        try:
            return None if content is None else self.marker(content)
        except (TypeError, ValueError) as error:
            raise _no_marker(path, error) from error

    # --- what failed ------------------------------------------------------------------------------

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

    # --- files ------------------------------------------------------------------------------------

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
        """Removes pieces of files that processes left that were killed. Call it holding the folder.

        Args:
          older_than_s: only those that nobody wrote to for so long, where others may be at work.
        """
        for path in self.path.rglob(f".*{PART_SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):
                if older_than_s is None or time.time() - path.stat().st_mtime > older_than_s:
                    path.unlink()
