"""A Parquet folder, built from an archive folder: in parallel, and continued if it was cut.

    OUT/.building/    the work folder (see `building.plan`) while it is built

What is whole is moved out of it at the end: first the data, then the card, ``export.json`` last. A
name that begins with a dot is no data to `datasets` or the Hub.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from pass_dataset import folders
from pass_dataset.building.build import SPLIT, Build, system_errors
from pass_dataset.building.plan import BuildPlan, stored_fingerprint
from pass_dataset.errors import BuildError
from pass_dataset.parquet.card import card_of
from pass_dataset.parquet.export import (
    CARD_NAME,
    DATA_NAME,
    EXPORT_NAME,
    Export,
    ExportShard,
    describe,
)
from pass_dataset.parquet.shards import ImageParquet
from pass_dataset.progress import Progress, Silent
from pass_dataset.provision import provide
from pass_dataset.records import PassArchive
from pass_dataset.releases import Release
from pass_dataset.worker_process import default_workers

__all__ = ["SHARD_BYTES", "WORK_NAME", "ParquetBuild"]

#: Bytes of a shard, as `datasets` has it (`datasets.config.MAX_SHARD_SIZE`): 360 for all of PASS.
SHARD_BYTES = 500_000_000
WORK_NAME = ".building"

#: What may stand in the folder beside an export: our own files, and those of tools.
_OTHERS = frozenset({WORK_NAME, ".verified.json", ".cache", ".git", ".gitattributes"})


@dataclass(frozen=True)
class ParquetBuild:
    """An export to be made.

    Attributes:
      out: the folder.
      release: what is exported.
      parts: part numbers, sorted; None for all.
      workers: number of processes; None: as many as there are cores.
      shard_bytes: a shard has about so many.
      shard_format: how a shard is written.
    """

    out: Path
    release: Release
    parts: tuple[int, ...] | None = None
    workers: int | None = None
    shard_bytes: int = SHARD_BYTES
    shard_format: ImageParquet = field(default_factory=ImageParquet)

    def __post_init__(self) -> None:
        self.release.select(self.parts)
        if self.shard_bytes < 1:
            raise ValueError(f"shard_bytes: expected 1 or more, found {self.shard_bytes}")

    @property
    def what(self) -> str:
        """For people: ``PASS 3.0.0, parts 0, 3-5``."""
        return describe(self.release, self.parts)

    @property
    def written_as(self) -> str:
        """What tells it from exports of the same records in other files."""
        return f"{self.shard_format.name}, shards of {self.shard_bytes:,} bytes"

    def run(
        self, archives: str | os.PathLike[str], progress: Progress | None = None
    ) -> tuple[Export, bool]:
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
        with system_errors(self.out):
            self.out.mkdir(parents=True, exist_ok=True)
            # Before waiting for anyone, and before anything of ours is written there.
            self._check_folder()
            with folders.hold(self.out):
                found = self._finished()
                if found is not None:
                    BuildPlan.discard(self._work)
                    return found, False
                self._check_folder()
                archive = provide(
                    self.release, given=archives, default=Path(archives), parts=self.parts
                )
                if not len(archive):
                    raise BuildError(f"{archives}: has no image of {self.what}")
                build = self._build()
                self._check_leftovers(build, archive)
                self._take_back()
                build.run(archive, self._finish, progress or Silent())
                return Export.load(self.out), True

    @property
    def _work(self) -> Path:
        return self.out / WORK_NAME

    def _build(self) -> Build:
        def num_shards(total_bytes: int, records: int) -> int:
            return max(1, min(records, -(-total_bytes // self.shard_bytes)))

        return Build(
            target=self.out,
            folder=self._work,
            what=self.what,
            shard_format=self.shard_format,
            workers=self.workers or default_workers(),
            limit=None,
            sharding=f"{self.shard_bytes} bytes",
            num_shards=num_shards,
            shard_name=lambda number, count: f"{SPLIT}-{number:05}-of-{count:05}.parquet",
        )

    def _finished(self) -> Export | None:
        """The export that is there, if it is the one wanted."""
        if not (self.out / EXPORT_NAME).exists():
            return None
        found = Export.load(self.out)
        if not found.is_of(self.release, self.parts, self.written_as):
            raise BuildError(
                f"{self.out}: holds {found.what} ({found.format}); for {self.what} "
                f"({self.written_as}) give another --out, or remove the folder"
            )
        faults = list(found.faults(self.out))
        if faults:
            raise BuildError(
                f"{'; '.join(faults[:5])}{' …' if len(faults) > 5 else ''}. Remove "
                f"{self.out / EXPORT_NAME} and build again."
            )
        return found

    def _check_folder(self) -> None:
        """Refuses a folder with files of someone else."""
        ours = _OTHERS | folders.STATE_NAMES | {DATA_NAME, CARD_NAME, EXPORT_NAME}
        present = {entry.name for entry in os.scandir(self.out)}
        strange = sorted(present - ours)
        whole = EXPORT_NAME in present
        if not whole and WORK_NAME not in present:
            strange += sorted(present & {DATA_NAME, CARD_NAME})
        if strange:
            raise BuildError(
                f"{self.out}: expected an empty folder or an export that was cut, found "
                f"{', '.join(strange[:5])}{' …' if len(strange) > 5 else ''}; give another --out"
            )

    def _check_leftovers(self, build: Build, archive: PassArchive) -> None:
        """Refuses to throw away a half-built export of something else."""
        found = stored_fingerprint(self._work)
        wanted = build.fingerprint(archive)
        if found is None or found == wanted:
            return
        if (found.get("what"), found.get("file_format"), found.get("sharding")) == (
            wanted["what"],
            wanted["file_format"],
            wanted["sharding"],
        ):
            difference = "made from other archives, or these were changed since"
        else:
            difference = f"not of {self.what} ({self.written_as})"
        raise BuildError(
            f"{self.out}: holds a half-built export of {found.get('what')} "
            f"({found.get('file_format')}, shards of {found.get('sharding')}), {difference}; give "
            f"another --out, or remove {self._work}"
        )

    def _take_back(self) -> None:
        """Into the work folder again: what was moved out of it before the export was whole."""
        for name in (DATA_NAME, CARD_NAME):
            if (self.out / name).exists() and not (self._work / name).exists():
                os.replace(self.out / name, self._work / name)

    def _finish(self, plan: BuildPlan) -> None:
        export = Export(
            self.release,
            self.parts,
            self.written_as,
            sum(plan.layout.shard_bytes),
            tuple(
                ExportShard(f"{DATA_NAME}/{name}", length, (plan.data / name).stat().st_size)
                for name, length in zip(plan.names, plan.layout.shard_lengths, strict=True)
            ),
        )
        (plan.folder / CARD_NAME).write_text(card_of(export), encoding="utf-8")
        for name in (DATA_NAME, CARD_NAME):
            os.replace(plan.folder / name, self.out / name)
        export.save(self.out)
        BuildPlan.discard(plan.folder)
