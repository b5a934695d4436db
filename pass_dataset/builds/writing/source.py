"""The archives a build is made from, as named on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pass_dataset.errors import FolderError
from pass_dataset.folders.identity import find_release
from pass_dataset.releases.release import Release

__all__ = ["locate"]


def locate(folder: Path, wanted: str | None, parts: Sequence[int] | None) -> tuple[Release, Path]:
    """The release, and its folder: the one given, or the one of that version inside.

    Args:
      folder: as given.
      wanted: version or checksum file; None to tell it from the folder.
      parts: numbers of the tars that must be there; None for all.

    Raises:
      FolderError: no such folder, or a file is missing from it.
      ReleaseError: no such release or part.
    """
    release, archives = find_release(folder, wanted)
    absent = [
        file.filename for file in release.select(parts) if not (archives / file.filename).is_file()
    ]
    if absent:
        raise FolderError(
            f"{archives}: {', '.join(absent)} of {release.label} missing or not to be read; "
            "pass-dataset download fetches what is missing"
        )
    return release, archives
