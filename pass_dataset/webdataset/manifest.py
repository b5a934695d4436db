"""What a finished WebDataset folder says of itself: ``shards.json``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pass_dataset.builds.manifest import ExportRecord, ExportShard

__all__ = ["SHARDS_NAME", "WebDatasetExport", "is_webdataset"]

SHARDS_NAME = "shards.json"


@dataclass(frozen=True)
class WebDatasetExport(ExportRecord):
    """What a folder holds, as ``shards.json`` has it; `wids` of webdataset knows its form."""

    file_name = SHARDS_NAME
    absent = (
        f"{{folder}}: no {SHARDS_NAME} in it, so it is no finished WebDataset export. "
        "pass-dataset build webdataset makes one."
    )
    unreadable = "{path}: cannot be read ({error!r}); build the folder again"

    def _content(self) -> dict[str, Any]:
        return {
            "__kind__": "wids-shard-index-v1",
            "wids_version": 1,
            "name": self.release.label,
            "shardlist": [
                {"url": shard.path, "nsamples": shard.num_examples, "filesize": shard.size_bytes}
                for shard in self.shards
            ],
            "pass_dataset": {"schema": self.schema, **self._origin()},
        }

    @classmethod
    def _of(cls, content: dict[str, Any], path: Path) -> WebDatasetExport:
        release, parts, written_as, removed = cls._parse_origin(content["pass_dataset"], path)
        shards = tuple(
            ExportShard(shard["url"], shard["nsamples"], shard["filesize"])
            for shard in content["shardlist"]
        )
        return cls(release, parts, written_as, shards, removed=removed)


def is_webdataset(folder: Path) -> bool:
    """True if a folder is a finished WebDataset export."""
    return (folder / SHARDS_NAME).is_file()
