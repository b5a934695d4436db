"""What `datasets` keeps in its cache, in the catalogue of formats."""

from __future__ import annotations

import json
from pathlib import Path

from pass_dataset.builds.catalogue import INFO_NAME, Format
from pass_dataset.builds.purging.purging import Purgeable
from pass_dataset.huggingface.purge import PurgeableCache
from pass_dataset.registration import HUGGINGFACE_BUILDERS

__all__ = ["FORMAT"]


class _Huggingface(Format):
    label = "cache of datasets"

    def recognises(self, folder: Path) -> bool:
        try:
            info = json.loads((folder / INFO_NAME).read_text(encoding="utf-8"))
            # The Hub's old script called its column otherwise.
            ours = info.get("dataset_name") in HUGGINGFACE_BUILDERS
            return ours and "creator_uname" in info["features"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False

    def open_purgeable(self, folder: Path) -> Purgeable:
        return PurgeableCache(folder)


FORMAT: Format = _Huggingface()
