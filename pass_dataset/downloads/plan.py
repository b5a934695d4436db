"""What a download will do, decided before anything is fetched."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pass_dataset.errors import DiskSpaceError
from pass_dataset.files.parts import part_path
from pass_dataset.folders.receipt import Receipt
from pass_dataset.releases.release import ReleaseFile

__all__ = ["Action", "Plan", "PlannedFile", "make_plan"]


class Action(Enum):
    """What is to be done about a file."""

    KEEP = "whole"
    CHECK = "to be hashed"
    FETCH = "to be fetched"
    CONFLICT = "not this release's"


@dataclass(frozen=True)
class PlannedFile:
    """A file and what is to be done about it.

    Attributes:
      file: the file.
      action: what to do.
      have_bytes: bytes on disk already, in the file or its part file.
    """

    file: ReleaseFile
    action: Action
    have_bytes: int

    @property
    def fetch_bytes(self) -> int:
        return self.file.size_bytes - self.have_bytes if self.action is Action.FETCH else 0


@dataclass(frozen=True)
class Plan:
    """What a download will do.

    Attributes:
      folder: archive folder.
      files: each file with its action.
      free_bytes: room on the folder's disk.
    """

    folder: Path
    files: tuple[PlannedFile, ...]
    free_bytes: int

    @property
    def fetch_bytes(self) -> int:
        return sum(planned.fetch_bytes for planned in self.files)

    def having(self, action: Action) -> list[ReleaseFile]:
        return [planned.file for planned in self.files if planned.action is action]

    def check_space(self) -> None:
        """Refuses a download that cannot end well.

        Raises:
          DiskSpaceError: with both numbers.
        """
        if self.fetch_bytes > self.free_bytes:
            raise DiskSpaceError(
                f"{self.folder}: {self.fetch_bytes:,} bytes are to be fetched, but its disk has "
                f"{self.free_bytes:,} bytes free: {self.fetch_bytes - self.free_bytes:,} too few. "
                "Free some room, choose another folder, or fetch fewer --parts."
            )


def make_plan(files: Iterable[ReleaseFile], folder: Path, receipt: Receipt) -> Plan:
    """Looks at the folder and decides about each file. Changes nothing."""
    planned = tuple(_planned(file, folder, receipt) for file in files)
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    return Plan(folder, planned, shutil.disk_usage(place).free)


def _planned(file: ReleaseFile, folder: Path, receipt: Receipt) -> PlannedFile:
    size = _size(folder / file.filename)
    if size is None:
        have = min(_size(part_path(folder / file.filename)) or 0, file.size_bytes)
        return PlannedFile(file, Action.FETCH, have)
    if receipt.stands(file):
        return PlannedFile(file, Action.KEEP, size)
    action = Action.CHECK if size == file.size_bytes else Action.CONFLICT
    return PlannedFile(file, action, size)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
