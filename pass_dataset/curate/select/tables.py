"""Candidates of one's own: a table of paths or addresses, with creators and licences."""

from __future__ import annotations

import csv
import datetime
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urljoin

import pyarrow as pa
import pyarrow.parquet as pq

from pass_dataset.curate.select.gathered import Gathering
from pass_dataset.curate.select.law import IS_HASH, address_hash, text_hash
from pass_dataset.curate.select.licenses import Licenses, short_name
from pass_dataset.curate.select.remote import RemoteBytes, RemoteFile
from pass_dataset.curate.select.rules import Refused, Rules, is_sound_text, position
from pass_dataset.curate.select.settings import SelectSettings
from pass_dataset.curate.select.sources import Source, is_address, opened
from pass_dataset.errors import CurationError

__all__ = ["NAMES", "find_columns", "take_table"]

#: Columns of the ledger that a table may fill, and what tables call them. The first that is there
#: is taken.
NAMES: dict[str, tuple[str, ...]] = {
    "hash": ("hash",),
    "photo_id": ("photo_id", "photoid", "id"),
    "nsid": ("nsid", "uid", "creator_id"),
    "unickname": ("unickname", "creator", "author", "photographer"),
    "title": ("title",),
    "datetaken": ("datetaken", "date_taken", "date"),
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "lon", "lng"),
    "page_url": ("page_url", "pageurl", "page"),
    "download_url": ("download_url", "downloadurl", "url", "image_url"),
    "path": ("path", "file", "filename", "file_name"),
    "extension": ("extension", "ext"),
    "license_name": ("license_name", "licensename", "license", "licence"),
    "license_url": ("license_url", "licenseurl", "licence_url"),
}
_EXIF_DATE = re.compile(r"(\d{4}):(\d\d):(\d\d)(.*)", re.DOTALL)
_BATCH_ROWS = 10_000
#: A field of a CSV; longer ones are no names or addresses.
_MOST_FIELD_CHARACTERS = 1 << 20


def find_columns(found: Sequence[str], settings: SelectSettings, where: str) -> dict[str, int]:
    """Which column of a table fills which of the ledger.

    Args:
      found: names of the table's columns.
      settings: what names are mapped to.
      where: the table, for messages.

    Raises:
      CurationError: one that is named is not there, or there is nothing to fetch by.
    """
    unknown = sorted(set(settings.columns) - set(NAMES))
    if unknown:
        raise CurationError(
            f"columns: {unknown[0]!r} is no column of the ledger that a table can fill; there are: "
            f"{', '.join(NAMES)}"
        )
    places = {name.strip().lower(): place for place, name in reversed(list(enumerate(found)))}
    columns = {}
    for name, usual in NAMES.items():
        asked = settings.columns.get(name)
        if asked is not None:
            if asked.strip().lower() not in places:
                raise CurationError(
                    f"{where}: expected a column {asked!r} for {name}; found {', '.join(found)}"
                )
            usual = (asked.strip().lower(),)
        there = [places[one] for one in usual if one in places]
        if there:
            columns[name] = there[0]
    if "download_url" not in columns and "path" not in columns:
        raise CurationError(
            f"{where}: expected a column of addresses or paths (url, path, …); found "
            f"{', '.join(found)}. Say which it is: --column download_url=NAME, or path=NAME"
        )
    if settings.licenses and not {"license_name", "license_url"} & set(columns):
        raise CurationError(
            f"{where}: expected a column of licences; found {', '.join(found)}. Say which it is: "
            "--column license_name=NAME; or ask for no licence: --license any"
        )
    return columns


def take_table(source: Source, settings: SelectSettings, gathered: Gathering) -> None:
    """Takes the rows of a table.

    Raises:
      CurationError: it is no such table.
      DownloadError: a server does not send it.
    """
    rows = _parquet_rows(source) if source.form == "parquet" else _csv_rows(source, gathered)
    header = next(rows, None)
    if header is None:
        raise CurationError(f"{source.shown}: expected a row with the names of columns, found none")
    columns = find_columns(header[1], settings, source.shown)
    taker = _Candidates(source, settings, gathered, columns, len(header[1]))
    for number, row in rows:
        gathered.counts.rows += 1
        try:
            taker.take(row, number)
        except Refused as cause:
            gathered.counts.refuse(str(cause), number)


def _csv_rows(source: Source, gathered: Gathering) -> Iterator[tuple[int, list[str]]]:
    """Rows with the numbers of their lines; of a file that is cut, those before the cut."""
    csv.field_size_limit(_MOST_FIELD_CHARACTERS)
    is_tabbed = ".tsv" in source.name.lower()
    with io.TextIOWrapper(
        io.BufferedReader(_Raw(opened(source)), 1 << 16),
        encoding="utf-8-sig",
        errors="surrogateescape",
        newline="",
    ) as file:
        reader = csv.reader(file, delimiter="\t" if is_tabbed else ",")
        while True:
            # Of a row with newlines in quotes, the first line.
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except OSError as error:
                gathered.counts.note("cut", f"{source.name}, line {line}: {error}")
                return
            except csv.Error as error:
                raise CurationError(f"{source.shown}: line {line}: is no CSV: {error}") from error
            if row:
                yield line, row


class _Raw(io.RawIOBase):
    """What is unpacked, for Python's text."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _parquet_rows(source: Source) -> Iterator[tuple[int, list[Any]]]:
    file: Any = (
        pa.PythonFile(RemoteFile(RemoteBytes(source.where, source.size_bytes)), "r")
        if source.is_remote
        else source.where
    )
    try:
        with pq.ParquetFile(file) as table:
            yield 0, list(table.schema_arrow.names)
            number = 0
            for batch in table.iter_batches(_BATCH_ROWS):
                columns = [
                    [None if value is None else _written(value) for value in column.to_pylist()]
                    for column in batch.columns
                ]
                for row in zip(*columns, strict=True):
                    number += 1
                    yield number, ["" if value is None else value for value in row]
    except (OSError, pa.ArrowException) as error:
        raise CurationError(f"{source.shown}: cannot be read as Parquet: {error}") from error


def _written(value: Any) -> str:
    return value.isoformat(" ") if isinstance(value, datetime.datetime) else str(value)


class _Candidates:
    """Takes rows of a table."""

    def __init__(
        self,
        source: Source,
        settings: SelectSettings,
        gathered: Gathering,
        columns: Mapping[str, int],
        width: int,
    ) -> None:
        self._columns = columns
        self._width = width
        self._gathered = gathered
        self._rules = Rules(settings)
        self._licenses = Licenses(settings.licenses)
        self._where = source.where
        self._folder = None if source.is_remote else Path(source.where).parent
        self._is_encoded = settings.is_encoded

    def take(self, row: Sequence[str], number: int) -> None:
        """Takes a row. Raises `Refused`."""
        if len(row) != self._width:
            raise Refused("too-few-columns" if len(row) < self._width else "too-many-columns")
        value = {name: row[place].strip() for name, place in self._columns.items()}
        get = value.get
        license_name, license_url = get("license_name", ""), get("license_url", "")
        if is_address(license_name) and not license_url:
            license_name, license_url = "", license_name
        short = short_name(license_url or license_name)
        if not self._licenses.accepts(license_name, license_url):
            raise Refused("unknown-license" if short is None else "license")
        if short is not None:
            self._gathered.counts.license(short, photos=1)
        _check_text(value)
        written = get("download_url", "") or get("path", "")
        address, path = self._place(get("download_url", ""), get("path", ""))
        north, east = position(get("latitude", ""), get("longitude", ""))
        date = _date(get("datetaken", ""))
        self._rules.check(north, east, date)
        names = [self._encoded(get(name, ""), number) for name in ("unickname", "title")]
        page = get("page_url") or None
        self._gathered.add(
            (
                self._hash(get("hash", ""), address, page, written, number),
                number,
                get("photo_id") or None,
                get("nsid") or None,
                *names,
                date,
                north,
                east,
                page,
                address,
                path,
                _extension(get("extension", ""), address or path or ""),
                license_name or None,
                license_url or None,
            )
        )

    def _place(self, address: str, path: str) -> tuple[str | None, str | None]:
        """Where it is: an address, or a path on this machine."""
        if is_address(path) and not address:
            address, path = path, ""
        if address and not is_address(address):
            if path or "://" in address:
                raise Refused("bad-address")
            address, path = "", address
        if not address and not path:
            raise Refused("bad-address")
        if path and self._folder is None:  # as a page's relative addresses
            address, path = urljoin(self._where, path), ""
        elif path:
            path = os.path.normpath(self._folder / path)  # type: ignore[operator]
        return address or None, path or None

    def _hash(
        self, said: str, address: str | None, page: str | None, path: str, number: int
    ) -> str:
        law = address_hash(address) if address else text_hash(page or path)
        if not said:
            return law
        is_hash = IS_HASH.fullmatch(said) is not None
        if not is_hash or (address is not None and said != law):
            self._gathered.counts.note("hash-differs", number)
        return said if is_hash else law

    def _encoded(self, text: str, number: int) -> str:
        if not self._is_encoded:
            return quote_plus(text)
        if not is_sound_text(text):
            self._gathered.counts.note("bad-encoding", number)
        return text


def _check_text(value: Mapping[str, str]) -> None:
    text = "".join(value.values())
    if "\0" in text:
        raise Refused("nul-byte")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused("no-utf8") from None


def _date(text: str) -> str | None:
    """A date as YFCC100M has it; None where there is none."""
    if text in ("", "null"):
        return None
    found = _EXIF_DATE.fullmatch(text)
    if found is not None:
        text = f"{found[1]}-{found[2]}-{found[3]}{found[4]}"
    try:
        # Python 3.10 knows neither Z nor fractions of any length.
        moment = datetime.datetime.fromisoformat(text.rstrip("Z").partition(".")[0])
    except ValueError:
        raise Refused("bad-date") from None
    return f"{moment:%Y-%m-%d %H:%M:%S}.0"


def _extension(said: str, place: str) -> str | None:
    """Of the file: what is said, or how its name ends."""
    ending = said or os.path.splitext(place.partition("?")[0])[1]  # noqa: PTH122
    return ending.lstrip(".").lower()[:10] or None
