"""Folders that have images of PASS, found where the user points: what each of them is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.archives.removals import RemovalList
from pass_dataset.errors import FolderError
from pass_dataset.parquet.manifest import EXPORT_NAME
from pass_dataset.progress import Silent
from pass_dataset.registration import HUGGINGFACE_BUILDERS
from pass_dataset.webdataset.manifest import SHARDS_NAME

if TYPE_CHECKING:
    from pass_dataset.builds.purging.purging import Purgeable

__all__ = ["Kind", "Target", "find_targets", "images_in", "open_target"]

#: Both TFDS and `datasets` describe what they have built in a file of this name.
INFO_NAME = "dataset_info.json"
#: ``<name>/<config>/<version>/<fingerprint>`` below the cache of `datasets`; TFDS needs fewer.
_DEPTH = 4


class Kind(str, Enum):
    """What a folder is."""

    ARCHIVES = "archive folder"
    TFDS = "TFDS build"
    HUGGINGFACE = "cache of datasets"
    PARQUET = "Parquet export"
    WEBDATASET = "WebDataset export"


@dataclass(frozen=True)
class Target:
    """A folder with images.

    Attributes:
      folder: where.
      kind: what it is.
    """

    folder: Path
    kind: Kind


def find_targets(path: str | os.PathLike[str]) -> list[Target]:
    """What a folder is, or what the folders below it are.

    Args:
      path: an archive folder, a build, an export; or a folder above some, such as TFDS's
        ``data_dir``, the cache of `datasets`, or one with a sub-folder for each release.

    Raises:
      FolderError: there is nothing of that sort.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        raise FolderError(f"{root}: expected a folder, found {_found(root)}")
    targets = list(_search(root, _DEPTH))
    if not targets:
        raise FolderError(
            f"{root}: expected archives, or a build or export of them by this package; found none "
            "in it or below"
        )
    return targets


def _found(path: Path) -> str:
    return "a file" if path.exists() else "nothing"


def _search(folder: Path, depth: int) -> Iterator[Target]:
    kind = _kind(folder)
    if kind is not None:
        yield Target(folder, kind)
    elif depth:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            # What begins so is being built, or is no data.
            if entry.is_dir() and not entry.name.startswith((".", "incomplete")):
                yield from _search(Path(entry.path), depth - 1)


def _kind(folder: Path) -> Kind | None:
    if (folder / EXPORT_NAME).is_file():
        return Kind.PARQUET
    if (folder / SHARDS_NAME).is_file():
        return Kind.WEBDATASET
    if (folder / INFO_NAME).is_file():
        return _described(folder / INFO_NAME)
    if any(folder.glob("*.tar")) and any(folder.glob("*.csv")):
        return Kind.ARCHIVES
    return None


def _described(path: Path) -> Kind | None:
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
        if str(info.get("moduleName", "")).startswith("pass_dataset."):
            return Kind.TFDS
        # The Hub's old script called its column otherwise.
        if info.get("dataset_name") in HUGGINGFACE_BUILDERS and "creator_uname" in info["features"]:
            return Kind.HUGGINGFACE
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return None


def open_target(target: Target, release: str | None = None) -> Purgeable:
    """What `purging.purge` takes.

    Args:
      target: the folder.
      release: of an archive folder, see `PurgeableArchives`.

    Raises:
      PassDatasetError: what describes the folder cannot be read.
    """
    if target.kind is Kind.ARCHIVES:
        from pass_dataset.builds.purging.archives import PurgeableArchives

        return PurgeableArchives(target.folder, release)
    if target.kind is Kind.PARQUET:
        from pass_dataset.parquet.purge import PurgeableParquet

        return PurgeableParquet(target.folder)
    if target.kind is Kind.WEBDATASET:
        from pass_dataset.webdataset.purge import PurgeableWebDataset

        return PurgeableWebDataset(target.folder)
    if target.kind is Kind.TFDS:
        from pass_dataset.tfds.purge import PurgeableTfds

        return PurgeableTfds(target.folder)
    from pass_dataset.huggingface.purge import PurgeableCache

    return PurgeableCache(target.folder)


def images_in(folder: Path, removals: RemovalList) -> int:
    """How many images on a list are still in the files of a build or export.

    Raises:
      PassDatasetError: it cannot be read.
    """
    if not removals:
        return 0
    (target,) = find_targets(folder)
    files = open_target(target).affected(removals.hashes, Silent())
    return sum(len(file.hashes) for file in files)
