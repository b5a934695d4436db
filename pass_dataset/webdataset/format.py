"""WebDataset in the catalogue of formats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pass_dataset.archives.removals import Removals
from pass_dataset.builds.catalogue import Format, Place, Reader, stored_images
from pass_dataset.builds.purging.purging import Purgeable
from pass_dataset.builds.stored_build import StoredBuild
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.webdataset.build import WebDatasetBuild
from pass_dataset.webdataset.manifest import is_webdataset
from pass_dataset.webdataset.purge import PurgeableWebDataset
from pass_dataset.webdataset.stored import WebDatasetFolder

__all__ = ["FORMAT"]


def _files(place: Place) -> Iterator[tuple[str, bytes]]:
    assert place.build is not None
    return stored_images(WebDatasetFolder.open(place.build))


class _Webdataset(Format):
    label = "WebDataset export"
    readers = (
        Reader("WebDataset export, its files", _files, heeds_lists=False, takes_removals=False),
    )

    def export(self, archives: ArchiveFolder, out: Path, removals: Removals | None = None) -> Path:
        WebDatasetBuild(out, archives, removals=removals).run()
        return out

    def recognises(self, folder: Path) -> bool:
        return is_webdataset(folder)

    def open_purgeable(self, folder: Path) -> Purgeable:
        return PurgeableWebDataset(folder)

    def open_stored(self, folder: Path, name: str | None = None) -> StoredBuild:
        return WebDatasetFolder.open(folder)


FORMAT: Format = _Webdataset()
