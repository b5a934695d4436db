"""What a finished export says of itself, and whether it is still what it says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pass_dataset.errors import ReleaseError, UnreadableBuildError
from pass_dataset.files.checked_json import load_json, save_json
from pass_dataset.files.inside import require_inside
from pass_dataset.releases.release import Release, format_release, parse_release

__all__ = ["ExportRecord", "ExportShard"]

_Record = TypeVar("_Record", bound="ExportRecord")


@dataclass(frozen=True)
class ExportShard:
    """A file of an export.

    Attributes:
      path: in the folder, such as ``data/train-00000-of-00359.parquet``.
      num_examples: number of records.
      size_bytes: of the file.
    """

    path: str
    num_examples: int
    size_bytes: int


@dataclass(frozen=True)
class ExportRecord(ABC):
    """What a folder holds, kept in a JSON file that is written last: a folder with it is whole.

    Attributes:
      release: what its images are of.
      parts: part numbers that it was made from; None for all.
      format: how its files are written, and the size of a shard.
      shards: its files, in order.
      removed: number of images of the archives that it lacks because of removal lists.
    """

    release: Release
    parts: tuple[int, ...] | None
    format: str
    shards: tuple[ExportShard, ...]
    removed: int = field(default=0, kw_only=True)

    #: Which version of the JSON file's content is written and read.
    schema: ClassVar[int] = 1
    #: Name of the JSON file.
    file_name: ClassVar[str]
    #: What earlier versions called it.
    older_names: ClassVar[tuple[str, ...]] = ()
    #: Messages: there is no such file (of ``folder``); it is damaged (of ``path``, ``error``).
    absent: ClassVar[str]
    unreadable: ClassVar[str]

    @property
    def num_examples(self) -> int:
        return sum(shard.num_examples for shard in self.shards)

    @property
    def size_bytes(self) -> int:
        """Bytes of all shards."""
        return sum(shard.size_bytes for shard in self.shards)

    def is_of(self, release: Release, parts: tuple[int, ...] | None, written_as: str) -> bool:
        """True if an export of these would be the same."""
        mine = (format_release(self.release.origin), self.parts, self.format)
        return mine == (format_release(release.origin), parts, written_as)

    def save(self, folder: Path) -> None:
        """Writes the JSON file."""
        save_json(folder / self.file_name, self._content(), indent=1)
        for name in self.older_names:
            (folder / name).unlink(missing_ok=True)

    @classmethod
    def load(cls: type[_Record], folder: Path) -> _Record:
        """Reads the JSON file.

        Raises:
          UnreadableBuildError: the folder is no finished export, or the file is damaged.
        """
        names = (cls.file_name, *cls.older_names)
        path = next(
            (folder / name for name in names if (folder / name).exists()), folder / names[0]
        )
        try:
            record = cls._of(load_json(path), path)
            for shard in record.shards:
                require_inside(shard.path)
            return record
        except FileNotFoundError as error:
            raise UnreadableBuildError(cls.absent.format(folder=folder)) from error
        except (OSError, ValueError, KeyError, TypeError, ReleaseError) as error:
            raise UnreadableBuildError(cls.unreadable.format(path=path, error=error)) from error

    def with_purged(self: _Record, path: str, size_bytes: int, images: int) -> _Record:
        """The record once a shard was written anew without some images; itself if it says so.

        Args:
          path: of the shard, in the folder.
          size_bytes: of the new file.
          images: how many the new file lacks.
        """
        old = next(shard for shard in self.shards if shard.path == path)
        if old.size_bytes == size_bytes:
            return self
        new = ExportShard(path, old.num_examples - images, size_bytes)
        shards = tuple(new if shard is old else shard for shard in self.shards)
        return replace(self, shards=shards, removed=self.removed + images)

    def faults(self, folder: Path) -> Iterator[str]:
        """What is wrong with the folder at a glance: files that are not there or not whole."""
        for shard in self.shards:
            path = folder / shard.path
            try:
                size_bytes = path.stat().st_size
            except OSError as error:
                yield f"{path}: {error.strerror}"
                continue
            if size_bytes != shard.size_bytes:
                yield f"{path}: expected {shard.size_bytes:,} bytes, found {size_bytes:,}"

    @abstractmethod
    def _content(self) -> dict[str, Any]:
        """What the JSON file holds."""

    @classmethod
    @abstractmethod
    def _of(cls: type[_Record], content: dict[str, Any], path: Path) -> _Record:
        """The record in the content of a file.

        Raises:
          ValueError, KeyError, TypeError, ReleaseError: it is none.
        """

    def _origin(self) -> dict[str, Any]:
        """Release, parts, format and images removed, for JSON."""
        return {
            "release": format_release(self.release),
            "parts": self.parts,
            "format": self.format,
            **({"removed": self.removed} if self.removed else {}),
        }

    @classmethod
    def _parse_origin(
        cls, content: Mapping[str, Any], path: Path
    ) -> tuple[Release, tuple[int, ...] | None, str, int]:
        """Release, parts, format, images removed: what `_origin` gave, if it is of our schema."""
        if content["schema"] != cls.schema:
            raise ValueError(f"schema {content['schema']}, expected {cls.schema}")
        release, parts = parse_release(content["release"], path), content["parts"]
        removed = content.get("removed", 0)
        return release, None if parts is None else tuple(parts), content["format"], removed
