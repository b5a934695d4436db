"""A Parquet folder, built from an archive folder: in parallel, and continued if it was cut.

    OUT/.building/    the work folder (see `building.plan`) while it is built

What is whole is moved out of it at the end: first the data, then the card, ``export.json`` last. A
name that begins with a dot is no data to `datasets` or the Hub.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import note_removals
from pass_dataset.builds.writing.build import Build
from pass_dataset.builds.writing.export import ExportBuild
from pass_dataset.builds.writing.plan import BuildPlan, stored_fingerprint
from pass_dataset.errors import BuildError
from pass_dataset.files.parts import is_part
from pass_dataset.files.whole import sync_folder, sync_tree, write_whole
from pass_dataset.folders.review_receipt import review_of
from pass_dataset.folders.state import STATE_NAMES
from pass_dataset.parquet.card import card_of
from pass_dataset.parquet.manifest import (
    CARD_NAME,
    DATA_NAME,
    EXPORT_NAME,
    Export,
    describe,
)
from pass_dataset.parquet.shard_format import ImageParquet

__all__ = ["WORK_NAME", "ParquetBuild"]

WORK_NAME = ".building"

#: What may stand in the folder beside an export: our own files, and those of tools.
_OTHERS = frozenset({WORK_NAME, ".verified.json", ".cache", ".git", ".gitattributes"})


@dataclass(frozen=True)
class ParquetBuild(ExportBuild[Export]):
    """A Parquet export to be made, see `exports.build.ExportBuild`."""

    shard_format: ImageParquet = field(default_factory=ImageParquet, kw_only=True)

    extension = "parquet"

    @property
    def what(self) -> str:
        """For people: ``PASS 3.0.0, parts 0, 3-5``."""
        return describe(self.release, self.parts)

    @property
    def _work(self) -> Path:
        return self.out / WORK_NAME

    def _claim(self) -> Path:
        """Makes the folder, which is also the one to hold; refuses that of someone else."""
        self.out.mkdir(parents=True, exist_ok=True)
        self._check_folder()
        return self.out

    def _load(self) -> Export:
        return Export.load(self.out)

    def _finished(self) -> Export | None:
        """The export that is there, if it is the one wanted."""
        if not (self.out / EXPORT_NAME).exists():
            self._check_folder()
            return None
        found = self._load()
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
        BuildPlan.discard(self._work)
        return found

    def _check_folder(self) -> None:
        """Refuses a folder with files of someone else."""
        ours = _OTHERS | STATE_NAMES | {DATA_NAME, CARD_NAME, EXPORT_NAME}
        present = {entry.name for entry in os.scandir(self.out) if not is_part(entry.name)}
        strange = sorted(present - ours)
        whole = EXPORT_NAME in present
        if not whole and WORK_NAME not in present:
            strange += sorted(present & {DATA_NAME, CARD_NAME})
        if strange:
            raise BuildError(
                f"{self.out}: expected an empty folder or an export that was cut, found "
                f"{', '.join(strange[:5])}{' …' if len(strange) > 5 else ''}; give another --out"
            )

    def _resume(self, build: Build, archive: PassArchive) -> None:
        """Refuses archives and leftovers that do not fit; takes up those that do."""
        if not len(archive):
            raise BuildError(f"{archive.folder}: has no image of {self.what}")
        self._check_leftovers(build, archive)
        self._take_back()

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

    def _finish(self, plan: BuildPlan, removed: Sequence[str]) -> None:
        export = Export(
            self.release,
            self.parts,
            self.written_as,
            self._shards(plan, f"{DATA_NAME}/"),
            sum(plan.layout.shard_bytes),
            removed=len(removed),
        )
        review = review_of(self.archives.path, is_pass=self.release.is_official)
        write_whole(plan.folder / CARD_NAME, card_of(export, review).encode())
        sync_tree(plan.data)
        for name in (DATA_NAME, CARD_NAME):
            os.replace(plan.folder / name, self.out / name)
        sync_folder(self.out)
        if removed:
            note_removals(self.out, removed)
        export.save(self.out)
        BuildPlan.discard(plan.folder)
