"""TFDS in the catalogue of formats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pass_dataset.archives.removals import Removals
from pass_dataset.builds.catalogue import (
    INFO_NAME,
    Format,
    Place,
    Reader,
    stored_images,
    with_sha256,
)
from pass_dataset.builds.purging.purging import Purgeable
from pass_dataset.builds.stored_build import StoredBuild
from pass_dataset.extras import require
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.tfds import wire
from pass_dataset.tfds.purge import PurgeableTfds
from pass_dataset.tfds.stored import open_build

__all__ = ["FORMAT"]


#: TFDS reads each of these in one way only: by `as_dataset`, and by `as_data_source`.
_TF_DATA, _SOURCE = "tfrecord", "array_record"


def _built(archives: ArchiveFolder, out: Path, removals: Removals | None, file_format: str) -> Any:
    """The builder, after it has built what is not there."""
    tfds = require("tensorflow_datasets", feature="TFDS", extra="tfds")
    # Not with the entry: TensorFlow takes seconds.
    from pass_dataset.tfds.pass_dataset_builder import Builder

    builder = Builder(
        release=archives.release.origin,
        parts=archives.parts,
        data_dir=out / file_format,
        removals=removals,
        file_format=file_format,
    )
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=archives.path)
    )
    return builder


def _built_at(place: Place, file_format: str) -> Any:
    assert place.build is not None
    return _built(place.archives, place.build, place.removals, file_format)


def _as_dataset(place: Place) -> Iterator[tuple[str, bytes]]:
    tfds = require("tensorflow_datasets", feature="TFDS", extra="tfds")
    examples = _built_at(place, _TF_DATA).as_dataset(
        split="train", decoders={wire.IMAGE: tfds.decode.SkipDecoding()}
    )
    return with_sha256(
        (example[wire.HASH].decode(), example[wire.IMAGE]) for example in tfds.as_numpy(examples)
    )


def _as_data_source(place: Place) -> Iterator[tuple[str, bytes]]:
    tfds = require("tensorflow_datasets", feature="TFDS", extra="tfds")
    source = _built_at(place, _SOURCE).as_data_source(
        split="train", decoders={wire.IMAGE: tfds.decode.SkipDecoding()}
    )
    examples = (source[position] for position in range(len(source)))
    return with_sha256((one[wire.HASH].decode(), one[wire.IMAGE]) for one in examples)


def _files(place: Place) -> Iterator[tuple[str, bytes]]:
    assert place.build is not None
    return stored_images(open_build(place.build / _TF_DATA))


class _Tfds(Format):
    label = "TFDS build"
    readers = (
        Reader("TFDS, as_dataset", _as_dataset),
        Reader("TFDS, as_data_source", _as_data_source),
        Reader("TFDS, its files", _files, heeds_lists=False, takes_removals=False),
    )

    def export(self, archives: ArchiveFolder, out: Path, removals: Removals | None = None) -> Path:
        for file_format in (_TF_DATA, _SOURCE):
            _built(archives, out, removals, file_format)
        return out

    def recognises(self, folder: Path) -> bool:
        try:
            info = json.loads((folder / INFO_NAME).read_text(encoding="utf-8"))
            return str(info.get("moduleName", "")).startswith("pass_dataset.")
        except (OSError, ValueError, AttributeError):
            return False

    def open_purgeable(self, folder: Path) -> Purgeable:
        return PurgeableTfds(folder)

    def open_stored(self, folder: Path, name: str | None = None) -> StoredBuild:
        return open_build(folder, name)


FORMAT: Format = _Tfds()
