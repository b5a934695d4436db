"""What is done by the column says what is said row by row."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pass_dataset.curate.select import flickr, scan, sqlite
from pass_dataset.curate.select.batch import unsound
from pass_dataset.curate.select.flickr import COLUMNS, FlickrRows
from pass_dataset.curate.select.gathered import Gathering
from pass_dataset.curate.select.law import address_hash
from pass_dataset.curate.select.licenses import FLICKR, Licenses
from pass_dataset.curate.select.rules import is_sound_text
from pass_dataset.curate.select.settings import SelectSettings
from pass_dataset.curate.select.sqlite_remote import round_numbers

BY = FLICKR[0]
SOUND = {
    "photoid": "6985418911",
    "uid": "1@N00",
    "unickname": "caf%C3%A9",
    "datetaken": "2007-05-06 06:11:48.0",
    "title": "a+title",
    "longitude": "12.5",
    "latitude": "-3",
    "pageurl": "http://www.flickr.com/photos/1@N00/6985418911/",
    "downloadurl": "http://farm8.staticflickr.com/7205/6985418911_df7747990d.jpg",
    "licensename": BY.name,
    "licenseurl": BY.url,
    "ext": "jpg",
    "marker": "0",
}
ODD = {
    "photoid": ["", "007", "1" * 25, "-1", "1.0", "٣", "x"],
    "uid": [""],
    "unickname": ["", "100%", "%e9", "%zz", "%%41", "%F0%9F%98%80", "%ED%A0%80", "é", "\0", "\r"],
    "datetaken": [
        *("", "null", "2008-02-29 00:00:00.0", "2007-02-29 00:00:00.0", "2007-04-31 01:01:01"),
        *("0000-01-01 00:00:00", "2007-05-06", "2007-05-06T06:11:48", "2007-12-31 24:00:00.0"),
        *("2007-13-01 00:00:00", "2007-01-31 23:59:59 and more", "20070506", "x"),
    ],
    "title": ["", "%C3", "%C3%28", "%c3%A9+%E2%82%AC", "%f4%90%80%80", "%41%", "\udcff"],
    "longitude": ["", "180", "180.0001", "1_0", "1e1", " 1", "+1", "nan", ".5", "1.", "-0"],
    "latitude": ["", "90", "-90.5", "inf", "0x1", "1e-5"],
    "downloadurl": ["", "https://x/y.jpg", "HTTP://x", "ftp://x/y", "http://x/é", "https:x"],
    "licensename": [FLICKR[1].name, "", "attribution license"],
    "licenseurl": [FLICKR[1].url, "", "https://creativecommons.org/licenses/by/4.0/"],
    "ext": ["", "png", "x" * 80],
    "marker": ["1", "2", "", "00"],
}


@st.composite
def rows(draw: st.DrawFn) -> dict[str, str]:
    """A sound row, in which up to two fields are others."""
    odd = draw(st.lists(st.sampled_from(sorted(ODD)), max_size=2))
    return {**SOUND, **{name: draw(st.sampled_from(ODD[name])) for name in odd}}


class _Kept:
    """What a piece's writer is given."""

    def __init__(self) -> None:
        self.tables: list[pa.Table] = []

    def write_table(self, table: pa.Table) -> None:
        self.tables.append(table)


def said_of(asked: SelectSettings, columns: int, take: Any) -> tuple[Any, Any]:
    """Counts and photographs of what `take` gives to rows."""
    kept = _Kept()
    gathered = Gathering(kept)  # type: ignore[arg-type]
    taker = FlickrRows(asked, gathered, columns)
    take(taker)
    taker.finish()
    gathered.flush()
    counts = {**vars(gathered.counts), "first": dict(sorted(gathered.counts.first.items()))}
    return counts, pa.concat_tables(kept.tables).to_pylist() if kept.tables else []


def one_by_one() -> contextlib.AbstractContextManager[Any]:
    return mock.patch.object(
        flickr, "is_plain", lambda columns: np.zeros(len(columns["photoid"]), bool)
    )


@settings(max_examples=40)
@given(st.lists(rows(), max_size=8), st.sampled_from(["right", "wrong", "none"]), st.booleans())
def test_text(given_rows: list[dict[str, str]], hashes: str, any_license: bool) -> None:
    lines = []
    for number, row in enumerate(given_rows):
        said = {"right": address_hash(row["downloadurl"]), "wrong": "0" * 16, "none": "?"}[hashes]
        fields = [row.get(name, "") for name in COLUMNS]
        lines.append("\t".join([str(number), fields[0], said, *fields[1:]]))
    block = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    asked = SelectSettings(licenses=() if any_license else ("by",))

    def take(taker: FlickrRows) -> None:
        taker.take_block(block, 5)

    found = said_of(asked, 25, take)
    with one_by_one():
        assert said_of(asked, 25, take) == found


@settings(max_examples=60)
@given(
    st.lists(
        rows().map(
            lambda row: "\t".join(row.get(name, "") for name in COLUMNS).encode(
                "utf-8", "surrogateescape"
            )
        )
        | st.sampled_from([b"", b"\t" * 22, b"\t" * 23, b"\0", b"a\t" * 70])
        | st.binary(max_size=80).map(lambda line: line.replace(b"\n", b"\t")),
        max_size=12,
    )
)
def test_blocks_and_lines(lines: list[bytes]) -> None:
    """Lines by the block, of which most are looked at only at their ends, and one by one."""

    def take_lines(taker: FlickrRows) -> None:
        for number, line in enumerate(lines):
            taker.take_line(line, number)

    block = b"".join(line + b"\n" for line in lines)
    found = said_of(
        SelectSettings(), 23, lambda taker: taker.take_block(block + b"rest", 0, len(block))
    )
    assert said_of(SelectSettings(), 23, take_lines) == found


@given(st.text("%0123456789abcdefABCDEFxX+é", max_size=14))
def test_sound_text(text: str) -> None:
    columns = {"unickname": pa.array([text, "a"]), "title": pa.array(["b", text])}
    assert unsound(columns).tolist() == ([] if is_sound_text(text) else [0, 1])


def database_of(given_rows: list[dict[str, str]], step: int, kind: str) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.text_factory = bytes
    columns = ", ".join(f"{name} {kind * (name == 'marker')}" for name in COLUMNS)
    database.execute(f"CREATE TABLE metadata ({columns})")
    marks = ", ".join("?" * (len(COLUMNS) + 1))
    for number, row in enumerate(given_rows):
        values = [row.get(name) for name in COLUMNS]
        statement = f"INSERT INTO metadata (rowid, {', '.join(COLUMNS)}) VALUES ({marks})"
        database.execute(statement, [3 + step * number, *values])
    return database


@settings(max_examples=20)
@given(
    st.lists(rows().filter(lambda row: "\udcff" not in row["title"]), max_size=8),
    st.sampled_from([1, 2, 10**6]),
    st.sampled_from(["", "a\nb", "a\tb", "\n"]),
    st.sampled_from(["", "INTEGER"]),
)
def test_sqlite(given_rows: list[dict[str, str]], step: int, device: str, kind: str) -> None:
    """Rows in stretches and one by one, with gaps between them, and marks of lines in a field."""
    if device:
        given_rows = [*given_rows, {**SOUND, "unickname": device}, SOUND]
    asked = SelectSettings()
    with contextlib.closing(database_of(given_rows, step, kind)) as database:

        def take(taker: FlickrRows) -> None:
            table = sqlite.Table("metadata", 3, 3 + step * len(given_rows))
            stop = table.last + 1
            sqlite.take_rows(database, table, 3, stop, taker, Licenses(asked.licenses))

        with mock.patch.object(sqlite, "_STRETCH_ROWS", 3):
            found = said_of(asked, 0, take)
        nothing = f"'{flickr.UNKNOWN.decode()}'"
        with one_by_one(), mock.patch.object(sqlite, "_line", lambda *_, is_integer: nothing):
            counts, photographs = said_of(asked, 0, take)
    assert photographs == found[1]
    assert counts == found[0]
    numbers = [row["line"] for row in photographs]
    assert numbers == sorted(numbers)


@given(
    st.lists(
        st.none()
        | st.integers(-(1 << 63), (1 << 63) - 1)
        | st.floats(allow_nan=False)
        | st.text(st.characters(codec="utf-8"), max_size=9)
        | st.binary(max_size=9),
        min_size=len(flickr.FIELDS),
        max_size=len(flickr.FIELDS),
    ),
    st.sampled_from(["", "TEXT", "REAL"]),
)
def test_fields_by_call_and_by_operators(values: list[Any], kind: str) -> None:
    """A newer SQLite is asked in another way, and says the same of whatever is stored."""
    apsw = pytest.importorskip("apsw")
    with contextlib.closing(apsw.Connection(":memory:")) as database:
        round_numbers(apsw, database)
        assert sqlite._fields(database) == sqlite._BY_CALL
        columns = ", ".join(f"{name} {kind}" for name in flickr.FIELDS)
        database.execute(f"CREATE TABLE metadata ({columns})")
        database.execute(f"INSERT INTO metadata VALUES ({', '.join('?' * len(values))})", values)
        ((by_call, by_operators),) = database.execute(
            f"SELECT CAST({sqlite._BY_CALL} AS BLOB), CAST({sqlite._BY_OPERATORS} AS BLOB) "
            "FROM metadata"
        ).fetchall()
    assert by_call == by_operators


def test_licence_in_bytes() -> None:
    """SQLite may have bytes where others have text, and compare without case: the bytes count."""
    database = sqlite3.connect(":memory:")
    database.text_factory = bytes
    columns = ", ".join(f"{name} TEXT COLLATE NOCASE" for name in COLUMNS)
    database.execute(f"CREATE TABLE metadata ({columns})")
    for name in (BY.name, BY.name.encode(), BY.name.lower()):
        values = [{**SOUND, "licensename": name}.get(column) for column in COLUMNS]
        database.execute(f"INSERT INTO metadata VALUES ({', '.join('?' * len(values))})", values)
    table = sqlite.Table("metadata", 1, 3)
    counts, photographs = said_of(
        SelectSettings(),
        0,
        lambda taker: sqlite.take_rows(database, table, 1, 4, taker, Licenses(["by"])),
    )
    database.close()
    assert [row["line"] for row in photographs] == [1, 2, 3]
    # The licence is its address; only the first two are called as YFCC100M calls it.
    assert counts["licenses"] == {"by": [2, 0]}


@pytest.mark.parametrize("text", [b"", b"\n", b"\t\n", b"a\tb\nc\n"])
def test_lines_that_are_none(text: bytes) -> None:
    counts, photographs = said_of(SelectSettings(), 25, lambda taker: taker.take_block(text, 0))
    assert photographs == []
    assert counts["rows"] == counts["refused"]["too-few-columns"] == text.count(b"\n")


@pytest.mark.parametrize("one", FLICKR, ids=lambda one: one.short)
def test_a_short_row_that_ends_like_a_license(one: Any) -> None:
    """A block of it alone is shorter than what the licence's columns would be."""
    row = [b""] * 25
    row[2 + COLUMNS.index("licenseurl")] = one.url[-13:].encode()
    row[-1] = b"0"
    line = b"\t".join(row) + b"\n"
    found = scan.Scan(line)
    lines = np.flatnonzero(found.tabs == 24)
    assert found.codes(lines, flickr._ENDINGS, flickr._MARKERS).tolist() == [-1] * len(lines)
