"""WebDataset in the catalogue of formats."""

from __future__ import annotations

from pathlib import Path

from pass_dataset.builds.catalogue import Format
from pass_dataset.builds.purging.purging import Purgeable
from pass_dataset.builds.stored_build import StoredBuild
from pass_dataset.webdataset.manifest import is_webdataset
from pass_dataset.webdataset.purge import PurgeableWebDataset
from pass_dataset.webdataset.stored import WebDatasetFolder

__all__ = ["FORMAT"]


class _Webdataset(Format):
    label = "WebDataset export"

    def recognises(self, folder: Path) -> bool:
        return is_webdataset(folder)

    def open_purgeable(self, folder: Path) -> Purgeable:
        return PurgeableWebDataset(folder)

    def open_stored(self, folder: Path, name: str | None = None) -> StoredBuild:
        return WebDatasetFolder.open(folder)


FORMAT: Format = _Webdataset()
