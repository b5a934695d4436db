"""TFDS in the catalogue of formats."""

from __future__ import annotations

import json
from pathlib import Path

from pass_dataset.builds.catalogue import INFO_NAME, Format
from pass_dataset.builds.purging.purging import Purgeable
from pass_dataset.builds.stored_build import StoredBuild
from pass_dataset.tfds.purge import PurgeableTfds
from pass_dataset.tfds.stored import open_build

__all__ = ["FORMAT"]


class _Tfds(Format):
    label = "TFDS build"

    def recognises(self, folder: Path) -> bool:
        try:
            info = json.loads((folder / INFO_NAME).read_text(encoding="utf-8"))
            return str(info.get("moduleName", "")).startswith("pass_dataset.")
        except (OSError, ValueError, AttributeError):
            return False

    def open_purgeable(self, folder: Path) -> Purgeable:
        return PurgeableTfds(folder)

    def open_stored(self, folder: Path, name: str | None = None) -> StoredBuild:
        return open_build(folder, name)


FORMAT: Format = _Tfds()
