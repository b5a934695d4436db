"""Which source a path is."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pass_dataset.errors import SourceError
from pass_dataset.folders.state import RECEIPT_NAME
from pass_dataset.passify.sources.folder_tree import FolderTree, Suffixes
from pass_dataset.passify.sources.list_file import ListFile
from pass_dataset.passify.sources.names import name_to_text, text_to_name
from pass_dataset.passify.sources.parquet_files import ParquetFiles
from pass_dataset.passify.sources.pass_archive import PassImages
from pass_dataset.passify.sources.saved_dataset import SavedDataset
from pass_dataset.passify.sources.source import IMAGE_SUFFIXES, KINDS, Kind, Source
from pass_dataset.passify.sources.tar_files import TarFiles

__all__ = ["SourceSettings", "kind_of", "open_source"]

#: Entries of folders that are looked at to tell what a folder without images at its top holds.
_MAX_LOOKED_AT = 10_000
#: What cannot be read at a place within.
_COMPRESSED = (b".gz", b".tgz", b".bz2", b".xz", b".zst", b".zip")
_IMAGE_ENDINGS = frozenset(f".{suffix}".encode() for suffix in IMAGE_SUFFIXES)


@dataclass(frozen=True)
class SourceSettings:
    """What is to be read, and how.

    Attributes:
      path: file or folder, as text (see `names`), absolute and without links.
      kind: what it is; None: told from the path (`resolved`).
      root: for lists: folder that paths in it are relative to, as text; None: that of the list.
      column: for tables: the column of images; None: told from the table.
      suffixes: endings of file names, without dot, that images have; None: any.
      release: for PASS archives: what the folder holds; None: told from it.
      only: for PASS archives: path of a list of hashes to which the images are restricted, as
        text; None: all images.
      name_column: for tables: the column of names; None: ``hash``, if rows have one.
    """

    path: str
    kind: Kind | None = None
    root: str | None = None
    column: str | None = None
    suffixes: tuple[str, ...] | None = tuple(IMAGE_SUFFIXES)
    release: str | None = None
    only: str | None = None
    name_column: str | None = None

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in KINDS:
            raise ValueError(f"kind: expected one of {', '.join(KINDS)}, found {self.kind!r}")
        if self.suffixes is not None:
            plain = tuple(sorted({text.lower().removeprefix(".") for text in self.suffixes}))
            object.__setattr__(self, "suffixes", plain)

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> SourceSettings:
        """Settings for a path of this machine."""
        return cls(name_to_text(os.path.realpath(os.fsencode(path))))

    def resolved(self) -> SourceSettings:
        """The same with the kind told.

        Raises:
          SourceError: there is nothing at the path, or it cannot be read.
        """
        return self if self.kind else replace(self, kind=kind_of(text_to_name(self.path)))


def open_source(settings: SourceSettings) -> Source:
    """The source that settings describe.

    Raises:
      SourceError: there is nothing at the path, or it is not of the kind that was said.
    """
    path = text_to_name(settings.path)
    kind = settings.kind or kind_of(path)
    if not os.path.exists(path):
        raise SourceError(f"{os.fsdecode(path)}: no such file or folder")
    is_folder = os.path.isdir(path)  # noqa: PTH112
    needs_folder = {"folder": True, "pass": True, "dataset": True, "list": False}.get(kind)
    if needs_folder is not None and needs_folder != is_folder:
        expected = "a folder" if needs_folder else "a file"
        found = "a folder" if is_folder else "a file"
        raise SourceError(f"{os.fsdecode(path)}: as {kind}, expected {expected}, found {found}")
    suffixes = Suffixes.of(settings.suffixes)
    if kind == "folder":
        return FolderTree(path, suffixes)
    if kind == "tar":
        return TarFiles(path, suffixes)
    if kind == "parquet":
        return ParquetFiles(path, settings.column, settings.name_column)
    if kind == "list":
        root = os.path.dirname(path) if settings.root is None else text_to_name(settings.root)  # noqa: PTH120
        return ListFile(path, root)
    if kind == "pass":
        only = None if settings.only is None else Path(os.fsdecode(text_to_name(settings.only)))
        return PassImages(Path(os.fsdecode(path)), settings.release, only)
    return SavedDataset(Path(os.fsdecode(path)), settings.column, settings.name_column)


def kind_of(path: bytes) -> Kind:
    """What is at a path: by the name of a file, by what lies in a folder.

    Raises:
      SourceError: there is nothing, or the folder may not be read.
    """
    try:
        if os.path.isdir(path):  # noqa: PTH112
            return _kind_of_folder(path)
        os.stat(path)  # noqa: PTH116
    except OSError as error:
        raise SourceError(f"{os.fsdecode(path)}: {error.strerror}") from error
    lower = path.lower()
    if lower.endswith(b".tar"):
        return "tar"
    if lower.endswith((*_IMAGE_ENDINGS, *_COMPRESSED)):
        raise SourceError(
            f"{os.fsdecode(path)}: expected a folder, a tar that is not compressed, Parquet, or a "
            "list of files"
        )
    return "parquet" if lower.endswith(b".parquet") else "list"


def _kind_of_folder(folder: bytes) -> Kind:
    names: set[bytes] = set()
    for entry in _entries([folder], depth=0):
        if _ending(entry) in _IMAGE_ENDINGS:
            return "folder"
        names.add(entry.name)
    if names & {b"dataset_dict.json", b"state.json"}:
        return "dataset"
    if any(name.endswith(b".tar") for name in names):
        return "pass" if any(_is_metadata(name) for name in names) else "tar"
    # Nothing at the top tells it: the first images, tars or tables below do.
    endings = set()
    for entry in itertools.islice(_entries([folder], depth=None), _MAX_LOOKED_AT):
        endings.add(_ending(entry))
        if endings & _IMAGE_ENDINGS:
            return "folder"
    if b".tar" in endings:
        return "tar"
    return "parquet" if b".parquet" in endings else "folder"


def _entries(pending: list[bytes], depth: int | None) -> Iterator[os.DirEntry[bytes]]:
    """What is in folders, level by level; what may not be read below is passed over."""
    level = 0
    while pending and (depth is None or level <= depth):
        below: list[bytes] = []
        for folder in pending:
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        yield entry
                        if entry.is_dir(follow_symlinks=False):
                            below.append(entry.path)
            except OSError:
                if level == 0:
                    raise
        pending, level = below, level + 1


def _ending(entry: os.DirEntry[bytes]) -> bytes:
    return os.path.splitext(entry.name)[1].lower()  # noqa: PTH122


def _is_metadata(name: bytes) -> bool:
    """Whether a file beside tars says that they are a collection in the layout of PASS."""
    return name in (b"pass_metadata.csv", os.fsencode(RECEIPT_NAME))
