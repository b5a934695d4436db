"""What a build rests on: archives and removal lists, asked again before the result gets its name.

A list may be added to, and archives purged, while a build is at work for hours. `remove` and
`purge` do not wait for it: what they were told counts from then on. So the build holds the archives
when it comes to its end, asks whether anything has changed, and only then names what it made; who
removes an image after that finds a finished build.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import Removals, removals_for
from pass_dataset.archives.saved_index import marks_of
from pass_dataset.builds.purging.receipt import PurgeReceipt
from pass_dataset.errors import BuildError, FolderError
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.folders.file_mark import FileMark, are_same
from pass_dataset.folders.lock import hold

__all__ = ["Basis", "Before", "refuse_purged"]


@dataclass(frozen=True)
class Before:
    """A folder before it is opened to be built from.

    Attributes:
      folder: which.
      marks: its files.
    """

    folder: Path
    marks: Mapping[str, FileMark]


def refuse_purged(archives: ArchiveFolder) -> Before:
    """What `Basis.of` asks for.

    Raises:
      FolderError: it is being purged, or a purge of it was cut.
    """
    if _is_being_purged(archives.path):
        raise FolderError(
            f"{archives.path}: is being purged, or a purge of it was cut; wait for its end, or end "
            f"it with: pass-dataset purge {archives.path}"
        )
    return Before(archives.path, marks_of(archives))


@dataclass(frozen=True)
class Basis:
    """Archives and lists as they were when a build began.

    Attributes:
      archive: the records.
      places: folders whose lists count, beside that of the archives.
      given: one more list.
    """

    archive: PassArchive
    places: tuple[Path, ...]
    given: Removals | None
    _marks: Mapping[str, FileMark] = field(repr=False)

    @classmethod
    def of(
        cls,
        archive: PassArchive,
        before: Before,
        *places: Path,
        given: Removals | None = None,
    ) -> Basis:
        """That of a build which has just opened its archives.

        Args:
          archive: the records, without what is on lists.
          before: what `refuse_purged` gave before they were opened.
          places, given: see the attributes.

        Raises:
          FolderError: they are being purged, or changed while they were opened.
        """
        now = refuse_purged(archive.archives)
        had, has = before.marks, now.marks
        # Files that were not there before have been fetched, maybe into another folder.
        if before.folder == now.folder and had.keys() == has.keys() and not are_same(had, has):
            raise FolderError(f"{archive.folder}: was changed while it was opened; build again")
        return cls(archive, places, given, now.marks)

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Holds the archives, for as long as it takes to ask and to name the result."""
        with contextlib.ExitStack() as stack:
            # Where nothing can be locked nobody adds to a list either, but by hand.
            with contextlib.suppress(OSError, FolderError):
                stack.enter_context(hold(self.archive.folder))
            yield

    def change(self) -> str | None:
        """What has changed since the build began, for people.

        Raises:
          MetadataError: a list cannot be read.
        """
        folder = self.archive.folder
        listed = removals_for(folder, *self.places, given=self.given)
        removed = len(self.archive.keeping(sorted(listed.hashes))) if listed else 0
        if removed:
            return f"{removed:,} of its images were put on removal lists while it was at work"
        if _is_being_purged(folder) or not are_same(marks_of(self.archive.archives), self._marks):
            return f"{folder} was purged, or changed, while it was at work"
        return None

    def require_unchanged(self, what: object) -> None:
        """Refuses a result that is about to get its name.

        Raises:
          BuildError: something has changed.
        """
        change = self.change()
        if change is not None:
            raise BuildError(f"{what}: {change}; what was made is not kept. Build again")


def _is_being_purged(folder: Path) -> bool:
    purges = PurgeReceipt.load(folder).purges
    return bool(purges) and purges[-1].finished is None
