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

from pass_dataset.builds.manifest import ExportRecord, ExportShard
from pass_dataset.releases.release import Release, format_parts

__all__ = ["CARD_NAME", "DATA_NAME", "EXPORT_NAME", "Export", "is_export"]

EXPORT_NAME = "export.json"
CARD_NAME = "README.md"
DATA_NAME = "data"


@dataclass(frozen=True)
class Export(ExportRecord):
    """What a folder holds, as ``export.json`` has it.

    Attributes:
      num_bytes: bytes of all examples in Arrow, as `datasets` counts them.
    """

    num_bytes: int

    file_name = EXPORT_NAME
    absent = (
        f"{{folder}}: no {EXPORT_NAME} in it, so it is no finished Parquet export. "
        "pass-dataset build parquet makes one, and continues one that was cut."
    )
    unreadable = "{path}: cannot be read ({error}); build the folder again"

    @property
    def what(self) -> str:
        """For people: ``PASS 3.0.0, parts 0, 3-5``."""
        return describe(self.release, self.parts)

    def faults(self, folder: Path) -> Iterator[str]:
        """What is wrong with the folder at a glance: files that are not there or not whole."""
        yield from super().faults(folder)
        if not (folder / CARD_NAME).is_file():
            yield f"{folder / CARD_NAME}: missing"

    def _content(self) -> dict[str, Any]:
        return {
            "schema": self.schema,
            "what": self.what,
            **self._origin(),
            "num_examples": self.num_examples,
            "num_bytes": self.num_bytes,
            "shards": [asdict(shard) for shard in self.shards],
        }

    @classmethod
    def _of(cls, content: dict[str, Any], path: Path) -> Export:
        release, parts, written_as, removed = cls._parse_origin(content, path)
        shards = tuple(ExportShard(**shard) for shard in content["shards"])
        return cls(release, parts, written_as, shards, content["num_bytes"], removed=removed)


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
