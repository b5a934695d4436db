"""Metadata CSVs as users name them: found, and told whose they are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.downloads.downloader import download_metadata
from pass_dataset.errors import FolderError, MetadataError, VerificationError
from pass_dataset.files.cache import user_cache
from pass_dataset.files.hashing import file_sha256
from pass_dataset.folders.archive_folder import ArchiveFolder, named_folder
from pass_dataset.folders.receipt import Receipt
from pass_dataset.progress import Progress
from pass_dataset.releases.release import (
    OFFICIAL_VERSIONS,
    Release,
    official_release,
    resolve_release,
)

__all__ = ["MetadataFile", "csv_file", "metadata_in", "published_metadata"]


@dataclass(frozen=True)
class MetadataFile:
    """A metadata CSV.

    Attributes:
      path: where it is.
      release: whose; None: not known.
    """

    path: Path
    release: Release | None

    @property
    def label(self) -> str:
        """How messages call it: the release, or else the file's name."""
        return self.path.name if self.release is None else self.release.label


def metadata_in(folder: Path, release: str | None = None) -> MetadataFile:
    """The CSV of an archive folder; the tars need not be there.

    Args:
      folder: archive folder, or one that has it as a sub-folder named like the version.
      release: version or checksum file; None: told from the folder.

    Raises:
      FolderError: no such folder, it cannot be told what it holds, or it has no CSV.
      ReleaseError: no such release.
    """
    archives = ArchiveFolder.open(folder, release)
    if not archives.metadata.is_file():
        raise FolderError(
            f"{archives.metadata}: the metadata of {archives.release.label} is missing; "
            "pass-dataset download fetches it"
        )
    return MetadataFile(archives.metadata, archives.release)


def csv_file(path: Path, release: str | None = None) -> MetadataFile:
    """A CSV, wherever it lies.

    Args:
      path: the CSV.
      release: version or checksum file that it belongs to, as the user says; None: it is told by
        its bytes if it is that of a published release, and is nobody's otherwise.

    Raises:
      MetadataError: it cannot be read.
      ReleaseError: no such release.
    """
    if release is not None:
        return MetadataFile(path, resolve_release(release))
    try:
        size_bytes = path.stat().st_size
        for version in OFFICIAL_VERSIONS:
            official = official_release(version)
            file = official.metadata
            if file.size_bytes == size_bytes and file.fits(file_sha256(path)):
                return MetadataFile(path, official)
    except OSError as error:
        raise MetadataError(
            f"{path}: cannot be read as a metadata CSV: {error.strerror}"
        ) from error
    return MetadataFile(path, None)


def published_metadata(
    release: Release,
    folder: str | os.PathLike[str] | None,
    *,
    may_download: bool,
    mirrors: str | Sequence[str] = (),
    progress: Progress,
) -> MetadataFile:
    """The very CSV of a release, by its SHA-256.

    Args:
      release: whose.
      folder: archive folder of it, or one with sub-folders named like the versions; None: the
        folder named by ``PASS_ARCHIVES``, else one in the user's cache.
      may_download: fetch it if it is not there, alone, into the sub-folder of its version.
      mirrors: base URLs tried before the published place.
      progress: where the download is shown.

    Raises:
      FolderError: it is not there and may not be fetched.
      VerificationError: a file of its size is there, with other bytes.
      DownloadError, DiskSpaceError: it cannot be fetched.
    """
    file = release.metadata
    places = _places(release, folder)
    for place in places:
        path = place / file.filename
        if _size_bytes(path) != file.size_bytes:
            continue
        if not Receipt.load(place).stands(file) and not file.fits(file_sha256(path)):
            raise VerificationError(
                f"{path}: has the size of the metadata of {release.label} but another SHA-256; "
                "remove it and fetch it anew with --download"
            )
        return MetadataFile(path, release)
    if not may_download:
        looked_at = "; ".join(_what_is_at(place / file.filename) for place in places)
        raise FolderError(
            f"the metadata of {release.label} ({file.size_bytes:,} bytes) was not found: "
            f"{looked_at}. Fetch it, and nothing else, with --download, name its folder with "
            "--archives, or give the path of the CSV"
        )
    path = download_metadata(places[0], release, mirrors=mirrors, progress=progress)
    return MetadataFile(path, release)


def _places(release: Release, folder: str | os.PathLike[str] | None) -> list[Path]:
    """Folders where the CSV may be; the first is the one to fetch it into."""
    root = named_folder(folder)
    if root is None:
        return [user_cache("metadata") / release.version]
    return [root / release.version, root]


def _size_bytes(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _what_is_at(path: Path) -> str:
    size_bytes = _size_bytes(path)
    found = "no file" if size_bytes is None else f"a file of {size_bytes:,} bytes"
    return f"{path}: {found}"
