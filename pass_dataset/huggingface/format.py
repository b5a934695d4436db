"""What `datasets` keeps in its cache, in the catalogue of formats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pass_dataset.archives.removals import Removals
from pass_dataset.builds.catalogue import INFO_NAME, Format, Place, Reader, with_sha256
from pass_dataset.builds.purging.purging import Purgeable
from pass_dataset.extras import require
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.huggingface.purge import PurgeableCache

__all__ = ["FORMAT"]


def _loaded(
    archives: ArchiveFolder, cache: Path | None, removals: Removals | None, **options: Any
) -> Any:
    datasets = require("datasets", feature="Loading with datasets", extra="huggingface")
    return datasets.load_dataset(
        "pass",
        split="train",
        release=archives.release.origin,
        parts=archives.parts,
        data_dir=str(archives.path),
        cache_dir=None if cache is None else str(cache),
        removals=removals,
        **options,
    )


def _mapped(place: Place) -> Iterator[tuple[str, bytes]]:
    return _images(_loaded(place.archives, place.build, place.removals))


def _streaming(place: Place) -> Iterator[tuple[str, bytes]]:
    return _images(_loaded(place.archives, None, place.removals, streaming=True))


def _images(rows: Any) -> Iterator[tuple[str, bytes]]:
    datasets = require("datasets", feature="Loading with datasets", extra="huggingface")
    undecoded = rows.select_columns(["hash", "image"]).cast_column(
        "image", datasets.Image(decode=False)
    )
    return with_sha256((row["hash"], row["image"]["bytes"]) for row in undecoded)


class _Huggingface(Format):
    label = "cache of datasets"
    readers = (
        Reader("datasets, mapped", _mapped),
        Reader("datasets, streaming", _streaming, in_place=True),
    )

    def export(self, archives: ArchiveFolder, out: Path, removals: Removals | None = None) -> Path:
        _loaded(archives, out, removals)
        return out

    def recognises(self, folder: Path) -> bool:
        try:
            info = json.loads((folder / INFO_NAME).read_text(encoding="utf-8"))
            # An export given as a folder is cached under the folder's name. The Hub's old script
            # called its columns otherwise.
            return "creator_uname" in info["features"] and "hash" in info["features"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False

    def open_purgeable(self, folder: Path) -> Purgeable:
        return PurgeableCache(folder)


FORMAT: Format = _Huggingface()
