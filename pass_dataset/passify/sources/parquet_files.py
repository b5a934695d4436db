"""Parquet files with a column of images."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as types

from pass_dataset.errors import SourceError
from pass_dataset.folders.file_mark import FileVersion
from pass_dataset.passify.sources.file_states import FileStates, require_unchanged
from pass_dataset.passify.sources.folder_tree import FolderTree, Suffixes
from pass_dataset.passify.sources.names import name_to_text, text_to_name
from pass_dataset.passify.sources.row_names import name_column, row_keys
from pass_dataset.passify.sources.row_windows import WINDOW_ROWS, Cell, RowWindows
from pass_dataset.passify.sources.source import (
    MAX_IMAGE_BYTES,
    Kind,
    ListingReport,
    SourceItem,
    require_size,
)

__all__ = ["ParquetFiles", "image_column"]

#: What people call the column where nothing else tells it.
_USUAL_NAMES = ("image", "img", "jpg", "jpeg", "png", "picture", "photo", "bytes")

#: Windows that are read and thrown away rather than looked for from the start of a row group.
_MAX_PASSED_OVER = 8

#: Images are compressed by themselves: pages that become this many times as large are of
#: something else, and may take all memory.
_MOST_EXPANSION = 100
#: Rows that a file may claim whatever its size, as empty ones take less than a bit.
_ALWAYS_ROWS = 10_000
#: What the cells of a window take at most.
_WINDOW_BYTES = 1 << 30


@dataclass(frozen=True)
class ParquetFiles:
    """The images in a Parquet file, or in all under a folder, row by row.

    Cells are the bytes of an image file, or structs with a field ``bytes`` as Hugging Face has
    them. ``train-0001.parquet/17`` is the path of the 18th row; where rows have names, the name
    stands in the number's place.

    Attributes:
      path: the file, or the folder.
      column: the column of images; None to be told from the file.
      name_column: the column of names; None: ``hash``, where each row of a file has one of its own.
    """

    path: bytes
    column: str | None = None
    name_column: str | None = None

    @property
    def kind(self) -> Kind:
        return "parquet"

    def items(self, report: ListingReport) -> Iterator[SourceItem]:
        for name in self._names(report):
            container = name_to_text(name)
            try:
                path = os.path.join(self._root, name)
                report.files[container] = FileVersion.of(path)
                file = _open(path)
                with file:
                    image_column(file.schema_arrow, self.column)
                    rows = file.metadata.num_rows
                    _require_rows(rows, report.files[container].size_bytes)
                keys = row_keys(self.keys(container), rows, self.name_column)
            except SourceError as error:
                report.add_unreadable(f"{container}: {error}")
                continue
            except OSError as error:
                report.add_unreadable(f"{container}: {error.strerror}")
                continue
            for row, key in enumerate(keys):
                yield SourceItem(name_to_text(name + b"/" + key), container, row)

    def keys(self, container: str) -> Sequence[str | None] | None:
        """The names of a file's rows; None where it has no column of them.

        Raises:
          SourceError: it cannot be read.
        """
        with _open(os.path.join(self._root, text_to_name(container))) as file:
            column = name_column(file.schema_arrow, self.name_column)
            if column is None:
                return None
            try:
                table = file.read([column])
            except (OSError, pa.ArrowException) as error:
                raise SourceError(f"cannot be read as Parquet: {error}") from error
        names: list[str | None] = table[column].cast(pa.string()).to_pylist()
        return names

    def _names(self, report: ListingReport) -> Iterator[bytes]:
        if os.path.isdir(self.path):  # noqa: PTH112
            return FolderTree(self.path, Suffixes(frozenset({b"parquet"}))).files(report)
        return iter([os.path.basename(self.path)])  # noqa: PTH119

    @property
    def _root(self) -> bytes:
        """Folder that the files' names are within."""
        if os.path.isdir(self.path):  # noqa: PTH112
            return self.path
        return os.path.dirname(self.path)  # noqa: PTH120

    def reader(self, states: FileStates) -> _ParquetReader:
        return _ParquetReader(self._root, self.column, states)

    def file_of(self, item: SourceItem) -> bytes | None:
        return None


def _open(path: bytes) -> pq.ParquetFile:
    try:
        # Row groups of images take hundreds of megabytes: they are read page by page.
        return pq.ParquetFile(pa.OSFile(path), pre_buffer=False, buffer_size=1 << 18)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"cannot be read as Parquet: {error}") from error


def _require_rows(rows: int, size_bytes: int) -> None:
    """Refuses a file that claims more images than it can have: listing them might never end.

    Raises:
      SourceError: it does.
    """
    if rows > max(_ALWAYS_ROWS, size_bytes):
        raise SourceError(f"claims {rows:,} rows of images in {size_bytes:,} bytes")


def image_column(schema: pa.Schema, wanted: str | None) -> str:
    """The column of images.

    Raises:
      SourceError: there is none of that name or none that could be one, or several could.
    """
    usable = [field.name for field in schema if _holds_bytes(field.type)]
    found = f"; columns: {', '.join(schema.names)}"
    if wanted is not None:
        if wanted in usable:
            return wanted
        raise SourceError(f"expected images in the column {wanted!r}, found no such bytes{found}")
    for candidates in (_declared(schema), usable, [n for n in _USUAL_NAMES if n in usable]):
        fitting = [name for name in candidates if name in usable]
        if len(fitting) == 1:
            return fitting[0]
    for name in _USUAL_NAMES:
        if name in usable:
            return name
    what = "several columns could be" if usable else "no column has"
    raise SourceError(f"{what} the images: name one with --image-column{found}")


def _declared(schema: pa.Schema) -> list[str]:
    """Columns that Hugging Face's metadata calls images."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return [name for name, feature in features.items() if feature.get("_type") == "Image"]
    except (KeyError, ValueError, TypeError, AttributeError):
        return []


def _holds_bytes(kind: pa.DataType) -> bool:
    if types.is_struct(kind):
        index = kind.get_field_index("bytes")
        return index >= 0 and _holds_bytes(kind.field(index).type)
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


class _ParquetReader:
    """Goes forward through a file; going back starts at the row group again."""

    def __init__(self, root: bytes, column: str | None, states: FileStates) -> None:
        self._root = root
        self._states = states
        self._column = column
        self._windows = RowWindows(self._window)
        self._file: _Position | None = None

    def read(self, item: SourceItem) -> bytes:
        assert item.container is not None
        assert item.start is not None
        return self._windows.cell(item.container, item.start)

    def _window(self, container: str, number: int) -> Sequence[Cell]:
        path = os.path.join(self._root, text_to_name(container))
        try:
            return self._cells(container, path, number)
        finally:
            require_unchanged(path, container, self._states)

    def _cells(self, container: str, path: bytes, number: int) -> Sequence[Cell]:
        position = self._file
        if (
            position is None
            or position.container != container
            or not position.next <= number < position.next + _MAX_PASSED_OVER
        ):
            self.close()
            position = self._file = _Position(container, path, self._column, number)
        return position.window(number)

    def close(self) -> None:
        self._windows.clear()
        if self._file is not None:
            self._file.close()
            self._file = None


class _Position:
    """How far a file has been read."""

    def __init__(self, container: str, path: bytes, column: str | None, number: int) -> None:
        self.container = container
        self._opened = _open(path)
        self._column = image_column(self._opened.schema_arrow, column)
        # Windows are counted from the file's first row, batches from that of the first group read.
        groups, first_row = _groups_from(self._opened.metadata, number * WINDOW_ROWS)
        self.next = number
        self._skip = number * WINDOW_ROWS - first_row
        self._cells: list[Cell] = []
        # Group by group: one that is refused must not cost the others theirs.
        self._batches = itertools.chain.from_iterable(map(self._group, groups))

    def _group(self, group: int) -> Iterator[Sequence[Cell]]:
        metadata = self._opened.metadata.row_group(group)
        refusal, rows = _bounds(metadata, self._column)
        if refusal is not None:
            yield from _refused(refusal, metadata.num_rows)
            return
        for batch in self._opened.iter_batches(rows, row_groups=[group], columns=[self._column]):
            yield _cells(batch.column(0))

    def window(self, number: int) -> Sequence[Cell]:
        try:
            while True:
                cells = self._take()
                self.next += 1
                if self.next > number:
                    return cells
        except (OSError, pa.ArrowException) as error:
            raise SourceError(f"{self.container}: cannot be read: {error}") from error

    def _take(self) -> list[Cell]:
        while len(self._cells) < self._skip + WINDOW_ROWS:
            batch = next(self._batches, None)
            if batch is None:
                break
            self._cells += batch
            # What comes before the first window is let go of as it is read.
            passed = min(self._skip, len(self._cells))
            del self._cells[:passed]
            self._skip -= passed
            _bound_window(self._cells)
        taken, self._cells = self._cells[:WINDOW_ROWS], self._cells[WINDOW_ROWS:]
        return taken

    def close(self) -> None:
        self._opened.close()


def _bounds(group: pq.RowGroupMetaData, column: str) -> tuple[SourceError | None, int]:
    """Why a row group must not be read, if so; and rows of it to read at a time."""
    chunks = [group.column(number) for number in range(group.num_columns)]
    parts = [chunk for chunk in chunks if chunk.path_in_schema.partition(".")[0] == column]
    stored = sum(part.total_compressed_size for part in parts)
    expanded = sum(part.total_uncompressed_size for part in parts)
    if expanded > MAX_IMAGE_BYTES and expanded > _MOST_EXPANSION * stored:
        return SourceError(
            f"{stored:,} bytes of the table that become {expanded:,}: expected images, which are "
            "compressed by themselves"
        ), 0
    # A value that stands in a dictionary once may be that of every row.
    if any(part.has_dictionary_page for part in parts):
        return None, max(1, min(WINDOW_ROWS, _WINDOW_BYTES // max(expanded, 1)))
    return None, WINDOW_ROWS


def _refused(refusal: SourceError, rows: int) -> Iterator[list[Cell]]:
    for start in range(0, rows, WINDOW_ROWS):
        yield [refusal] * min(WINDOW_ROWS, rows - start)


def _bound_window(cells: list[Cell]) -> None:
    """Lets go of the cells with which a window takes too much memory."""
    total = 0
    for number, cell in enumerate(cells):
        if isinstance(cell, bytes):
            total += len(cell)
            if total > _WINDOW_BYTES:
                cells[number] = SourceError(
                    f"{len(cell):,} bytes, and over {_WINDOW_BYTES:,} with the images beside it"
                )
                total -= len(cell)


def _groups_from(metadata: pq.FileMetaData, row: int) -> tuple[list[int], int]:
    """The row groups from the one with that row on, and its first row."""
    first = 0
    for group in range(metadata.num_row_groups):
        length = metadata.row_group(group).num_rows
        if first + length > row:
            return list(range(group, metadata.num_row_groups)), first
        first += length
    return [], first


def _cells(column: pa.Array[Any]) -> list[Cell]:
    if not types.is_struct(column.type):
        return _values(column)
    cells = _values(column.field("bytes"))
    if column.type.get_field_index("path") >= 0:
        paths = column.field("path").to_pylist()
        cells = [
            _elsewhere(path) if cell is None and path else cell
            for cell, path in zip(cells, paths, strict=True)
        ]
    return cells


def _values(column: pa.Array[Any]) -> list[Cell]:
    """The cells, of which none too large for an image is copied."""
    return [_value(cell) for cell in column]


def _value(cell: pa.Scalar[Any]) -> Cell:
    buffer = cell.as_buffer()
    try:
        require_size(0 if buffer is None else buffer.size)
    except SourceError as error:
        return error
    value: bytes | None = cell.as_py()
    return value


def _elsewhere(path: object) -> SourceError:
    # It is not read: whoever made a file could have it name any file of this machine.
    return SourceError(
        f"the row has no bytes, only the path of a file: {path!r}. Write the table with the images "
        "in it, or give passify the files themselves"
    )
