"""Folders that have images of PASS, found where the user points: what each of them is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.archives.removals import RemovalList
from pass_dataset.builds.catalogue import Format, format_of
from pass_dataset.builds.purging.archives import PurgeableArchives
from pass_dataset.builds.purging.purging import Purgeable
from pass_dataset.errors import FolderError
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.progress import Silent

__all__ = ["Target", "find_targets", "images_in", "open_target", "targets_in"]

#: ``<name>/<config>/<version>/<fingerprint>`` below the cache of `datasets`; TFDS needs fewer.
_DEPTH = 4
_VERSION = re.compile(r"\d+\.\d+\.\d+")


@dataclass(frozen=True)
class Target:
    """A folder with images.

    Attributes:
      folder: where.
      format: what it is; None: an archive folder.
    """

    folder: Path
    format: Format | None

    @property
    def label(self) -> str:
        """What it is, for people."""
        return "archive folder" if self.format is None else self.format.label


def find_targets(path: str | os.PathLike[str]) -> list[Target]:
    """What a folder is, or what the folders below it are.

    Args:
      path: an archive folder, a build, an export; or a folder above some, such as TFDS's
        ``data_dir``, the cache of `datasets`, or one with a sub-folder for each release.

    Raises:
      FolderError: there is nothing of that sort.
    """
    root = Path(path).expanduser()
    targets = targets_in(root)
    if not targets:
        raise FolderError(
            f"{root}: expected archives, or a build or export of them by this package; found none "
            "in it or below"
        )
    return targets


def targets_in(root: Path) -> list[Target]:
    """`find_targets`, of a folder that may have none.

    Raises:
      FolderError: it is no folder.
    """
    if not root.is_dir():
        raise FolderError(f"{root}: expected a folder, found {_found(root)}")
    return list(_search(root, _DEPTH))


def _found(path: Path) -> str:
    return "a file" if path.exists() else "nothing"


def _search(folder: Path, depth: int) -> Iterator[Target]:
    entry = format_of(folder)
    if entry is not None or _is_archives(folder):
        yield Target(folder, entry)
        if entry is None and depth:
            # Beside its tars a folder may have other releases, in sub-folders named like them.
            for release in sorted(folder.iterdir()):
                if _VERSION.fullmatch(release.name) and release.is_dir():
                    yield from _search(release, depth - 1)
    elif depth:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for below in entries:
            # What begins so is being built, or is no data.
            is_data = (
                not below.name.startswith((".", "incomplete")) and ".incomplete" not in below.name
            )
            if below.is_dir() and is_data:
                yield from _search(Path(below.path), depth - 1)


def _is_archives(folder: Path) -> bool:
    return any(folder.glob("*.tar")) and any(folder.glob("*.csv"))


def open_target(target: Target, release: str | None = None) -> Purgeable:
    """What `purging.purge` takes.

    Args:
      target: the folder.
      release: of an archive folder: version or checksum file; None to be told from it.

    Raises:
      PassDatasetError: what describes the folder cannot be read.
    """
    if target.format is None:
        return PurgeableArchives(ArchiveFolder.open(target.folder, release))
    return target.format.open_purgeable(target.folder)


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
