"""The shards of a build, written from an archive folder: in parallel, and continued if cut."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pass_dataset.archives.records import PassArchive
from pass_dataset.builds.writing.basis import Basis
from pass_dataset.builds.writing.layout import ORDER_VERSION, lay_out, shuffled_records
from pass_dataset.builds.writing.plan import BuildPlan, has_plan
from pass_dataset.builds.writing.shard_files import ShardFormat
from pass_dataset.builds.writing.workers import write_shards
from pass_dataset.errors import BuildError, PassDatasetError
from pass_dataset.files.arrow import give_back
from pass_dataset.progress import Progress

__all__ = ["SPLIT", "Build", "system_errors"]

logger = logging.getLogger(__name__)

#: The one split of PASS.
SPLIT = "train"


@dataclass(frozen=True)
class Build:
    """A build to be done.

    Attributes:
      target: folder of the result, for messages.
      folder: the work folder, see `plan`.
      what: what is built, for people: ``PASS 3.0.0``.
      shard_format: how shards are written.
      workers: number of processes.
      limit: only the first records of the archives, so many; None for all.
      sharding: what decides the number of shards, for the fingerprint.
      num_shards: number of shards for so many bytes (all examples) and records.
      shard_name: file name of a shard, from its number and the number of shards.
    """

    target: Path
    folder: Path
    what: str
    shard_format: ShardFormat
    workers: int
    limit: int | None
    sharding: str
    num_shards: Callable[[int, int], int]
    shard_name: Callable[[int, int], str]

    def run(self, basis: Basis, finish: Callable[[BuildPlan], None], progress: Progress) -> None:
        """Writes the shards that are missing. Call it while holding the folder's parent.

        Args:
          basis: the records, and what they rest on.
          finish: makes the result of the plan, all shards of which are whole.
          progress: where progress is shown.

        Raises:
          BuildError: shards cannot be written, the disk has too little room, or images were removed
            or the archives changed meanwhile. What was made is deleted then.
          ArchiveError: images cannot be read.
        """
        with system_errors(self.target):
            plan = self._plan(basis.archive)
            missing = plan.missing()
            _check_space(plan, missing)
            sizes = plan.layout.shard_bytes
            todo = sum(sizes[number] for number in missing)
            if len(missing) < len(sizes):
                logger.info(
                    "%s: continuing; %d of %d shards are whole",
                    self.target,
                    len(sizes) - len(missing),
                    len(sizes),
                )
            task = progress.task("Writing shards", sum(sizes), "bytes", done=sum(sizes) - todo)
            try:
                write_shards(plan, missing, self.workers, task)
                task.finish()
                with basis.kept():
                    basis.require_unchanged(self.target)
                    finish(plan)
            except PassDatasetError:
                if basis.change() is not None:
                    # It has images that are to be nowhere, and no build goes on with it.
                    BuildPlan.discard(self.folder)
                raise

    def _plan(self, archive: PassArchive) -> BuildPlan:
        """The plan of a cut build of the same, or a new one."""
        fingerprint = self.fingerprint(archive)
        if has_plan(self.folder, fingerprint):
            with contextlib.suppress(OSError, ValueError, KeyError):
                return BuildPlan.load(self.folder, self.shard_format)
        BuildPlan.discard(self.folder)
        self._new_plan(archive).save(fingerprint)
        give_back()
        # Mapped, as the workers have it: its pages are then theirs too.
        return BuildPlan.load(self.folder, self.shard_format)

    def _new_plan(self, archive: PassArchive) -> BuildPlan:
        records = shuffled_records(archive, SPLIT, self.shard_format, self.limit)
        total = sum(records["example_bytes"].to_numpy().tolist())
        count = self.num_shards(total, records.num_rows)
        layout = lay_out(records, count)
        names = tuple(self.shard_name(number, count) for number in range(count))
        return BuildPlan(
            self.folder,
            layout,
            names,
            self.shard_format,
            archive.folder,
            archive.summary.tars,
            archive.marks,
        )

    def fingerprint(self, archive: PassArchive) -> dict[str, Any]:
        """All that the bytes of the result depend on."""
        return {
            "order": ORDER_VERSION,
            "what": self.what,
            "archives": [os.fspath(archive.folder), archive.fingerprint],
            "rows": archive[: self.limit].selection_digest(),
            "file_format": self.shard_format.name,
            "sharding": self.sharding,
        }


def _check_space(plan: BuildPlan, missing: list[int]) -> None:
    needed = sum(plan.layout.shard_bytes[number] for number in missing)
    free = shutil.disk_usage(plan.folder).free
    if needed > free:
        raise BuildError(
            f"{plan.data}: the shards need {needed:,} bytes more, the disk has {free:,} free"
        )


@contextlib.contextmanager
def system_errors(target: Path) -> Iterator[None]:
    """Turns what the system says of a folder into a BuildError."""
    try:
        yield
    except OSError as error:
        raise BuildError(f"{target}: cannot be built: {error}") from error
