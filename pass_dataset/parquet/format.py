"""Parquet in the catalogue of formats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pass_dataset.archives.removals import Removals
from pass_dataset.builds.catalogue import Format, Place, Reader, stored_images
from pass_dataset.builds.purging.purging import Purgeable
from pass_dataset.builds.stored_build import StoredBuild
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.parquet.build import ParquetBuild
from pass_dataset.parquet.manifest import is_export
from pass_dataset.parquet.purge import PurgeableParquet
from pass_dataset.parquet.stored import ParquetFolder

__all__ = ["FORMAT"]


def _files(place: Place) -> Iterator[tuple[str, bytes]]:
    assert place.build is not None
    return stored_images(ParquetFolder.open(place.build))


class _Parquet(Format):
    label = "Parquet export"
    readers = (
        Reader("Parquet export, its files", _files, heeds_lists=False, takes_removals=False),
    )

    def export(self, archives: ArchiveFolder, out: Path, removals: Removals | None = None) -> Path:
        ParquetBuild(out, archives, removals=removals).run()
        return out

    def recognises(self, folder: Path) -> bool:
        return is_export(folder)

    def open_purgeable(self, folder: Path) -> Purgeable:
        return PurgeableParquet(folder)

    def open_stored(self, folder: Path, name: str | None = None) -> StoredBuild:
        return ParquetFolder.open(folder)


FORMAT: Format = _Parquet()
