"""A WebDataset folder read back, example by example."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pass_dataset.builds.reading.export import ExportFolder, image_differences
from pass_dataset.builds.stored_build import Damage, Difference, StoredShard
from pass_dataset.webdataset.keys import image_of_key
from pass_dataset.webdataset.manifest import WebDatasetExport
from pass_dataset.webdataset.shard_format import LABEL, metadata_of

__all__ = ["WebDatasetFolder", "WebDatasetRecord"]


@dataclass(frozen=True, slots=True)
class WebDatasetRecord:
    """An example without its image's bytes.

    Attributes:
      number: position in its shard, from 0.
      key: name of its files.
      values: what its JSON says.
      size_bytes: of the image.
      sha256: of the image's bytes, as 32 bytes.
      damage: why it is not to be trusted, or None.
    """

    number: int
    key: str
    values: Mapping[str, Any]
    size_bytes: int
    sha256: bytes
    damage: str | None = None

    @property
    def hash(self) -> bytes:
        return self.hash_text.encode()

    @property
    def hash_text(self) -> str:
        # Versions before 0.10 wrote the name as it is.
        named = self.values.get("hash")
        return self.key if named == self.key else image_of_key(self.key)

    def differences(self, row: Mapping[str, Any], sha256: bytes) -> Iterator[Difference]:
        """What differs from the archives, see `stored.builds.StoredRecord`."""
        yield from image_differences(self.size_bytes, self.sha256, row, sha256)
        expected = metadata_of(dict(row))
        if LABEL not in self.values:  # as versions before 0.10 wrote it
            expected.pop(LABEL)
        for name in sorted(expected.keys() | self.values.keys()):
            found, wanted = self.values.get(name), expected.get(name)
            if found != wanted:
                yield Difference(name, repr(found), repr(wanted))


@dataclass(frozen=True)
class WebDatasetFolder(ExportFolder[WebDatasetExport]):
    """A finished WebDataset export."""

    file_format = "webdataset"

    @classmethod
    def open(cls, folder: Path) -> WebDatasetFolder:
        """Opens a folder. Raises UnreadableBuildError if it is no finished export."""
        return cls(folder, WebDatasetExport.load(folder))

    def records(self, shard: StoredShard) -> Iterator[WebDatasetRecord | Damage]:
        """The examples of a tar."""
        number = 0
        try:
            with tarfile.open(shard.path, "r:") as tar:
                for key, files in _examples(tar):
                    yield _record(number, key, files)
                    number += 1
        except (OSError, tarfile.TarError) as error:
            yield Damage(f"cannot be read: {error}", ends_file=True)

    def put_on_record(self) -> None:
        """Nothing depends on this folder's having been found right."""


def _examples(tar: tarfile.TarFile) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Name and files, by extension, of each run of members of one name."""
    key, files = "", dict[str, bytes]()
    for member in tar:
        stem, _, extension = member.name.partition(".")
        if files and stem != key:
            yield key, files
            files = {}
        key = stem
        reader = tar.extractfile(member)
        files[extension] = b"" if reader is None else reader.read()
    if files:
        yield key, files


def _record(number: int, key: str, files: Mapping[str, bytes]) -> WebDatasetRecord:
    jpeg = files.get("jpg", b"")
    values: Any = None
    damage = None
    if files.keys() != {"jpg", "json"}:
        damage = f"expected {key}.jpg and {key}.json, found {', '.join(sorted(files))}"
    try:
        values = json.loads(files.get("json", b""))
    except ValueError as error:
        damage = damage or f"{key}.json: {error}"
    if not isinstance(values, dict):
        damage, values = damage or f"{key}.json: expected an object", {}
    return WebDatasetRecord(number, key, values, len(jpeg), hashlib.sha256(jpeg).digest(), damage)
