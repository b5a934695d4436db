"""An export read back: what those of all formats offer to be compared with the archives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pass_dataset.builds.manifest import ExportRecord
from pass_dataset.builds.stored_build import Damage, Difference, StoredRecord, StoredShard
from pass_dataset.releases.release import Release

__all__ = ["ExportFolder", "image_differences"]

_Record = TypeVar("_Record", bound=ExportRecord)


@dataclass(frozen=True)
class ExportFolder(ABC, Generic[_Record]):
    """A finished export, as `stored.builds.StoredBuild` has it.

    Attributes:
      folder: where.
      export: what it says of itself.
    """

    folder: Path
    export: _Record

    #: Name of the format of its files.
    file_format: ClassVar[str]

    @property
    def name(self) -> str:
        return self.export.release.name

    @property
    def version(self) -> str:
        return self.export.release.version

    @property
    def label(self) -> str:
        return self.export.release.label

    @property
    def release(self) -> Release:
        return self.export.release

    @property
    def parts(self) -> tuple[int, ...] | None:
        return self.export.parts

    @property
    def limit(self) -> None:
        return None

    @property
    def shards(self) -> tuple[StoredShard, ...]:
        return tuple(
            StoredShard(self.folder / shard.path, "train", shard.num_examples)
            for shard in self.export.shards
        )

    @property
    def num_examples(self) -> int:
        return self.export.num_examples

    @abstractmethod
    def records(self, shard: StoredShard) -> Iterator[StoredRecord | Damage]:
        """The records of a shard, see `stored.builds.StoredBuild`."""

    @abstractmethod
    def put_on_record(self) -> None:
        """Notes that the folder was found right, where something depends on it."""


def image_differences(
    size_bytes: int, found: bytes, row: Mapping[str, Any], expected: bytes
) -> Iterator[Difference]:
    """What differs between an image of an export and that in the archives.

    Args:
      size_bytes: of the export's image.
      found: SHA-256 of the export's image.
      row: the image's row of the index.
      expected: SHA-256 of the image in the tar.
    """
    if found != expected:
        yield Difference(
            "image",
            f"{size_bytes:,} bytes with SHA-256 {found.hex()}",
            f"{row['size_bytes']:,} bytes with SHA-256 {expected.hex()}",
        )
