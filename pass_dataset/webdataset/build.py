"""A WebDataset folder, built from an archive folder: in parallel, and continued if it was cut.

It is written beside, as ``incomplete.OUT``, and gets its name when all of it is whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import note_removals
from pass_dataset.builds.writing.build import Build
from pass_dataset.builds.writing.export import ExportBuild
from pass_dataset.builds.writing.plan import BuildPlan, work_folder
from pass_dataset.errors import BuildError
from pass_dataset.releases.release import format_parts
from pass_dataset.webdataset.manifest import WebDatasetExport, is_webdataset
from pass_dataset.webdataset.shard_format import TarShards

__all__ = ["WebDatasetBuild"]


@dataclass(frozen=True)
class WebDatasetBuild(ExportBuild[WebDatasetExport]):
    """A WebDataset export to be made, see `exports.build.ExportBuild`.

    The parent of the folder must be on the same disk.
    """

    shard_format: TarShards = field(default_factory=TarShards, kw_only=True)

    extension = "tar"

    @property
    def what(self) -> str:
        """For people: ``PASS 3.0.0, parts 0,3-5``."""
        if self.parts is None:
            return self.release.label
        return f"{self.release.label}, parts {format_parts(self.parts)}"

    @property
    def _target(self) -> Path:
        return self.out.absolute()

    @property
    def _work(self) -> Path:
        return work_folder(self._target)

    def _claim(self) -> Path:
        """Makes the parent and holds that: the folder itself is there when it is whole."""
        self._finished()
        parent = self._target.parent
        parent.mkdir(parents=True, exist_ok=True)
        return parent

    def _load(self) -> WebDatasetExport:
        return WebDatasetExport.load(self._target)

    def _resume(self, build: Build, archive: PassArchive) -> None:
        """Nothing: all that a cut export has left lies in the work folder."""

    def _finished(self) -> WebDatasetExport | None:
        """The export that is there, if it is the one wanted; None if there is nothing."""
        out = self._target
        if not out.exists() or not any(out.iterdir()):
            return None
        if not is_webdataset(out):
            raise BuildError(f"{out}: expected an empty folder or none; give another --out")
        found = self._load()
        if not found.is_of(self.release, self.parts, self.written_as):
            raise BuildError(
                f"{out}: holds another export ({found.release.label}, {found.format}) than "
                f"{self.what} ({self.written_as}); give another --out, or remove the folder"
            )
        faults = list(found.faults(out))
        if faults:
            raise BuildError(f"{'; '.join(faults[:5])}. Remove {out} and build again.")
        return found

    def _finish(self, plan: BuildPlan, removed: Sequence[str]) -> None:
        export = WebDatasetExport(
            self.release, self.parts, self.written_as, self._shards(plan), removed=len(removed)
        )
        export.save(plan.data)
        if removed:
            note_removals(plan.data, removed)
        plan.publish(self._target)
