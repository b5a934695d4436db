"""An export, made from an archive folder: in parallel, and continued if it was cut."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from pass_dataset.archives.ensure import provide
from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import Removals, removals_for
from pass_dataset.builds.manifest import ExportRecord, ExportShard
from pass_dataset.builds.targets import images_in
from pass_dataset.builds.writing.basis import Basis, refuse_purged
from pass_dataset.builds.writing.build import SPLIT, Build, system_errors
from pass_dataset.builds.writing.plan import BuildPlan
from pass_dataset.builds.writing.shard_files import ShardFormat
from pass_dataset.errors import BuildError
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.folders.lock import hold
from pass_dataset.progress import Progress, Silent
from pass_dataset.releases.release import Release
from pass_dataset.workers.cores import available_cores

__all__ = ["SHARD_BYTES", "ExportBuild"]

#: Bytes of a shard, as `datasets` has it (`datasets.config.MAX_SHARD_SIZE`): 360 for all of PASS,
#: so that 8 ranks of 8 workers have some each.
SHARD_BYTES = 500_000_000

_Record = TypeVar("_Record", bound=ExportRecord)


@dataclass(frozen=True)
class ExportBuild(ABC, Generic[_Record]):
    """An export to be made.

    Attributes:
      out: the folder.
      archives: folder with what is exported: the release, or parts of it. What was not verified
        yet is hashed.
      workers: number of processes; None: as many as there are cores.
      shard_bytes: a shard has about so many.
      removals: one more list of images to be left out, beside those of the archive folder and of
        ``PASS_REMOVALS``.
      shard_format: how a shard is written.
    """

    out: Path
    archives: ArchiveFolder
    workers: int | None = None
    shard_bytes: int = SHARD_BYTES
    removals: Removals | None = None
    shard_format: ShardFormat = field(kw_only=True)

    #: File name extension of a shard.
    extension: ClassVar[str]

    def __post_init__(self) -> None:
        if self.shard_bytes < 1:
            raise ValueError(f"shard_bytes: expected 1 or more, found {self.shard_bytes}")

    @property
    def release(self) -> Release:
        """What is exported."""
        return self.archives.release

    @property
    def parts(self) -> tuple[int, ...] | None:
        """Part numbers, sorted; None for all."""
        return self.archives.parts

    @property
    @abstractmethod
    def what(self) -> str:
        """Release and parts, for people; a half-built export is known by it."""

    @property
    def written_as(self) -> str:
        """What tells it from exports of the same records in other files."""
        return f"{self.shard_format.name}, shards of {self.shard_bytes:,} bytes"

    def run(self, progress: Progress | None = None) -> tuple[_Record, bool]:
        """Builds, unless it is there.

        Args:
          progress: where progress is shown.

        Returns:
          What the folder holds, and whether it was built now.

        Raises:
          BuildError: the folder holds something else, or cannot be written.
          ArchiveError, FolderError, MetadataError, VerificationError: the archives are not right.
        """
        with system_errors(self._target), hold(self._claim()):
            found = self._finished()
            if found is not None:
                # What is left of its making, if that was cut once it had its name.
                BuildPlan.discard(self._work)
                self._refuse_removed()
                return found, False
            before = refuse_purged(self.archives)
            archive = provide(self.archives, removals=self.removals)
            basis = Basis.of(archive, before, given=self.removals)
            build = self._build()
            self._resume(build, archive)

            def finish(plan: BuildPlan) -> None:
                self._finish(plan, archive.removed)

            build.run(basis, finish, progress or Silent())
            return self._load(), True

    def _refuse_removed(self) -> None:
        """Refuses an export of before a removal: readers that are not ours read it as it is."""
        removals = removals_for(self.archives.path, self._target, given=self.removals)
        removed = images_in(self._target, removals)
        if removed:
            raise BuildError(
                f"{self._target}: is built already, and {removed:,} images on removal lists are in "
                f"it. To delete them: pass-dataset purge --list LIST {self._target}"
            )

    @property
    def _target(self) -> Path:
        """The folder, as the export is made in it and messages name it."""
        return self.out

    @property
    @abstractmethod
    def _work(self) -> Path:
        """The work folder, see `building.plan`."""

    @abstractmethod
    def _claim(self) -> Path:
        """Before waiting for anyone, and before anything of ours is written there.

        Refuses a folder that holds something else.

        Returns:
          The folder to hold while it is built; it exists.
        """

    @abstractmethod
    def _finished(self) -> _Record | None:
        """The export that is there, if it is the one wanted; None if there is none."""

    @abstractmethod
    def _load(self) -> _Record:
        """The export that is there."""

    @abstractmethod
    def _resume(self, build: Build, archive: PassArchive) -> None:
        """What comes before the first shard, with what an export that was cut has left."""

    @abstractmethod
    def _finish(self, plan: BuildPlan, removed: Sequence[str]) -> None:
        """Makes the export of the plan, all shards of which are whole.

        Args:
          plan: of the shards.
          removed: hashes of the images that removal lists have left out of it.
        """

    def _build(self) -> Build:
        def num_shards(total_bytes: int, records: int) -> int:
            return max(1, min(records, -(-total_bytes // self.shard_bytes)))

        return Build(
            target=self._target,
            folder=self._work,
            what=self.what,
            shard_format=self.shard_format,
            workers=self.workers or available_cores(),
            limit=None,
            sharding=f"{self.shard_bytes} bytes",
            num_shards=num_shards,
            shard_name=lambda number, count: f"{SPLIT}-{number:05}-of-{count:05}.{self.extension}",
        )

    @staticmethod
    def _shards(plan: BuildPlan, folder: str = "") -> tuple[ExportShard, ...]:
        """The plan's shards, as they will lie in a folder of the export."""
        return tuple(
            ExportShard(f"{folder}{name}", length, (plan.data / name).stat().st_size)
            for name, length in zip(plan.names, plan.layout.shard_lengths, strict=True)
        )
