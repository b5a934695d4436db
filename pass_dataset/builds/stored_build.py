"""What a build of any library offers to be compared with its archives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pass_dataset.releases.release import Release

__all__ = ["Damage", "Difference", "StoredBuild", "StoredRecord", "StoredShard"]


@dataclass(frozen=True)
class StoredShard:
    """A file of records.

    Attributes:
      path: where.
      split: split it belongs to.
      num_examples: number of records it should have, by the build's description.
    """

    path: Path
    split: str
    num_examples: int


@dataclass(frozen=True)
class Damage:
    """What stands in the place of a record that cannot be trusted.

    Attributes:
      detail: what is wrong.
      data: the record's bytes as far as they could be read, or None.
      ends_file: it is no single record: nothing can be read from here on.
      records: in the place of so many records it stands.
    """

    detail: str
    data: bytes | None = None
    ends_file: bool = False
    records: int = 1


@dataclass(frozen=True)
class Difference:
    """A field that is not as in the archives.

    Attributes:
      feature: name of the feature.
      found, expected: what to print of either.
    """

    feature: str
    found: str
    expected: str

    @property
    def is_image(self) -> bool:
        return self.feature == "image"

    def __str__(self) -> str:
        return f"{self.feature}: expected {self.expected}, found {self.found}"


class StoredRecord(Protocol):
    """A record without its image's bytes."""

    @property
    def number(self) -> int:
        """Position in its shard, from 0."""

    @property
    def hash(self) -> bytes:
        """As stored, UTF-8."""

    @property
    def sha256(self) -> bytes:
        """Of the image's bytes, as 32 bytes."""

    @property
    def damage(self) -> str | None:
        """Why the record's bytes are not to be trusted, or None."""

    @property
    def hash_text(self) -> str:
        """The hash, to be printed."""

    def differences(self, row: Mapping[str, Any], sha256: bytes) -> Iterator[Difference]:
        """What differs from the archives.

        Args:
          row: the image's row of the index.
          sha256: of the image in the tar.
        """


class StoredBuild(Protocol):
    """A finished build."""

    @property
    def folder(self) -> Path:
        """Where it lies."""

    @property
    def name(self) -> str:
        """Dataset name."""

    @property
    def version(self) -> str:
        """``X.Y.Z``."""

    @property
    def label(self) -> str:
        """For people."""

    @property
    def release(self) -> Release | None:
        """What it was made from, if it says so in full."""

    @property
    def file_format(self) -> str:
        """Of its shards."""

    @property
    def parts(self) -> tuple[int, ...] | None:
        """Numbers of the tars it was made from; None for all."""

    @property
    def limit(self) -> int | None:
        """How many images of these it has, the first ones; None for all."""

    @property
    def shards(self) -> Sequence[StoredShard]:
        """All files of records, in order."""

    @property
    def num_examples(self) -> int:
        """Number of records there should be."""

    def records(self, shard: StoredShard) -> Iterator[StoredRecord | Damage]:
        """The records of a shard in order, and `Damage` where there should be one."""

    def put_on_record(self) -> None:
        """Notes that the build was found right."""
