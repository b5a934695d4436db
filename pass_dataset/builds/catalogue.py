"""The catalogue of formats that a release is built in, and which of them a folder is.

A format is a package above this one with a module ``format`` that has its entry, ``FORMAT``. The
entries are found by the packages' names, the one place where what is below asks what is above;
importing an entry needs none of the libraries that the format is for.
"""

from __future__ import annotations

import importlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from pass_dataset.builds.purging.purging import Purgeable
from pass_dataset.builds.stored_build import StoredBuild

__all__ = ["INFO_NAME", "Format", "format_of", "formats", "open_stored"]

#: Both TFDS and `datasets` describe what they have built in a file of this name.
INFO_NAME = "dataset_info.json"

#: Packages with an entry, in the order in which a folder is asked what it is.
_PACKAGES = ("parquet", "webdataset", "tfds", "huggingface")
#: Its reader also looks in the folders below the one that is named.
_SEARCHING = "tfds"


class Format(ABC):
    """A format that a release is built in."""

    #: How messages call a folder of it.
    label: ClassVar[str]

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
