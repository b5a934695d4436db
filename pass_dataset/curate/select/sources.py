"""What metadata is selected from: files here or on a server, and which form each has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import pyarrow as pa

from pass_dataset.curate.select.flickr import COLUMNS
from pass_dataset.curate.select.remote import RemoteBytes, RemoteFile, name_of
from pass_dataset.errors import CurationError
from pass_dataset.releases.addresses import check_address, public_address

__all__ = ["Form", "Source", "find_sources", "is_address", "opened", "packed", "unpacked"]

Form = Literal["text", "sqlite", "table", "parquet"]
Packing = Literal["", "bz2", "gzip", "zstd"]

#: How files begin (the formats' own descriptions), and what that says.
_BEGINNINGS: tuple[tuple[bytes, Packing], ...] = (
    (b"BZh", "bz2"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
_SQLITE = b"SQLite format 3\0"
_PARQUET = b"PAR1"
_TABLE_NAMES = re.compile(r".*\.(csv|tsv)(\.(bz2|gz|zst))?", re.IGNORECASE)
_PART = re.compile(r"(yfcc100m_dataset)-(\d)(\.\w+)?")
_SNIFFED_BYTES, _READ_BYTES = 1 << 18, 1 << 14


@dataclass(frozen=True)
class Source:
    """One file of metadata.

    Attributes:
      name: of the file, without its folder.
      where: its path, or its address.
      size_bytes: as it lies there.
      form: what it is.
      packing: how it is compressed; empty: it is not.
      columns: of YFCC100M's text: 25 or 23; 0 for other forms.
    """

    name: str
    where: str
    size_bytes: int
    form: Form
    packing: Packing
    columns: int

    @property
    def is_remote(self) -> bool:
        return is_address(self.where)

    @property
    def shown(self) -> str:
        """What messages call it."""
        return public_address(self.where) if self.is_remote else self.where


def is_address(text: str) -> bool:
    """True for an address of the web."""
    return text.lower().startswith(("http://", "https://"))


def find_sources(metadata: Sequence[str]) -> list[Source]:
    """The files that are meant, in order.

    Args:
      metadata: paths and addresses; of a folder, the parts of YFCC100M's metadata in it.

    Raises:
      CurationError: one is missing, is not known for what it is, or they do not go together.
      DownloadError: a server does not answer.
    """
    places = [place for given in metadata for place in _places(given)]
    if not places:
        raise CurationError("no metadata was given; expected files, a folder or addresses")
    sources = [_looked_at(place) for place in places]
    names = [source.name for source in sources]
    for number, source in enumerate(sources):
        if source.name in names[:number]:
            raise CurationError(
                f"{source.shown}: another file of metadata has that name too; the ledger tells "
                "them apart by their names, so rename one"
            )
        if (source.form, source.columns) != (sources[0].form, sources[0].columns):
            raise CurationError(
                f"{source.shown}: expected {_said(sources[0])} as {sources[0].name} has, found "
                f"{_said(source)}; select from files of one form"
            )
    return sources


def _said(source: Source) -> str:
    return f"text of {source.columns} columns" if source.columns else f"the form {source.form}"


def _places(given: str) -> list[str]:
    if is_address(given):
        return [given]
    path = Path(given).expanduser().absolute()
    if not path.is_dir():
        return [str(path)]
    parts = sorted(entry for entry in path.iterdir() if _PART.fullmatch(entry.name))
    if not parts:
        parts = sorted(path.glob("yfcc100m_dataset*"))
    if not parts:
        raise CurationError(
            f"{path}: expected files yfcc100m_dataset-0 to -9, or yfcc100m_dataset, in the folder; "
            "found none. Name the files themselves"
        )
    return [str(part) for part in parts]


def _looked_at(where: str) -> Source:
    """A file and its form, by how it begins."""
    if is_address(where):
        try:
            check_address(where)
        except ValueError as error:
            raise CurationError(f"{public_address(where)[:200]}: {error}") from error
        remote = RemoteBytes(where)
        try:
            size, beginning = remote.size_bytes, remote.read_single(16, 0)
        finally:
            remote.close()
        name = name_of(where)
    else:
        path = Path(where)
        name = path.name
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                beginning = file.read(16)
        except OSError as error:
            raise CurationError(f"{where}: cannot be read: {error.strerror}") from error
    if not size:
        raise CurationError(f"{where}: expected metadata, found an empty file")
    if beginning == _SQLITE:
        return Source(name, where, size, "sqlite", "", 0)
    if beginning.startswith(_PARQUET):
        return Source(name, where, size, "parquet", "", 0)
    packing: Packing = ""
    for start, kind in _BEGINNINGS:
        if beginning.startswith(start):
            packing = kind
    if _TABLE_NAMES.fullmatch(name):
        return Source(name, where, size, "table", packing, 0)
    source = Source(name, where, size, "text", packing, 0)
    return Source(name, where, size, "text", packing, _columns_of(source))


def _columns_of(source: Source) -> int:
    """25 or 23, as most of its first rows have."""
    text = b""
    with opened(source) as file:
        try:
            while len(text) < _SNIFFED_BYTES and (block := file.read(_READ_BYTES)):
                text += block
        except OSError as error:  # if there is something before, the rest is for whoever counts
            if not text:
                raise CurationError(f"{source.shown}: cannot be read: {error}") from error
    lines = text.split(b"\n")
    lines = lines[:-1] if len(lines) > 1 else lines
    found = [line.count(b"\t") + 1 for line in lines]
    new, old = found.count(len(COLUMNS) + 2), found.count(len(COLUMNS))
    if not new and not old:
        raise CurationError(
            f"{source.shown}: expected YFCC100M's metadata (text of 25 or 23 columns with tabs "
            "between, or SQLite), a table (.csv, .tsv) or Parquet; its first row has "
            f"{found[0]} columns"
        )
    if min(new, old) > len(found) // 4:
        raise CurationError(
            f"{source.shown}: of its first {len(found)} rows, {new} have 25 columns and {old} have "
            "23; expected one form. Sort them into two files"
        )
    return len(COLUMNS) + 2 if new >= old else len(COLUMNS)


def opened(source: Source) -> IO[Any]:
    """What a file has in it, unpacked, as bytes from its beginning on.

    Reading raises OSError where it is damaged or cut, and DownloadError where a server fails.
    """
    return unpacked(packed(source), source)


def packed(source: Source) -> Any:
    """A file as it lies there, opened."""
    if source.is_remote:
        return RemoteFile(RemoteBytes(source.where, source.size_bytes))
    return Path(source.where).open("rb")


def unpacked(file: Any, source: Source) -> IO[Any]:
    """What is in a file that `packed` opened."""
    if not source.packing:
        return file  # type: ignore[no-any-return]
    return pa.CompressedInputStream(pa.PythonFile(file, "r"), source.packing)  # type: ignore[no-any-return]
