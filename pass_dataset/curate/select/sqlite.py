"""YFCC100M's SQLite file, here or on a server, in ranges of its rows.

Here, the SQLite of APSW reads it, in half the time of Python's own, which is there where APSW is
not installed. On a server it lies there: SQLite, through APSW, asks for the pages that it wants by
byte ranges, so nobody stores 61 GiB. What to read is SQLite's own business
both times (leaves, rows that go over into other pages, pages of no use), so any file will do that
SQLite can read.
"""

from __future__ import annotations

import contextlib
import importlib
import shlex
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

import numpy as np

from pass_dataset.curate.select.flickr import FIELDS, UNKNOWN, FlickrRows, code_of
from pass_dataset.curate.select.known_totals import PHOTOS
from pass_dataset.curate.select.licenses import FLICKR, Licenses
from pass_dataset.curate.select.sources import Source
from pass_dataset.curate.select.sqlite_remote import open_remote, round_numbers
from pass_dataset.errors import CurationError

__all__ = ["Table", "find_table", "opened_database", "take_rows"]

_NEEDED = (*FIELDS, "marker")
#: `FIELDS` with tabs between, a null as empty text; the call takes half the time of the operators.
_BY_OPERATORS = " || x'09' || ".join(f"ifnull({name}, '')" for name in FIELDS)
_BY_CALL = "concat({})".format(", x'09', ".join(FIELDS))
#: The first SQLite that has `concat`.
_WITH_CALL = (3, 44)
#: Rows that are read at a time, some megabytes.
_STRETCH_ROWS = 40_000
#: Where the size of a page, and the number of pages, stand in the file (sqlite.org/fileformat2).
_PAGE_SIZE_AT, _PAGES_AT = slice(16, 18), slice(28, 32)
_HEADER_BYTES = 100


class Database(Protocol):
    """What Python's SQLite and APSW have in common."""

    def execute(self, statement: str, values: Sequence[Any] = ...) -> Any:
        """A cursor that rows are taken from."""


@dataclass(frozen=True)
class Table:
    """The table of metadata, and the numbers of its first and last row."""

    name: str
    first: int
    last: int


@contextlib.contextmanager
def opened_database(source: Source) -> Iterator[Database]:
    """Opens a file for reading; nothing is written beside it.

    Raises:
      CurationError: it cannot be read.
      MissingExtraError: it lies on a server, and APSW is not installed.
      DownloadError: the server does not send what is asked for.
    """
    if source.is_remote:
        with open_remote(source.where, source.size_bytes, source.shown) as database:
            yield database
        return
    try:
        apsw = importlib.import_module("apsw")
    except ModuleNotFoundError:
        opened = _opened_by_python(source)
    else:
        opened = _opened_by_apsw(apsw, source)
    with opened as database:
        yield database


@contextlib.contextmanager
def _opened_by_apsw(apsw: Any, source: Source) -> Iterator[Database]:
    try:
        with contextlib.closing(
            apsw.Connection(
                _address_of(source),
                flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI | apsw.SQLITE_OPEN_NOMUTEX,
            )
        ) as connection:
            round_numbers(apsw, connection)
            # All of it: reading a page is then no call of the system.
            connection.execute(f"PRAGMA mmap_size = {source.size_bytes}")
            yield connection
    except apsw.Error as error:
        raise _unreadable(source, error) from error


@contextlib.contextmanager
def _opened_by_python(source: Source) -> Iterator[Database]:
    try:
        with contextlib.closing(sqlite3.connect(_address_of(source), uri=True)) as connection:
            connection.text_factory = bytes
            # As above, of the first 2 GiB.
            connection.execute(f"PRAGMA mmap_size = {1 << 31}")
            yield connection
    except sqlite3.Error as error:
        raise _unreadable(source, error) from error


def _address_of(source: Source) -> str:
    return f"file:{quote(source.where)}?mode=ro&immutable=1"


def _unreadable(source: Source, error: Exception) -> CurationError:
    return CurationError(f"{source.shown}: cannot be read as SQLite: {error}")


def check_length(source: Source, header: bytes) -> None:
    """Refuses a file that is cut.

    Args:
      source: the file.
      header: its first 100 bytes.

    Raises:
      CurationError: it is shorter than it says.
    """
    page = int.from_bytes(header[_PAGE_SIZE_AT], "big")
    page = 65536 if page == 1 else page
    expected = page * int.from_bytes(header[_PAGES_AT], "big")
    if len(header) < _HEADER_BYTES or source.size_bytes < expected:
        raise CurationError(
            f"{source.shown}: is cut: expected {expected:,} bytes, found {source.size_bytes:,}; "
            "fetch it again"
        )


def find_table(database: Database, source: Source) -> Table:
    """The table that has YFCC100M's columns.

    Raises:
      CurationError: there is none, or several, or text is not in UTF-8.
    """
    ((encoding,),) = database.execute("PRAGMA encoding").fetchall()
    if (found_encoding := _text(encoding)) != "UTF-8":
        raise CurationError(
            f"{source.shown}: expected text in UTF-8, as YFCC100M's is, found {found_encoding}. "
            f"Make a copy that has it: sqlite3 {shlex.quote(source.shown)} .dump | sqlite3 COPY"
        )
    names = database.execute(
        "SELECT CAST(name AS BLOB) FROM sqlite_master WHERE type = 'table' ORDER BY name"
    )
    found = []
    for (raw,) in names.fetchall():
        name = raw.decode("utf-8", "replace")
        described = database.execute(f"PRAGMA table_info({_quoted(name)})").fetchall()
        columns = {_text(row[1]).lower() for row in described}
        if columns.issuperset(_NEEDED):
            found.append(name)
    if len(found) != 1:
        raise CurationError(
            f"{source.shown}: expected one table with the columns {', '.join(_NEEDED)}; found "
            f"{len(found) or 'none'}"
        )
    # Each by itself: for both in one SELECT, SQLite would read the whole table.
    (bounds,) = database.execute(
        f"SELECT (SELECT min(rowid) FROM {_quoted(found[0])}), "
        f"(SELECT max(rowid) FROM {_quoted(found[0])})"
    ).fetchall()
    return Table(found[0], bounds[0] or 0, -1 if bounds[1] is None else bounds[1])


def take_rows(
    database: Database,
    table: Table,
    start: int,
    stop: int,
    rows: FlickrRows,
    licenses: Licenses,
) -> None:
    """Takes the rows of a range of numbers.

    Args:
      database: opened.
      table: of the metadata.
      start, stop: the range.
      rows: takes the rows.
      licenses: those asked for; of rows under others nothing else is read.
    """
    table_name = _quoted(table.name)
    # It stands in the order of the numbers, and no index is to give it in another.
    where = f"FROM {table_name} NOT INDEXED WHERE rowid >= ? AND rowid < ?"
    # One value for thousands of rows: what Python makes of each row would take most of the time.
    fields = _fields(database)
    line = _line(licenses, fields, is_integer=_has_integers(database, table, "marker"))
    lines = f"SELECT count(*), CAST(group_concat({line}, x'0a') AS BLOB) {where}"
    single = (
        "SELECT CAST(licensename AS BLOB), CAST(licenseurl AS BLOB), CAST(marker AS BLOB), "
        f"CAST('{UNKNOWN.decode()}' || x'09' || {fields} AS BLOB) "
        f"FROM {table_name} WHERE rowid = ?"
    )

    def one(number: int) -> tuple[bytes, bytes, bytes, bytes]:
        ((name, url, marker, text),) = database.execute(single, [number]).fetchall()
        return name or b"", url or b"", marker or b"", text

    while start < stop:
        end = min(stop, start + _STRETCH_ROWS)
        ((count, text),) = database.execute(lines, [start, end]).fetchall()
        if count == end - start:
            numbers = np.arange(start, end)
        else:
            found = database.execute(f"SELECT rowid {where}", [start, end]).fetchall()
            numbers = np.array([number for (number,) in found], np.int64)
        if count:
            rows.take_coded(text + b"\n", numbers, one)
        ((after,),) = database.execute(
            f"SELECT min(rowid) FROM {table_name} WHERE rowid >= ?", [end]
        ).fetchall()
        start = stop if after is None else after


def _fields(database: Database) -> str:
    """`FIELDS` of a row as one text, as SQL that this SQLite knows."""
    ((version,),) = database.execute("SELECT sqlite_version()").fetchall()
    number = tuple(int(part) for part in _text(version).split("."))
    return _BY_CALL if number >= _WITH_CALL else _BY_OPERATORS


def _has_integers(database: Database, table: Table, column: str) -> bool:
    """True if numbers in a column are whole, whatever was put into it (sqlite.org/datatype3)."""
    described = database.execute(f"PRAGMA table_info({_quoted(table.name)})").fetchall()
    kinds = {_text(row[1]).lower(): _text(row[2]).upper() for row in described}
    return "INT" in kinds[column]


def _line(licenses: Licenses, fields: str, *, is_integer: bool) -> str:
    """What is said of a row, as SQL: its code, and if it is asked for, its fields.

    Compared are the very bytes, whatever the table's columns have for rules.

    Args:
      licenses: those asked for.
      fields: what is said of those, as SQL.
      is_integer: markers that are numbers are whole; then they are compared as they are, as to make
        text of each takes a tenth of the time.
    """
    cases = []
    # The most frequent first: of each row, the licences before its own are compared.
    for one in sorted(FLICKR, key=lambda one: -PHOTOS[one.short]):
        photo, video = (code_of(one, marker) for marker in (b"0", b"1"))
        asked = f"'{photo}' || x'09' || {fields}" if licenses.accepts(one.name, one.url) else ""
        said = asked or f"'{photo}'"
        unknown = f"'{UNKNOWN.decode()}'"
        marker = (
            f"CASE CAST(marker AS BLOB) WHEN x'30' THEN {said} WHEN x'31' THEN '{video}' "
            f"ELSE {unknown} END"
        )
        if is_integer:
            # With a plus, nothing that is no number is made one.
            marker = (
                f"CASE WHEN +marker IS 0 THEN {said} WHEN +marker IS 1 THEN '{video}' "
                f"ELSE {marker} END"
            )
        cases.append(
            f"WHEN '{one.url}' THEN CASE WHEN licensename COLLATE BINARY = '{one.name}' THEN "
            f"{marker} ELSE {unknown} END"
        )
    return f"CASE licenseurl COLLATE BINARY {' '.join(cases)} ELSE '{UNKNOWN.decode()}' END"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
