"""What a finished WebDataset folder says of itself: ``_shards.json``, and to timm ``_info.json``.

Programs that read all files of a folder pass over names that begin with an underscore.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pass_dataset.builds.manifest import ExportRecord, ExportShard
from pass_dataset.builds.writing.build import SPLIT
from pass_dataset.files.whole import write_whole
from pass_dataset.webdataset.shard_format import LABEL

__all__ = ["SHARDS_NAME", "WebDatasetExport", "is_webdataset"]

SHARDS_NAME = "_shards.json"
#: What it was called before version 0.10.
_OLDER_NAME = "shards.json"
#: Where `timm` looks for the shards of a split.
INFO_NAME = "_info.json"


@dataclass(frozen=True)
class WebDatasetExport(ExportRecord):
    """What a folder holds, as ``_shards.json`` has it; `wids` of webdataset knows its form."""

    file_name = SHARDS_NAME
    older_names = (_OLDER_NAME,)
    absent = (
        f"{{folder}}: no {SHARDS_NAME} in it, so it is no finished WebDataset export. "
        "pass-dataset build webdataset makes one."
    )
    unreadable = "{path}: cannot be read ({error!r}); build the folder again"

    def save(self, folder: Path) -> None:
        info = json.dumps({"splits": {SPLIT: self._split()}}, indent=1) + "\n"
        write_whole(folder / INFO_NAME, info.encode())
        super().save(folder)

    def _split(self) -> dict[str, Any]:
        """As timm reads it."""
        return {
            "name": SPLIT,
            "num_samples": self.num_examples,
            "filenames": [shard.path for shard in self.shards],
            "shard_lengths": [shard.num_examples for shard in self.shards],
            "alt_label": LABEL,
        }

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
    return any((folder / name).is_file() for name in (SHARDS_NAME, _OLDER_NAME))
