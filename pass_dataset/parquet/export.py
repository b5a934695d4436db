"""What a finished Parquet folder says of itself, and whether it is still what it says.

``export.json`` is written last: a folder that has it is whole. It goes to the Hub with the rest, so
that whoever has the folder can tell which release it is made from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pass_dataset.errors import ReleaseError, UnreadableBuildError
from pass_dataset.folders import write_whole
from pass_dataset.releases import Release, format_parts, format_release, parse_release

__all__ = ["CARD_NAME", "DATA_NAME", "EXPORT_NAME", "Export", "ExportShard", "is_export"]

EXPORT_NAME = "export.json"
CARD_NAME = "README.md"
DATA_NAME = "data"
_SCHEMA = 1


@dataclass(frozen=True)
class ExportShard:
    """A Parquet file.

    Attributes:
      path: in the folder, such as ``data/train-00000-of-00359.parquet``.
      num_examples: number of records.
      size_bytes: of the file.
    """

    path: str
    num_examples: int
    size_bytes: int


@dataclass(frozen=True)
class Export:
    """What a folder holds.

    Attributes:
      release: what its images are of.
      parts: part numbers that it was made from; None for all.
      format: how its files are written, `ImageParquet.name` and the size of a shard.
      num_bytes: bytes of all examples in Arrow, as `datasets` counts them.
      shards: its files, in order.
    """

    release: Release
    parts: tuple[int, ...] | None
    format: str
    num_bytes: int
    shards: tuple[ExportShard, ...]

    @property
    def num_examples(self) -> int:
        return sum(shard.num_examples for shard in self.shards)

    @property
    def download_bytes(self) -> int:
        """Bytes of all files."""
        return sum(shard.size_bytes for shard in self.shards)

    @property
    def what(self) -> str:
        """For people: ``PASS 3.0.0, parts 0, 3-5``."""
        return describe(self.release, self.parts)

    def is_of(self, release: Release, parts: tuple[int, ...] | None, written_as: str) -> bool:
        """True if an export of these would be the same."""
        return (format_release(release), parts, written_as) == (
            format_release(self.release),
            self.parts,
            self.format,
        )

    def save(self, folder: Path) -> None:
        """Writes ``export.json``."""
        content = {
            "schema": _SCHEMA,
            "what": self.what,
            "release": format_release(self.release),
            "parts": self.parts,
            "format": self.format,
            "num_examples": self.num_examples,
            "num_bytes": self.num_bytes,
            "shards": [asdict(shard) for shard in self.shards],
        }
        write_whole(folder / EXPORT_NAME, (json.dumps(content, indent=1) + "\n").encode())

    @classmethod
    def load(cls, folder: Path) -> Export:
        """Reads ``export.json``.

        Raises:
          UnreadableBuildError: the folder is no finished export, or the file is damaged.
        """
        path = folder / EXPORT_NAME
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if content["schema"] != _SCHEMA:
                raise ValueError(f"schema {content['schema']}, expected {_SCHEMA}")
            parts = content["parts"]
            return cls(
                parse_release(content["release"], path),
                None if parts is None else tuple(parts),
                content["format"],
                content["num_bytes"],
                tuple(ExportShard(**shard) for shard in content["shards"]),
            )
        except FileNotFoundError as error:
            raise UnreadableBuildError(
                f"{folder}: no {EXPORT_NAME} in it, so it is no finished Parquet export. "
                "pass-dataset build parquet makes one, and continues one that was cut."
            ) from error
        except (OSError, ValueError, KeyError, TypeError, ReleaseError) as error:
            raise UnreadableBuildError(
                f"{path}: cannot be read ({error}); build the folder again"
            ) from error

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
        if not (folder / CARD_NAME).is_file():
            yield f"{folder / CARD_NAME}: missing"


def describe(release: Release, parts: tuple[int, ...] | None) -> str:
    """A release and the parts of it, for people."""
    if parts is None:
        return release.label
    return f"{release.label}, parts {format_parts(parts).replace(',', ', ')}"


def is_export(folder: Path) -> bool:
    """True if a folder looks like a Parquet export, finished or not."""
    return (folder / EXPORT_NAME).is_file() or any((folder / DATA_NAME).glob("*.parquet"))


def contents_digest(folder: Path, export: Export) -> str:
    """Changes whenever a file of the folder was written to: sizes and times of all of them."""
    stats = []
    for name in (CARD_NAME, EXPORT_NAME, *(shard.path for shard in export.shards)):
        stat = (folder / name).stat()
        stats.append([name, stat.st_size, stat.st_mtime_ns])
    return hashlib.sha256(json.dumps(stats).encode()).hexdigest()
