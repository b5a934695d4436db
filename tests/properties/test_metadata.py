from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pass_dataset.archives.metadata import columns_in, parse_date, read_metadata
from pass_dataset.errors import MetadataError
from tests.properties.damage import damaged

COLUMNS = ("", "unickname", "datetaken", "licensename", "hash", "latitude", "longitude")

#: Fields of one line; the released files have no others.
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\x85\u2028\u2029"),
    max_size=20,
)
dates = st.datetimes().map(lambda date: f"2007-05-06 {date:%H:%M:%S}.0")
degrees = st.floats(-180, 180).map(repr)
rows = st.lists(
    st.tuples(
        st.integers(0, 99).map(str),
        texts,
        st.one_of(st.just(""), dates),
        texts,
        st.text("0123456789abcdef", min_size=16, max_size=32),
        st.one_of(st.just(""), degrees),
        st.one_of(st.just(""), degrees),
    ),
    max_size=6,
    unique_by=lambda row: row[4],
)


def written(table: list[tuple[str, ...]], line_end: str = "\n") -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator=line_end).writerows([COLUMNS, *table])
    return text.getvalue().encode()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each example writes its file."""
    return tmp_path_factory.mktemp("metadata") / "pass_metadata.csv"


@given(table=rows, line_end=st.sampled_from(["\n", "\r\n"]))
@example(table=[("0", "NA", "", "null", "1" * 32, "", "")], line_end="\n")
@example(table=[("0", "None", "", "nan", "12e45" + "0" * 25, "1.0", "2.0")], line_end="\n")
def test_what_was_written_is_read(path: Path, table: list[tuple[str, ...]], line_end: str) -> None:
    path.write_bytes(written(table, line_end))
    found = read_metadata(path)

    def column(name: str) -> list[str | None]:
        return [row[COLUMNS.index(name)] or None for row in table]

    assert found["hash"].to_pylist() == column("hash")
    assert found["creator"].to_pylist() == column("unickname")
    assert found["license"].to_pylist() == column("licensename")
    assert found["date_taken_text"].to_pylist() == column("datetaken")
    assert found["latitude"].to_pylist() == [x and float(x) for x in column("latitude")]
    assert not any(math.isnan(x) for x in found["longitude"].to_pylist() if x is not None)


def check(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for read in (columns_in, read_metadata):
        try:
            found = read(path)
        except MetadataError as error:
            assert str(path) in str(error)
        else:
            assert isinstance(found, (list, pa.Table))


@given(content=st.binary(max_size=300))
@example(content=b"")
@example(content=b"hash,unickname\n\0,\0\n")
@example(content=b"hash,unickname\n" + b"a,b\n" * 2 + b'"')
@example(content=b"\xff\xfehash,unickname\n")
@example(content=b"hash,unickname,x\xff\na,b,c\n")
@example(content=b"\xef\xbb\xbfhash,unickname\na,b\n")
@example(content=b"hash,unickname\ra,b\r")
@example(content=b'hash,unickname,"a\nb"\na,b,c\n')
def test_any_bytes(path: Path, content: bytes) -> None:
    check(path, content)


@given(data=st.data(), table=rows)
def test_damaged_file(path: Path, data: st.DataObject, table: list[tuple[str, ...]]) -> None:
    check(path, data.draw(damaged(written(table))))


@given(dates=st.lists(st.one_of(st.text("0123456789-: .TZ+", max_size=30), st.text(max_size=30))))
@example(dates=["0000-00-00 00:00:00.0", "9999-12-31T23:59:59+23:59", "0001-01-01T00:00+23:59"])
def test_any_dates(path: Path, dates: list[str]) -> None:
    for date in dates:
        parse_date(date)
    check(
        path, written([("0", "u", date, "", f"{n:030x}", "", "") for n, date in enumerate(dates)])
    )
