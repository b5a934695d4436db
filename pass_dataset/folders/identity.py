"""Which folder is meant, and which release it holds."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from pass_dataset.errors import FolderError, ReleaseError
from pass_dataset.folders.receipt import Receipt
from pass_dataset.folders.state import PURGED_NAME
from pass_dataset.releases.release import (
    OFFICIAL_VERSIONS,
    Release,
    official_release,
    read_release,
    resolve_release,
)

__all__ = ["ARCHIVES_VARIABLE", "archive_folder", "as_kept", "find_release", "identify_release"]

#: Environment variable that names the archive folder for both loaders.
ARCHIVES_VARIABLE = "PASS_ARCHIVES"


def archive_folder(version: str, given: str | os.PathLike[str] | None, default: Path) -> Path:
    """The archive folder to use: the one given, else ``PASS_ARCHIVES``, else a default.

    Where that folder has a sub-folder named like the version (as one keeps several
    releases side by side), the sub-folder is meant.
    """
    root = Path(given or os.environ.get(ARCHIVES_VARIABLE) or default).expanduser()
    versioned = root / version
    return versioned if os.path.isdir(versioned) else root  # noqa: PTH112


def find_release(folder: Path, wanted: str | None = None) -> tuple[Release, Path]:
    """A release and its folder: the one given, or the one inside that is named like the version.

    Args:
      folder: as the user names it.
      wanted: version or checksum file; None: told from the folder.

    Raises:
      FolderError, ReleaseError: as `identify_release`.
    """
    if wanted is None or not folder.is_dir():
        return identify_release(folder, wanted), folder
    release = resolve_release(wanted)
    found = archive_folder(release.version, folder, folder)
    return as_kept(found, release), found


def as_kept(folder: Path, release: Release) -> Release:
    """A release as a folder has it: purged of some images, or as it was published.

    Raises:
      ReleaseError: the folder's record of what was purged cannot be read.
    """
    purged = _purged(folder)
    return purged if purged is not None and purged.is_of(release) else release


def _purged(folder: Path) -> Release | None:
    path = folder / PURGED_NAME
    return read_release(path) if os.path.isfile(path) else None


def identify_release(
    folder: str | os.PathLike[str], release: str | os.PathLike[str] | Release | None = None
) -> Release:
    """Which release a folder holds.

    Args:
      folder: the archive folder.
      release: the release if the caller knows it: version, checksum file, or Release. With None
        it is told by the receipt, the sizes of the files, or a checksum file in the folder.

    Raises:
      FolderError: there is no such folder, or it cannot be told what it holds.
      ReleaseError: `release` is neither a known version nor a readable checksum file.
    """
    folder = Path(folder)
    _require_readable(folder)
    if release is not None:
        return as_kept(folder, resolve_release(release))
    purged = _purged(folder)
    if purged is not None:
        return purged
    received = Receipt.load(folder).release
    if received is not None:
        return received
    for version in reversed(OFFICIAL_VERSIONS):
        if _sizes_match(folder, official_release(version)):
            return official_release(version)
    described = []
    for path in sorted(folder.glob("*.tsv")):
        with contextlib.suppress(ReleaseError):
            described.append(read_release(path))
    if len(described) == 1:
        return described[0]
    raise FolderError(
        f"{folder}: cannot tell which release this is (no receipt, the sizes are those of no "
        f"published release, {len(described)} checksum files). Name it with --release / release=; "
        "for a collection of your own write a checksum file with: "
        f"pass-dataset checksums {folder} --version 1.0.0"
    )


def _require_readable(folder: Path) -> None:
    # os.path and not Path: the latter raises where a folder above may not be looked into.
    if not os.path.isdir(folder):  # noqa: PTH112
        found = "a file" if os.path.exists(folder) else "nothing"
        raise FolderError(
            f"{folder}: expected an archive folder, found {found}. pass-dataset download fills one."
        )
    if not os.access(folder, os.R_OK | os.X_OK):
        raise FolderError(
            f"{folder}: this user may not read the folder; its mode or owner is wrong"
        )


def _sizes_match(folder: Path, release: Release) -> bool:
    """True if at least one tar of the release is here, and none has another size."""
    found = 0
    for file in release.tars:
        try:
            size = (folder / file.filename).stat().st_size
        except OSError:
            continue
        if size != file.size_bytes:
            return False
        found += 1
    return found > 0
