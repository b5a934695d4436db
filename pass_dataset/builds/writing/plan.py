"""The plan of a build: a folder that says what is being built and holds what is done.

    plan.json      what is built from what: the fingerprint, the shards' names, the tars
    plan.arrow     the records in the order of writing
    data/          shards, each under its name once it is whole

A plan is written once. A build that finds the plan of the same fingerprint continues it; one that
finds another's begins anew.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pass_dataset.builds.writing.layout import Layout
from pass_dataset.builds.writing.shard_files import ShardFormat
from pass_dataset.errors import FolderLockedError
from pass_dataset.files.arrow import map_file, save_batch
from pass_dataset.files.checked_json import load_json, save_json
from pass_dataset.files.inside import require_inside
from pass_dataset.files.whole import sync_folder, sync_tree
from pass_dataset.folders.file_mark import FileMark
from pass_dataset.folders.lock import hold

__all__ = ["BuildPlan", "has_plan", "stored_fingerprint", "sweep", "work_folder"]

logger = logging.getLogger(__name__)

_PLAN_NAME = "plan.json"
_RECORDS_NAME = "plan.arrow"
_DATA_NAME = "data"
_REPLACED_NAME = "replaced"


def work_folder(target: Path) -> Path:
    """Where the build of a data set's folder is kept beside it until it is whole.

    There it can be renamed, and its name is one that TFDS takes for no version.
    """
    return target.with_name(f"incomplete.{target.name}")


@dataclass(frozen=True)
class BuildPlan:
    """What is to be written, in a folder of its own.

    Attributes:
      folder: the work folder.
      layout: records and shards.
      names: file name of each shard.
      shard_format: how shards are written.
      archives: folder of the tars.
      tars: names of the tars; the records' column ``tar`` counts in them.
      marks: of the tars that the records lie in; they are read from no others.
    """

    folder: Path
    layout: Layout
    names: tuple[str, ...]
    shard_format: ShardFormat
    archives: Path
    tars: tuple[str, ...]
    marks: tuple[FileMark, ...]

    @property
    def data(self) -> Path:
        """Folder of the shards."""
        return self.folder / _DATA_NAME

    @classmethod
    def load(cls, folder: Path, shard_format: ShardFormat) -> BuildPlan:
        """The plan of a work folder, its records mapped into memory.

        Raises:
          OSError, ValueError, KeyError: it cannot be read.
        """
        content = load_json(folder / _PLAN_NAME)
        for name in (*content["names"], *content["tars"]):
            require_inside(name)
        records = map_file(folder / _RECORDS_NAME).get_batch(0)
        layout = Layout(records, tuple(content["stops"]), tuple(content["shard_bytes"]))
        return cls(
            folder,
            layout,
            tuple(content["names"]),
            shard_format,
            Path(content["archives"]),
            tuple(content["tars"]),
            # Sizes and times alone: workers on other machines know the files by other numbers.
            tuple(FileMark(*mark) for mark in content["marks"]),
        )

    def save(self, fingerprint: Mapping[str, Any]) -> None:
        """Writes the plan; ``plan.json`` comes last, so that a folder with it has all of it."""
        self.data.mkdir(parents=True, exist_ok=True)
        save_batch(self.folder / _RECORDS_NAME, self.layout.records)
        content = {
            "fingerprint": fingerprint,
            "archives": os.fspath(self.archives),
            "tars": self.tars,
            "marks": [mark.content for mark in self.marks],
            "stops": self.layout.stops,
            "shard_bytes": self.layout.shard_bytes,
            "names": self.names,
        }
        save_json(self.folder / _PLAN_NAME, content)

    def missing(self) -> list[int]:
        """Numbers of the shards that are not whole yet. Removes pieces of files."""
        wanted = {name: number for number, name in enumerate(self.names)}
        sizes: dict[str, int] = {}
        with os.scandir(self.data) as entries:
            for entry in entries:
                if entry.name in wanted:
                    sizes[entry.name] = entry.stat().st_size
                else:
                    # What is left of a shard that was being written, or of the data set's own
                    # files.
                    os.unlink(entry.path)  # noqa: PTH108  (the entry has no Path)
        return [
            number
            for name, number in wanted.items()
            if name not in sizes or not self._fits(number, sizes[name])
        ]

    def _fits(self, number: int, size_bytes: int) -> bool:
        # A name stands for a whole file; only a lost power supply can have emptied it since.
        layout = self.layout
        return self.shard_format.fits(
            self.data / self.names[number],
            size_bytes,
            layout.shard_lengths[number],
            layout.shard_bytes[number],
        )

    def publish(self, target: Path) -> None:
        """Gives the whole data set its name, in place of an older one, and removes the plan.

        All of it is brought to the disk before. That takes no time, as the shards are there since
        they have their names.
        """
        sync_tree(self.data)
        if target.exists():
            self.discard(self.folder / _REPLACED_NAME)
            os.replace(target, self.folder / _REPLACED_NAME)
        os.replace(self.data, target)
        sync_folder(target.parent)
        self.discard(self.folder)

    @staticmethod
    def discard(folder: Path) -> None:
        """Removes a work folder."""
        shutil.rmtree(folder, ignore_errors=True)


def sweep(target: Path) -> None:
    """Removes what a build left that was cut after its data set had got its name."""
    folder = work_folder(target)
    if not folder.exists() or (folder / _DATA_NAME).exists():
        return
    # Whoever holds it may be about to begin a new build; and nothing depends on this.
    with contextlib.suppress(OSError, FolderLockedError), hold(target.parent, wait=False):
        if not (folder / _DATA_NAME).exists():
            BuildPlan.discard(folder)


def stored_fingerprint(folder: Path) -> dict[str, Any] | None:
    """Of the build that a work folder holds; None if there is none that can be read."""
    try:
        found: dict[str, Any] = load_json(folder / _PLAN_NAME)["fingerprint"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("%s: the plan cannot be read (%s); the build begins anew", folder, error)
        return None
    return found


def has_plan(folder: Path, fingerprint: Mapping[str, Any]) -> bool:
    """True if a work folder holds the plan of this very build."""
    found = stored_fingerprint(folder)
    if found is not None and found != json.loads(json.dumps(fingerprint)):
        logger.warning(
            "%s: left by the build of something else (other archives, format or shards); the build "
            "begins anew",
            folder,
        )
        return False
    return found is not None
