"""The metadata CSV as a typed Arrow table.

Columns of releases 2 and 3: an unnamed row number, ``unickname``, ``datetaken``, ``licensename``,
``hash``, ``latitude``, ``longitude``; release 1 has no dates and no GPS. Everything is read as
text and only the empty field is missing: a hash may be all digits or look like ``12e45…``, and a
photographer may be called ``NA``, ``null`` or ``None``.
"""

from __future__ import annotations

import csv
import datetime
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from pass_dataset.archives.hash_order import hash_order
from pass_dataset.errors import MetadataError
from pass_dataset.files.arrow import column_of
from pass_dataset.files.hashing import read_blocks

__all__ = [
    "METADATA_COLUMNS",
    "REQUIRED_COLUMNS",
    "ROW_COLUMN",
    "columns_in",
    "known_columns",
    "parse_date",
    "position_of",
    "read_metadata",
    "read_rows",
    "read_text",
]

logger = logging.getLogger(__name__)

#: Without the first a row has no image, without the second CC-BY cannot be honoured.
REQUIRED_COLUMNS = ("hash", "unickname")
#: Columns of the table that is made of it.
METADATA_COLUMNS = (
    "hash",
    "creator",
    "license",
    "date_taken_text",
    "date_taken",
    "latitude",
    "longitude",
)
#: Name of the column of row numbers in YFCC-100M, which has none.
ROW_COLUMN = ""
_OPTIONAL_COLUMNS = ("licensename", "datetaken", "latitude", "longitude")


def read_metadata(path: str | os.PathLike[str]) -> pa.Table:
    """Reads a metadata CSV.

    Returns:
      A table with the columns ``hash`` (string, each value once), ``creator`` (string,
      URL-encoded as in the file), ``license`` (string), ``date_taken_text`` (string, as in the
      file), ``date_taken`` (timestamp[us]), ``latitude`` and ``longitude`` (float64, degrees);
      null where the field is empty or the column is absent. Columns of other names are left out.

    Raises:
      MetadataError: the file cannot be read, lacks a required column, or a field is not a number
        where one belongs; the message names it.
    """
    path = Path(path)
    columns = known_columns(path)
    text = read_text(path, columns)
    missing = pa.nulls(text.num_rows, pa.string())
    taken = text["datetaken"] if "datetaken" in columns else missing
    return pa.table(
        {
            "hash": text["hash"],
            "creator": text["unickname"],
            "license": text["licensename"] if "licensename" in columns else missing,
            "date_taken_text": taken,
            "date_taken": _timestamps(path, taken),
            "latitude": _degrees(path, text, "latitude"),
            "longitude": _degrees(path, text, "longitude"),
        }
    )


def read_text(path: Path, columns: Sequence[str]) -> pa.Table:
    """Reads columns of a metadata CSV as they are.

    Args:
      path: the CSV.
      columns: names, ``hash`` among them; see `columns_in`.

    Returns:
      A table of strings, one row for each hash (the first), null where the field is empty.

    Raises:
      MetadataError: the file cannot be read, or lacks one of them.
    """
    return _without_repeats(path, read_rows(path, columns, with_hash=True))


def position_of(image_hash: str, hashes: pa.Array, order: pa.Array | None = None) -> int | None:
    """Position of a hash, by bisection; None if it is not there.

    Args:
      image_hash: what to look for.
      hashes: strings; in order, unless `order` is given.
      order: their positions in the order of the hashes.
    """
    low, high = 0, len(hashes)
    while low < high:
        middle = (low + high) // 2
        position: int = middle if order is None else order[middle].as_py()
        found: str = hashes[position].as_py()
        if found == image_hash:
            return position
        if found < image_hash:
            low = middle + 1
        else:
            high = middle
    return None


def known_columns(path: Path) -> list[str]:
    """Columns of a metadata CSV that mean something here.

    Raises:
      MetadataError: the file cannot be read, or lacks a required column.
    """
    header = _header(path)
    missing = [name for name in REQUIRED_COLUMNS if name not in header]
    if missing:
        raise MetadataError(
            f"{path}: the required column {' and '.join(map(repr, missing))} is missing; "
            f"found: {', '.join(map(repr, header)) or 'an empty file'}"
        )
    twice = [name for name in (*REQUIRED_COLUMNS, *_OPTIONAL_COLUMNS) if header.count(name) > 1]
    if twice:
        raise MetadataError(f"{path}: the column {twice[0]!r} stands there more than once")
    return [name for name in (*REQUIRED_COLUMNS, *_OPTIONAL_COLUMNS) if name in header]


def columns_in(path: Path) -> list[str]:
    """All columns of a metadata CSV that can be told by their name, `ROW_COLUMN` too.

    Raises:
      MetadataError: as `known_columns`.
    """
    known_columns(path)
    header = _header(path)
    return [name for name in header if header.count(name) == 1]


def _header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MetadataError(f"{path}: cannot be read as a metadata CSV: {error}") from error


def read_rows(path: Path, columns: Sequence[str], *, with_hash: bool = False) -> pa.Table:
    """All rows of a metadata CSV in their order, those that repeat a hash too.

    Args:
      path: the CSV.
      columns: names; see `columns_in`.
      with_hash: only the rows that have one.

    Returns:
      A table of strings, null where the field is empty.

    Raises:
      MetadataError: the file cannot be read, or lacks one of the columns.
    """
    convert = pyarrow.csv.ConvertOptions(
        include_columns=list(columns),
        column_types=dict.fromkeys(columns, pa.string()),
        strings_can_be_null=True,
        null_values=[""],
    )
    try:
        # Rows that go over several lines are found one after the other, at half the speed.
        parse = pyarrow.csv.ParseOptions(newlines_in_values=_has_quotes(path))
        # Piece by piece: the whole file at once would take three times the table's memory.
        # As bytes: Arrow takes no text for names that are no UTF-8.
        source = pa.OSFile(os.fsencode(path))
        with (
            source,
            pyarrow.csv.open_csv(source, convert_options=convert, parse_options=parse) as reader,
        ):
            pieces = [_with_hash(piece) if with_hash else piece for piece in reader]
            return pa.Table.from_batches(pieces, reader.schema)
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
        raise MetadataError(f"{path}: cannot be read as a metadata CSV: {error}") from error


def _with_hash(piece: pa.RecordBatch) -> pa.RecordBatch:
    """The rows that have a hash; where all have, which is the rule, nothing is copied."""
    hashes = piece["hash"]
    return piece.filter(pc.is_valid(hashes)) if hashes.null_count else piece


def _has_quotes(path: Path) -> bool:
    return any(b'"' in block for block in read_blocks(path))


def _without_repeats(path: Path, text: pa.Table) -> pa.Table:
    """The first row of each hash."""
    order = hash_order(text["hash"])
    if not len(order.repeats):
        return text
    logger.warning(
        "%s: %d rows repeat an earlier hash; the first row counts", path, len(order.repeats)
    )
    return text.take(column_of(np.sort(np.delete(order.rows, order.repeats))))


def parse_date(text: str) -> datetime.datetime | None:
    """A date such as ``2007-05-06 06:11:48.0``; None if it is none (``0000-00-00 …``).

    A zone is left out, as the time is the photographer's, wherever that was.

    >>> parse_date("2007-05-06 06:11:48.0")
    datetime.datetime(2007, 5, 6, 6, 11, 48)
    >>> parse_date("0000-00-00 00:00:00.0") is None
    True
    """
    try:
        # One digit of a second's fraction, which datetime reads from Python 3.11 on only.
        return datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f")
    except ValueError:
        try:
            # Python 3.10 knows no Z.
            text = text[:-1] + "+00:00" if text[-1:] in ("Z", "z") else text
            return datetime.datetime.fromisoformat(text.strip()).replace(tzinfo=None)
        except ValueError:
            return None


def _timestamps(path: Path, taken: pa.ChunkedArray | pa.Array) -> pa.Array | pa.ChunkedArray:
    kind = pa.timestamp("us")
    try:
        return pc.cast(taken, kind)
    except pa.ArrowInvalid:
        # Some text is no date. Row by row is slow, but it is rare and keeps all others.
        dates = [None if text is None else parse_date(text) for text in taken.to_pylist()]
        odd = sum(date is None for date in dates) - taken.null_count
        if odd:
            logger.warning("%s: %d dates cannot be read and count as missing", path, odd)
        return pa.array(dates, kind)


def _degrees(path: Path, text: pa.Table, name: str) -> pa.Array | pa.ChunkedArray:
    if name not in text.column_names:
        return pa.nulls(text.num_rows, pa.float64())
    try:
        degrees = pc.cast(text[name], pa.float64())
    except pa.ArrowInvalid as error:
        raise MetadataError(f"{path}: column {name!r}: expected degrees: {error}") from error
    # Of `pa.scalar`, pandas would be imported, as of `pa.array` (`files.arrow`).
    return pc.if_else(pc.is_nan(degrees), pa.nulls(1, pa.float64())[0], degrees)
