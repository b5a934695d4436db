"""What a finished WebDataset folder says of itself: ``shards.json``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pass_dataset.errors import ReleaseError, UnreadableBuildError
from pass_dataset.folders import write_whole
from pass_dataset.releases import Release, format_release, parse_release

__all__ = ["SHARDS_NAME", "WebDatasetExport", "is_webdataset"]

SHARDS_NAME = "shards.json"
_SCHEMA = 1


@dataclass(frozen=True)
class WebDatasetExport:
    """What a folder holds.

    Attributes:
      release: what its images are of.
      parts: part numbers that it was made from; None for all.
      format: how its files are written, and the size of a shard.
      shards: name, number of examples and bytes of each file, in order.
    """

    release: Release
    parts: tuple[int, ...] | None
    format: str
    shards: tuple[tuple[str, int, int], ...]

    @property
    def num_examples(self) -> int:
        return sum(examples for _, examples, _ in self.shards)

    @property
    def size_bytes(self) -> int:
        return sum(size_bytes for _, _, size_bytes in self.shards)

    def is_of(self, release: Release, parts: tuple[int, ...] | None, written_as: str) -> bool:
        """True if an export of these would be the same."""
        mine = (format_release(self.release), self.parts, self.format)
        return mine == (format_release(release), parts, written_as)

    def save(self, folder: Path) -> None:
        """Writes ``shards.json``, in the form that webdataset's `wids` knows."""
        content = {
            "__kind__": "wids-shard-index-v1",
            "wids_version": 1,
            "name": self.release.label,
            "shardlist": [
                {"url": name, "nsamples": examples, "filesize": size_bytes}
                for name, examples, size_bytes in self.shards
            ],
            "pass_dataset": {
                "schema": _SCHEMA,
                "release": format_release(self.release),
                "parts": self.parts,
                "format": self.format,
            },
        }
        write_whole(folder / SHARDS_NAME, (json.dumps(content, indent=1) + "\n").encode())

    @classmethod
    def load(cls, folder: Path) -> WebDatasetExport:
        """Reads ``shards.json``.

        Raises:
          UnreadableBuildError: the folder is no finished export, or the file is damaged.
        """
        path = folder / SHARDS_NAME
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            ours = content["pass_dataset"]
            if ours["schema"] != _SCHEMA:
                raise ValueError(f"schema {ours['schema']}, expected {_SCHEMA}")
            parts = ours["parts"]
            return cls(
                parse_release(ours["release"], path),
                None if parts is None else tuple(parts),
                ours["format"],
                tuple(
                    (shard["url"], shard["nsamples"], shard["filesize"])
                    for shard in content["shardlist"]
                ),
            )
        except FileNotFoundError as error:
            raise UnreadableBuildError(
                f"{folder}: no {SHARDS_NAME} in it, so it is no finished WebDataset export. "
                "pass-dataset build webdataset makes one."
            ) from error
        except (OSError, ValueError, KeyError, TypeError, ReleaseError) as error:
            raise UnreadableBuildError(
                f"{path}: cannot be read ({error!r}); build the folder again"
            ) from error

    def faults(self, folder: Path) -> Iterator[str]:
        """What is wrong with the folder at a glance: files that are not there or not whole."""
        for name, _, size_bytes in self.shards:
            try:
                found = (folder / name).stat().st_size
            except OSError as error:
                yield f"{folder / name}: {error.strerror}"
                continue
            if found != size_bytes:
                yield f"{folder / name}: expected {size_bytes:,} bytes, found {found:,}"


def is_webdataset(folder: Path) -> bool:
    """True if a folder is a finished WebDataset export."""
    return (folder / SHARDS_NAME).is_file()
