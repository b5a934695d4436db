"""Parquet in the catalogue of formats."""

from __future__ import annotations

from pathlib import Path

from pass_dataset.builds.catalogue import Format
from pass_dataset.builds.purging.purging import Purgeable
from pass_dataset.builds.stored_build import StoredBuild
from pass_dataset.parquet.manifest import is_export
from pass_dataset.parquet.purge import PurgeableParquet
from pass_dataset.parquet.stored import ParquetFolder

__all__ = ["FORMAT"]


class _Parquet(Format):
    label = "Parquet export"

    def recognises(self, folder: Path) -> bool:
        return is_export(folder)

    def open_purgeable(self, folder: Path) -> Purgeable:
        return PurgeableParquet(folder)

    def open_stored(self, folder: Path, name: str | None = None) -> StoredBuild:
        return ParquetFolder.open(folder)


FORMAT: Format = _Parquet()
