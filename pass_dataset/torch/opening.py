"""Which images a dataset has: archive folder, release, parts, and the list of those to keep."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pass_dataset.archives.ensure import provide
from pass_dataset.archives.hash_lists import read_hash_list, resolve, unmatched
from pass_dataset.archives.list_lines import name_examples
from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import Removals
from pass_dataset.errors import RecordNotFoundError
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.releases.release import DEFAULT_VERSION, Release

__all__ = ["Keep", "PathLike", "open_archive"]

logger = logging.getLogger(__name__)

PathLike: TypeAlias = "str | os.PathLike[str]"
#: A file of hashes; hashes; or positions.
Keep: TypeAlias = "PathLike | Sequence[str] | Sequence[int] | npt.NDArray[Any]"


def open_archive(
    root: PathLike,
    release: PathLike | Release | None,
    parts: str | Sequence[int] | None,
    keep: Keep | None,
    download: bool,
    removals: Removals | None = None,
) -> PassArchive:
    """Opens the images that a dataset has, in the order in which they lie in the tars.

    Args:
      root: archive folder, or one that has a sub-folder named like the release.
      release: version, checksum file or Release; None: what the folder holds; to be downloaded,
        the newest, unless the folder tells of a release of the user's own.
      parts: part numbers, or text such as ``0,3-5``; None for all that are there.
      keep: a file with hashes, hashes, or positions among what is not removed; None for all.
      download: fetch what is missing, and verify what was not verified yet.
      removals: see `PassArchive`.

    Raises:
      FolderError, ArchiveError, MetadataError, ReleaseError: see `PassArchive`.
      DownloadError: files could not be fetched.
      RecordNotFoundError: of the hashes to be kept there is none.
      IndexError: there is no such position.
    """
    if download:
        known = release or ArchiveFolder.own_release(root) or DEFAULT_VERSION
        wanted = ArchiveFolder.of(known, root, parts)
        archive = provide(wanted, removals=removals)
    else:
        archive = PassArchive(root, release, parts=parts, removals=removals)
    return archive if keep is None else _kept(archive, keep)


def _kept(archive: PassArchive, keep: Keep) -> PassArchive:
    if isinstance(keep, (str, os.PathLike)):
        return _listed(archive, keep)
    wanted = np.asarray(keep)
    if wanted.size == 0:
        raise ValueError("keep: expected a file, hashes or positions, found none")
    if wanted.ndim == 1 and wanted.dtype.kind == "U":
        return _with_hashes(archive, keep, "")
    if wanted.ndim == 1 and wanted.dtype.kind in "iu":
        positions = np.unique(wanted)
        first, last = int(positions[0]), int(positions[-1])
        if first < 0 or last >= len(archive):
            raise IndexError(
                f"keep: expected positions from 0 to {len(archive) - 1:,}, found "
                f"{first if first < 0 else last:,}"
            )
        return archive[positions]
    raise TypeError(
        "keep: expected a file, a list of hashes or a list of positions, found "
        f"{type(keep).__name__} of {wanted.dtype}"
    )


def _listed(archive: PassArchive, keep: PathLike) -> PassArchive:
    """The images that a file names; what names none is told."""
    path = os.fspath(keep)
    names = read_hash_list(keep)
    known = archive.columns(["hash"])["hash"]
    view = _with_hashes(archive, resolve(names, known), f" of {path}")
    left = unmatched(names, known)
    if left:
        # A list may be made for all parts.
        level = logging.WARNING if archive.archives.parts is None else logging.INFO
        logger.log(
            level,
            "%s: %s no image among the %d of %s: %s",
            path,
            f"{len(left):,} line{' names' if len(left) == 1 else 's name'}",
            len(archive),
            archive.folder,
            name_examples(left),
        )
    return view


def _with_hashes(archive: PassArchive, hashes: Any, source: str) -> PassArchive:
    view = archive.keeping(hashes)
    if not len(view):
        raise RecordNotFoundError(
            f"{archive.folder}: none of the {len(hashes):,} hashes{source} to be kept is among the "
            f"{len(archive):,} images of {archive.release.label}"
        )
    return view
