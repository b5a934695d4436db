"""The archives a loader reads: found, completed, verified, opened."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pass_dataset.archives import mini
from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import Removals
from pass_dataset.downloads import download
from pass_dataset.errors import VerificationError
from pass_dataset.files import file_sha256
from pass_dataset.folders.identity import archive_folder, as_kept
from pass_dataset.folders.receipt import Receipt
from pass_dataset.progress import on_terminal
from pass_dataset.releases.release import Release, read_release

__all__ = ["open_mini", "provide"]


def provide(
    release: Release,
    *,
    given: str | os.PathLike[str] | None,
    default: Path,
    parts: Sequence[int] | None = None,
    mirrors: Sequence[str] = (),
    removals: Removals | None = None,
) -> PassArchive:
    """Opens a release's archive folder, fetching what is missing.

    A file counts as right if the receipt says so and it has not been touched since; else it is
    hashed, once.

    Args:
      release: what is wanted.
      given: the user's archive folder; None: the folder named by ``PASS_ARCHIVES``.
      default: the folder to use if neither is given.
      parts: part numbers wanted; None for all.
      mirrors: base URLs tried before the published place.
      removals: see `PassArchive`.

    Raises:
      FolderError, DownloadError, ArchiveError, MetadataError: see `download` and `PassArchive`.
    """
    folder = archive_folder(release.version, given, default)
    release = as_kept(folder, release)
    with on_terminal() as progress:
        if not _is_on_record(folder, release, parts):
            download(folder, release, parts=parts, mirrors=mirrors, progress=progress)
        return PassArchive(folder, release, parts=parts, removals=removals, progress=progress)


def _is_on_record(folder: Path, release: Release, parts: Sequence[int] | None) -> bool:
    receipt = Receipt.load(folder)
    return all(receipt.stands(file) for file in release.select(parts))


def open_mini(removals: Removals | None = None) -> PassArchive:
    """Opens the mini release that comes with this package.

    Args:
      removals: see `PassArchive`.

    Raises:
      VerificationError: a file of it was changed after installation.
    """
    release = read_release(mini.CHECKSUMS)
    for file in release.files:
        path = mini.ARCHIVES / file.filename
        if not path.is_file() or file_sha256(path) != file.sha256:
            raise VerificationError(
                f"{path}: missing or not as installed; reinstall it with: "
                "pip install --force-reinstall --no-deps pass-dataset"
            )
    # Installed packages may be read-only and are not ours to add files to; 64 images are indexed
    # in milliseconds.
    return PassArchive(mini.ARCHIVES, release, removals=removals, save_index=False)
