"""The catalogue: formats that a release is built in, and all ways of reading images of PASS.

A format is a package above this one with a module ``format`` that has its entry, ``FORMAT``. What
reads archives where they lie, and builds nothing, has a module ``readers`` with ``READERS``. The
entries are found by their names, the one place where what is below asks what is above; importing
an entry needs none of the libraries that it is for.

Whoever wants to know of all readers asks here (`readers`), so that a promise such as that of
`pass_dataset.archives.removals` can be tried on each of them, those to come included.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeAlias

from pass_dataset.archives.removals import Removals
from pass_dataset.builds.purging.purging import Purgeable
from pass_dataset.builds.stored_build import Damage, StoredBuild
from pass_dataset.errors import UnreadableBuildError
from pass_dataset.folders.archive_folder import ArchiveFolder

__all__ = [
    "INFO_NAME",
    "Format",
    "Images",
    "Place",
    "Reader",
    "entry_packages",
    "format_of",
    "formats",
    "open_stored",
    "readers",
    "stored_images",
    "with_sha256",
]

#: Both TFDS and `datasets` describe what they have built in a file of this name.
INFO_NAME = "dataset_info.json"

#: Packages with an entry, in the order in which a folder is asked what it is.
_PACKAGES = ("parquet", "webdataset", "tfds", "huggingface")
#: Modules with readers of archives that lie where they are.
_READING = ("builds.readers", "torch.readers", "passify.readers")
#: Hashes of images, and SHA-256 (32 bytes) of the files that a reader gives for them; None where it
#: gives no files.
Images: TypeAlias = "Iterable[tuple[str, bytes | None]]"
#: Its reader also looks in the folders below the one that is named.
_SEARCHING = "tfds"


@dataclass(frozen=True)
class Place:
    """What a reader is pointed at.

    Attributes:
      archives: the archive folder.
      build: what a format's `Format.export` has made of it; None for what reads the archives.
      removals: what the reader is given as its argument ``removals=``.
    """

    archives: ArchiveFolder
    build: Path | None = None
    removals: Removals | None = None


@dataclass(frozen=True)
class Reader:
    """A way of reading images of PASS.

    Attributes:
      name: how users call it, ``datasets, streaming``.
      images: what it gives from a place, in its order. It raises MissingExtraError where its
        library is not installed.
      in_place: it reads the archive folder, and no build.
      heeds_lists: it leaves out what is on removal lists of the archive folder, of the build and of
        ``PASS_REMOVALS``, whenever they were written. Else it gives all that is in the files, as
        readers of other people do: for them an export lacks what was on a list when it was made,
        and is purged of what was put on one later.
      takes_removals: it has the argument ``removals=``.
    """

    name: str
    images: Callable[[Place], Images]
    in_place: bool = False
    heeds_lists: bool = True
    takes_removals: bool = True

    def hashes(self, place: Place) -> Iterator[str]:
        """The hashes of what it gives."""
        return (image_hash for image_hash, _ in self.images(place))


class Format(ABC):
    """A format that a release is built in."""

    #: How messages call a folder of it.
    label: ClassVar[str]
    #: The ways of reading what is built, and of reading archives with the same library.
    readers: ClassVar[tuple[Reader, ...]]

    @abstractmethod
    def export(self, archives: ArchiveFolder, out: Path, removals: Removals | None = None) -> Path:
        """Builds what an archive folder has, unless it is there.

        Args:
          archives: what is built.
          out: folder to build in, such as TFDS's ``data_dir``.
          removals: one more list of images to be left out.

        Returns:
          The folder that the format's readers are pointed at.

        Raises:
          PassDatasetError: it cannot be built; or it is there, has images on removal lists, and
            the format's readers do not heed these.
          MissingExtraError: the format's library is not installed.
        """

    @abstractmethod
    def recognises(self, folder: Path) -> bool:
        """True if the folder is a finished build of this format, made by this package."""

    @abstractmethod
    def open_purgeable(self, folder: Path) -> Purgeable:
        """A build, to have images deleted from it.

        Raises:
          PassDatasetError: what describes it cannot be read.
        """

    def open_stored(self, folder: Path, name: str | None = None) -> StoredBuild | None:
        """A build, to be compared with its archives; None: this format is not compared.

        Args:
          folder: of the build.
          name: dataset to look for, where a folder may have builds of several.

        Raises:
          UnreadableBuildError: there is none, or what describes it cannot be read.
          MissingExtraError: the format's library is not installed.
        """
        return None


def formats() -> Iterator[Format]:
    """All formats."""
    return map(_format, _PACKAGES)


def readers() -> Iterator[tuple[Format | None, Reader]]:
    """All ways of reading, each with its format; None: it builds nothing."""
    for entry in formats():
        yield from ((entry, reader) for reader in entry.readers)
    for module in _READING:
        found: tuple[Reader, ...] = importlib.import_module(f"pass_dataset.{module}").READERS
        yield from ((None, reader) for reader in found)


def entry_packages() -> frozenset[str]:
    """Names of the packages in `pass_dataset` that have an entry."""
    return frozenset(_PACKAGES) | {module.partition(".")[0] for module in _READING}


def stored_images(build: StoredBuild) -> Iterator[tuple[str, bytes]]:
    """The hashes of all records in the files of a build, with the SHA-256 of each image.

    Raises:
      PassDatasetError: they cannot be read.
    """
    for shard in build.shards:
        for record in build.records(shard):
            if isinstance(record, Damage):
                raise UnreadableBuildError(f"{shard.path}: {record.detail}")
            yield record.hash_text, record.sha256


def with_sha256(pairs: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """What `Reader.images` gives, of hashes and files."""
    return ((image_hash, hashlib.sha256(data).digest()) for image_hash, data in pairs)


def _format(package: str) -> Format:
    entry: Format = importlib.import_module(f"pass_dataset.{package}.format").FORMAT
    return entry


def format_of(folder: Path) -> Format | None:
    """The format of the build that a folder is; None if it is none."""
    return next((entry for entry in formats() if entry.recognises(folder)), None)


def open_stored(path: str | os.PathLike[str], name: str | None = None) -> StoredBuild:
    """Opens a build of any format, to be compared with its archives.

    Args:
      path: a Parquet or WebDataset folder, the folder of a TFDS build, or TFDS's ``data_dir``.
      name: dataset to look for in a ``data_dir``; None for the only one there.

    Raises:
      UnreadableBuildError: there is none, or what describes it cannot be read.
      MissingExtraError: the library is not installed.
    """
    folder = Path(path)
    found = format_of(folder)
    stored = None if found is None else found.open_stored(folder, name)
    if stored is None:
        stored = _format(_SEARCHING).open_stored(folder, name)
    assert stored is not None
    return stored
