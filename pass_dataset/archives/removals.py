"""Removal lists: images that every reader leaves out, at once and without building anything anew.

PASS removes images that are found to show people (datasheet, appendix F.7 of the paper). Whoever is
told of such hashes puts them on a list, a text file as `hash_lists` reads it, in one of three
places, which add up:

1. ``pass_removals.txt`` in a folder: beside the tars, in the folder of a TFDS build
   (``pass/3.0.0``), in the cache folder of `datasets`, in an export. `pass-dataset remove` writes
   it there and adds to it. (In a read-only folder it is kept in the user's cache, for this user.)
2. the file that ``PASS_REMOVALS`` names: for all that a process reads.
3. the argument ``removals=`` of a reader.

Readers look at the lists whenever they open something, and leave the images out: `PassArchive`, and
with it PyTorch, exports and builds; streams over HTTP; builds of TFDS and `datasets` that are there
already, whichever images they hold. A list that cannot be read is an error, never an empty list.

What is built under a list lacks its images, has their hashes as ``pass_removals.txt`` beside its
files, and can thereby be told from a whole one. So it is stored under the usual name, as what was
built before the list stays in use. Taking a hash off a list brings the image back where the bytes
still are; to delete them is the work of `pass_dataset.builds.purging`.

Readers that are not ours (`load_dataset(FOLDER)` of a Parquet export, DuckDB, `webdataset`) know
nothing of lists: for them purge the export.

A list is never taken for more than it says: hashes of images that are not there are counted and
told, as one list serves all releases.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from pass_dataset.archives.hash_lists import read_hash_list
from pass_dataset.errors import DownloadError, FolderError
from pass_dataset.files import user_cache, write_whole
from pass_dataset.folders.lock import hold
from pass_dataset.folders.state import REMOVALS_NAME, state_path, state_paths
from pass_dataset.progress import Progress
from pass_dataset.releases.addresses import check_address, public_address

__all__ = [
    "REMOVALS_VARIABLE",
    "ListSource",
    "RemovalList",
    "Removals",
    "add_removals",
    "fetch_removals",
    "note_removals",
    "read_removals",
    "removals_for",
]

logger = logging.getLogger(__name__)

#: Environment variable that names a list for everything a process reads.
REMOVALS_VARIABLE = "PASS_REMOVALS"

_HEADER = (
    "# Images that every reader of this folder leaves out: a hash a line (pass-dataset remove).\n"
)


@dataclass(frozen=True)
class ListSource:
    """A file that hashes come from.

    Attributes:
      path: of the file.
      sha256: of its content, lower-case hexadecimal.
      num_hashes: different hashes on it.
    """

    path: str
    sha256: str
    num_hashes: int


@dataclass(frozen=True)
class RemovalList:
    """Images to be left out.

    Attributes:
      hashes: their hashes, as images are named by them.
      sources: files that these come from.
    """

    hashes: frozenset[str] = frozenset()
    sources: tuple[ListSource, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.hashes)

    def __or__(self, other: RemovalList) -> RemovalList:
        sources = {source.path: source for source in (*self.sources, *other.sources)}
        return RemovalList(self.hashes | other.hashes, tuple(sources.values()))

    @property
    def names(self) -> str:
        """The files, for messages."""
        return ", ".join(source.path for source in self.sources)

    def report(self, what: object, left_out: int, total: int) -> None:
        """Logs what a reader leaves out.

        Args:
          what: is read.
          left_out: number of its images that are on the list.
          total: number of its images, those included.
        """
        if left_out:
            logger.warning(
                "%s: leaving out %d of %d images on removal list %s",
                what,
                left_out,
                total,
                self.names,
            )
        else:
            logger.info("%s: has no image of the removal list %s", what, self.names)


#: What readers take as ``removals=``: the path of a list, or a list.
Removals: TypeAlias = "str | os.PathLike[str] | RemovalList"

_NONE = RemovalList()


def read_removals(path: str | os.PathLike[str]) -> RemovalList:
    """Reads a list.

    A hash that was written with its leading zeros, which the names of images have lost, stands for
    the name as well.

    Raises:
      MetadataError: it cannot be read, or a line is no hash.
    """
    path = Path(path).expanduser()
    hashes = read_hash_list(path).to_pylist()
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    names = frozenset(hashes) | {found.lstrip("0") for found in hashes}
    return RemovalList(names, (ListSource(str(path), sha256, len(set(hashes))),))


def fetch_removals(
    url: str, sha256: str | None, *, progress: Progress | None = None
) -> RemovalList:
    """Fetches a list that is published, once, and reads it.

    Args:
      url: ``https://…``; plain http from this machine only.
      sha256: of the list, as whoever sent the URL gives it.
      progress: where the download is shown.

    Raises:
      DownloadError: it cannot be had, has another SHA-256, or none was given.
      MetadataError: it is no list of hashes.
    """
    # Every reader asks for lists, and hardly any fetches one: requests takes as long as NumPy.
    from pass_dataset.downloads.single_file import fetch_file

    shown = public_address(url)
    try:
        parsed = check_address(url)
    except ValueError as error:
        raise DownloadError(
            f"{shown[:200]}: expected an https:// address of a removal list; {error}"
        ) from error
    is_here = parsed.hostname in ("localhost", "127.0.0.1", "::1")
    if parsed.scheme != "https" and not (parsed.scheme == "http" and is_here):
        raise DownloadError(f"{shown}: expected an https:// address of a removal list")
    if sha256 is None or not re.fullmatch(r"[0-9a-f]{64}", sha256.lower()):
        raise DownloadError(
            f"{shown}: a list from the network is taken only with its SHA-256 (64 hexadecimal "
            "digits): give --sha256, as whoever sent you the address has it"
        )
    folder = user_cache("removals")
    path = folder / f"{sha256.lower()}.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            fetch_file(url, path, sha256=sha256.lower(), progress=progress)
    except OSError as error:
        raise DownloadError(f"{shown}: cannot be kept in {folder}: {error}") from error
    found = read_removals(path)
    return replace(found, sources=tuple(replace(one, path=shown) for one in found.sources))


def removals_for(
    *places: str | os.PathLike[str] | None, given: Removals | None = None
) -> RemovalList:
    """The images to be left out of what lies in some folders.

    Args:
      places: the folders; those that are None, or not there, have no list.
      given: the argument ``removals=`` of a reader.

    Raises:
      MetadataError: one of the lists cannot be read.
    """
    found = _NONE
    if given is not None:
        found |= given if isinstance(given, RemovalList) else read_removals(given)
    named = os.environ.get(REMOVALS_VARIABLE)
    if named:
        found |= read_removals(named)
    for place in places:
        if place is not None and "://" not in os.fspath(place):
            for path in state_paths(Path(place), REMOVALS_NAME):
                found |= read_removals(path)
    return found


def add_removals(
    folder: Path, hashes: Iterable[str], sources: Iterable[ListSource] = ()
) -> tuple[Path, int]:
    """Puts images on the list of a folder; those that are on it stay.

    Args:
      folder: an archive folder or a build; it exists.
      hashes: of the images.
      sources: where they are from, noted as comments.

    Returns:
      The list, and how many hashes are new on it.

    Raises:
      FolderError: it cannot be written.
      MetadataError: the list that is there cannot be read.
    """
    try:
        with hold(folder):
            return note_removals(folder, hashes, sources)
    except OSError as error:
        raise FolderError(f"{folder}: its removal list cannot be written: {error}") from error


def note_removals(
    folder: Path, hashes: Iterable[str], sources: Iterable[ListSource] = ()
) -> tuple[Path, int]:
    """`add_removals` for who holds the folder, or is the only one to know it."""
    path = state_path(folder, REMOVALS_NAME, for_writing=True)
    known: frozenset[str] = frozenset()
    text = _HEADER
    if path.is_file():
        known = read_removals(path).hashes
        text = path.read_text(encoding="utf-8-sig")
        text += "" if text.endswith("\n") else "\n"
    new = sorted(set(hashes) - known)
    if new:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        text += "".join(
            f"# {now} from {source.path}, SHA-256 {source.sha256}\n" for source in sources
        )
        write_whole(path, (text + "\n".join([*new, ""])).encode())
    return path, len(new)
