"""A collection of the user's own in the PASS layout, described so that it can be verified."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pass_dataset.archives.tar_listing import list_tar
from pass_dataset.errors import FolderError
from pass_dataset.files.hashing import file_sha256
from pass_dataset.progress import Progress, Silent
from pass_dataset.releases.addresses import address_in, public_address
from pass_dataset.releases.release import Release, ReleaseFile, format_release, parse_release

__all__ = ["describe_collection"]


def describe_collection(
    folder: str | os.PathLike[str],
    *,
    version: str,
    name: str = "pass",
    base_url: str | None = None,
    progress: Progress | None = None,
) -> Release:
    """Hashes the tars and the metadata CSV of a folder.

    Args:
      folder: one or more ``.tar`` files, in the order of the numbers in their names, and one
        ``.csv``. Other files are left out.
      version: ``X.Y.Z``.
      name: name of the collection: a-z, 0-9 and _.
      base_url: where the files are published, each under its name; None for nowhere.
      progress: where progress is shown.

    Raises:
      FolderError: no such folder, or it has not the files it should.
      ArchiveError: a tar cannot be used.
      ReleaseError: name or version are not of that form.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FolderError(f"{folder}: expected a folder with tars and a metadata CSV")
    tars = sorted(folder.glob("*.tar"), key=_by_number)
    tables = sorted(folder.glob("*.csv"))
    if not tars or len(tables) != 1:
        raise FolderError(
            f"{folder}: expected one or more .tar files and one .csv, found {len(tars)} .tar and "
            f"{len(tables)} .csv"
        )
    shown = progress or Silent()
    release = Release(
        version=version,
        name=name,
        num_examples=sum(len(list_tar(path)) for path in tars),
        files=tuple(_described(path, base_url, shown) for path in [*tars, *tables]),
    )
    # Whatever is written must be readable again; this finds a bad name or version.
    return parse_release(format_release(release), folder)


def _by_number(path: Path) -> list[tuple[int, int | str]]:
    """Orders PASS.2.tar before PASS.10.tar."""
    pieces = re.split(r"(\d+)", path.name)
    return [(0, int(piece)) if piece.isdecimal() else (1, piece) for piece in pieces]


def _described(path: Path, base_url: str | None, progress: Progress) -> ReleaseFile:
    size_bytes = path.stat().st_size
    task = progress.task(path.name, size_bytes, "bytes")
    sha256 = file_sha256(path, task.advance)
    task.finish()
    url = public_address(address_in(base_url, path.name)) if base_url else None
    return ReleaseFile(path.name, size_bytes, sha256, url)
