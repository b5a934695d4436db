"""Removal lists: images that every reader leaves out, at once and without building anything anew.

PASS removes images that are found to show people (datasheet, appendix F.7 of the paper). Whoever is
told of such hashes, or of names of images in a collection of one's own, puts them on a list, a text
file as `hash_lists` reads it, in one of three places, which add up:

1. ``pass_removals.txt`` in a folder: beside the tars, in the folder of a TFDS build
   (``pass/3.0.0``), in the cache folder of `datasets`, in an export. `pass-dataset remove` writes
   it there and adds to it. (In a read-only folder it is kept in the user's cache, for this user.)
2. the file that ``PASS_REMOVALS`` names: for all that a process reads.
3. the argument ``removals=`` of a reader.

Readers look at the lists whenever they open something, and leave the images out: `PassArchive`, and
with it PyTorch, exports and builds; streams over HTTP; builds of TFDS and `datasets` that are there
already, whichever images they hold. A list that cannot be read, that is empty, or that was cut, is
an error, never a list of nothing; `clear_removals` takes one away.

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
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.hash_lists import (
    line_of,
    names_in,
    odd_names,
    unmatched,
    with_spellings,
)
from pass_dataset.archives.list_lines import in_utf8, name_examples
from pass_dataset.archives.sealed_lists import damage, with_lines
from pass_dataset.errors import FolderError, MetadataError
from pass_dataset.files.whole import write_whole
from pass_dataset.folders.lock import hold
from pass_dataset.folders.state import REMOVALS_NAME, state_path, state_paths

__all__ = [
    "REMOVALS_VARIABLE",
    "ListSource",
    "RemovalList",
    "Removals",
    "add_removals",
    "clear_removals",
    "note_removals",
    "read_removals",
    "removals_for",
    "removals_in",
]

logger = logging.getLogger(__name__)

#: Environment variable that names a list for everything a process reads.
REMOVALS_VARIABLE = "PASS_REMOVALS"


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
      hashes: their hashes, as images are named by them, or their names in an own collection; in
        all spellings (`hash_lists.spellings`).
      sources: files that these come from.
      listed: the names as the files have them, some perhaps twice.
    """

    hashes: frozenset[str] = frozenset()
    sources: tuple[ListSource, ...] = ()
    #: Not of an empty list: to look whether that is of pandas, Arrow imports it where it can.
    listed: pa.Array = field(default_factory=lambda: pa.nulls(0, pa.string()), compare=False)

    def __post_init__(self) -> None:
        if self.hashes and not len(self.listed):
            object.__setattr__(self, "listed", pa.array(sorted(self.hashes), pa.string()))

    def __bool__(self) -> bool:
        return bool(self.hashes)

    def __or__(self, other: RemovalList) -> RemovalList:
        sources = {source.path: source for source in (*self.sources, *other.sources)}
        listed = pa.concat_arrays([self.listed, other.listed])
        return RemovalList(self.hashes | other.hashes, tuple(sources.values()), listed)

    @property
    def names(self) -> str:
        """The files, for messages."""
        return ", ".join(source.path for source in self.sources)

    def unmatched(self, known: Iterable[str]) -> list[str]:
        """Names on the list that are none of some images, in any spelling.

        Args:
          known: names of the images.
        """
        there = known if isinstance(known, pa.Array) else pa.array(list(known), pa.string())
        return unmatched(self.listed, there)

    def report_odd(self, what: object, known: Iterable[str]) -> None:
        """Logs the names that are none of some images, and no hashes either, which may be slips.

        One list serves all releases, so that there are always hashes that are not there.

        Args:
          what: is read.
          known: names of its images on the list.
        """
        left = unmatched(odd_names(self.listed), pa.array(list(known), pa.string()))
        if left:
            logger.warning(
                "%s: %d lines of removal list %s name no image of it: %s",
                what,
                len(left),
                self.names,
                name_examples(left),
            )

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


#: How a list goes that is not wanted any more.
_TAKE_AWAY = (
    "A list that is not wanted any more is taken away by pass-dataset remove --clear FOLDER."
)

#: What readers take as ``removals=``: the path of a list, or a list.
Removals: TypeAlias = "str | os.PathLike[str] | RemovalList"

_NONE = RemovalList()


def read_removals(path: str | os.PathLike[str]) -> RemovalList:
    """Reads a list.

    A hash that was written in another way than images are named by it stands for the name as well
    (`hash_lists.spellings`).

    Raises:
      MetadataError: it cannot be read, a line cannot be a name, or there is no name in it: a list
        that lost its names is never taken for one that has none.
    """
    path = Path(path).expanduser()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MetadataError(
            f"{path}: expected a removal list, but it cannot be read: {error.strerror}. Without it "
            f"nothing is given out. {_TAKE_AWAY}"
        ) from error
    names = names_in(data, str(path))
    if not len(names):
        found = "comments only" if data.strip(b"\0\r\n\t ") else "an empty file"
        raise MetadataError(
            f"{path}: expected a removal list, one name a line, found {found}. Put the names back, "
            f"from a copy. {_TAKE_AWAY}"
        )
    wrong = damage(in_utf8(data).decode())
    if wrong is not None:
        raise MetadataError(f"{path}: {wrong}. {_TAKE_AWAY}")
    source = ListSource(
        str(path), hashlib.sha256(data).hexdigest(), pc.count_distinct(names).as_py()
    )
    return RemovalList(with_spellings(names), (source,), names)


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
            found |= removals_in(Path(place))
    return found


def removals_in(folder: Path) -> RemovalList:
    """The images on the lists of a folder alone.

    Raises:
      MetadataError: one of the lists cannot be read.
    """
    found = _NONE
    for path in state_paths(folder, REMOVALS_NAME):
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
    text = ""
    if os.path.lexists(path):
        known = read_removals(path).hashes
        text = in_utf8(path.read_bytes()).decode()
    new = sorted(set(hashes) - known)
    if new:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        told = [f"# {now} from {source.path}, SHA-256 {source.sha256}" for source in sources]
        write_whole(path, with_lines(text, [*told, *map(line_of, new)]).encode())
    return path, len(new)


def clear_removals(folder: Path) -> list[Path]:
    """Takes the lists of a folder away, that of this user as well: its images are given out again.

    Returns:
      The files that were deleted.

    Raises:
      FolderError: one cannot be deleted.
    """
    cleared = []
    try:
        with hold(folder):
            for path in state_paths(folder, REMOVALS_NAME):
                path.unlink()
                cleared.append(path)
    except OSError as error:
        raise FolderError(f"{folder}: its removal list cannot be taken away: {error}") from error
    return cleared
