"""A WebDataset folder, built from an archive folder: in parallel, and continued if it was cut.

It is written beside, as ``incomplete.OUT``, and gets its name when all of it is whole.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pass_dataset import folders
from pass_dataset.building.build import SPLIT, Build, system_errors
from pass_dataset.building.plan import BuildPlan, work_folder
from pass_dataset.errors import BuildError
from pass_dataset.progress import Progress, Silent
from pass_dataset.provision import provide
from pass_dataset.releases import Release, format_parts
from pass_dataset.webdataset.export import WebDatasetExport, is_webdataset
from pass_dataset.webdataset.shards import TarShards
from pass_dataset.worker_process import default_workers

__all__ = ["SHARD_BYTES", "WebDatasetBuild"]

#: Bytes of a shard: 360 for all of PASS, so that 8 ranks of 8 workers have some each.
SHARD_BYTES = 500_000_000


@dataclass(frozen=True)
class WebDatasetBuild:
    """An export to be made.

    Attributes:
      out: the folder; its parent must be on the same disk.
      release: what is exported.
      parts: part numbers, sorted; None for all.
      workers: number of processes; None: as many as there are cores.
      shard_bytes: a shard has about so many.
    """

    out: Path
    release: Release
    parts: tuple[int, ...] | None = None
    workers: int | None = None
    shard_bytes: int = SHARD_BYTES

    def __post_init__(self) -> None:
        self.release.select(self.parts)
        if self.shard_bytes < 1:
            raise ValueError(f"shard_bytes: expected 1 or more, found {self.shard_bytes}")

    @property
    def what(self) -> str:
        """For people: ``PASS 3.0.0, parts 0,3-5``."""
        if self.parts is None:
            return self.release.label
        return f"{self.release.label}, parts {format_parts(self.parts)}"

    def run(
        self, archives: str | os.PathLike[str], progress: Progress | None = None
    ) -> tuple[WebDatasetExport, bool]:
        """Builds, unless it is there.

        Args:
          archives: archive folder with what is exported; what was not verified yet is hashed.
          progress: where progress is shown.

        Returns:
          What the folder holds, and whether it was built now.

        Raises:
          BuildError: the folder holds something else, or cannot be written.
          ArchiveError, FolderError, MetadataError, VerificationError: the archives are not right.
        """
        out = self.out.absolute()
        with system_errors(out):
            self._finished(out)  # before waiting for anyone, and before anything is written
            out.parent.mkdir(parents=True, exist_ok=True)
            with folders.hold(out.parent):
                found = self._finished(out)
                if found is not None:
                    return found, False
                archive = provide(
                    self.release, given=archives, default=Path(archives), parts=self.parts
                )
                self._build(out).run(archive, self._finish, progress or Silent())
                return WebDatasetExport.load(out), True

    @property
    def _written_as(self) -> str:
        return f"{TarShards().name}, shards of {self.shard_bytes:,} bytes"

    def _build(self, out: Path) -> Build:
        def num_shards(total_bytes: int, records: int) -> int:
            return max(1, min(records, -(-total_bytes // self.shard_bytes)))

        return Build(
            target=out,
            folder=work_folder(out),
            what=self.what,
            shard_format=TarShards(),
            workers=self.workers or default_workers(),
            limit=None,
            sharding=f"{self.shard_bytes} bytes",
            num_shards=num_shards,
            shard_name=lambda number, count: f"{SPLIT}-{number:05}-of-{count:05}.tar",
        )

    def _finished(self, out: Path) -> WebDatasetExport | None:
        """The export that is there, if it is the one wanted; None if there is nothing."""
        if not out.exists() or not any(out.iterdir()):
            return None
        if not is_webdataset(out):
            raise BuildError(f"{out}: expected an empty folder or none; give another --out")
        found = WebDatasetExport.load(out)
        if not found.is_of(self.release, self.parts, self._written_as):
            raise BuildError(
                f"{out}: holds another export ({found.release.label}, {found.format}) than "
                f"{self.what} ({self._written_as}); give another --out, or remove the folder"
            )
        faults = list(found.faults(out))
        if faults:
            raise BuildError(f"{'; '.join(faults[:5])}. Remove {out} and build again.")
        return found

    def _finish(self, plan: BuildPlan) -> None:
        shards = tuple(
            (name, length, (plan.data / name).stat().st_size)
            for name, length in zip(plan.names, plan.layout.shard_lengths, strict=True)
        )
        export = WebDatasetExport(self.release, self.parts, self._written_as, shards)
        export.save(plan.data)
        plan.publish(self.out.absolute())
