from __future__ import annotations

import datetime
import logging
from pathlib import Path

import pytest

from pass_dataset.archives.metadata import (
    ROW_COLUMN,
    columns_in,
    parse_date,
    read_metadata,
    read_text,
)
from pass_dataset.errors import MetadataError

HEADER = ",unickname,datetaken,licensename,hash,latitude,longitude"


@pytest.fixture
def csv(tmp_path: Path):
    def write(*lines: str, newline: str = "\n", start: bytes = b"") -> Path:
        path = tmp_path / "pass_metadata.csv"
        path.write_bytes(start + newline.join([*lines, ""]).encode())
        return path

    return write


def one(path: Path) -> dict[str, object]:
    (row,) = read_metadata(path).to_pylist()
    return row


def test_real_lines(shared: Path) -> None:
    table = read_metadata(shared / "facts" / "metadata_sample.csv")
    assert table.num_rows == 10
    rows = {row["hash"]: row for row in table.to_pylist()}
    assert rows["75f7305b1fd94044e14bdcdde469dbb2"] == {
        "hash": "75f7305b1fd94044e14bdcdde469dbb2",
        "creator": "PaperBird+Photography%3C3",
        "license": "Attribution License",
        "date_taken_text": "2007-05-06 06:11:48.0",
        "date_taken": datetime.datetime(2007, 5, 6, 6, 11, 48),
        "latitude": None,
        "longitude": None,
    }
    assert rows["dd571a41a015354d92a859f7ef31201"]["latitude"] == 38.23818


@pytest.mark.parametrize(
    "image_hash",
    [
        "123456789012345678901234567890",
        "12e45678901234567890123456789",
        "0" * 28,
        "a" * 28,
        "1e5",
        "nan",
        "0x1f",
    ],
)
def test_hash_stays_text(csv, image_hash: str) -> None:
    row = one(csv(HEADER, f"3,someone,,Attribution License,{image_hash},,"))
    assert row["hash"] == image_hash


@pytest.mark.parametrize("creator", ["NA", "null", "None", "N/A", "nan", "PaperBird%3C3", "%E5%B1"])
def test_creator_stays_text(csv, creator: str) -> None:
    assert one(csv(HEADER, f"3,{creator},,Attribution License,ab,,"))["creator"] == creator


def test_only_the_empty_field_is_missing(csv) -> None:
    row = one(csv(HEADER, "3,,,,ab,,"))
    assert {name for name, value in row.items() if value is None} == set(row) - {"hash"}


def test_gps_of_zero_is_a_place(csv) -> None:
    row = one(csv(HEADER, "3,a,,L,ab,0.0,0.0"))
    assert (row["latitude"], row["longitude"]) == (0.0, 0.0)


def test_gps_of_nan_is_none(csv) -> None:
    assert one(csv(HEADER, "3,a,,L,ab,nan,NaN"))["latitude"] is None


def test_unknown_columns_are_left_out_and_order_is_free(csv) -> None:
    table = read_metadata(csv("camera,hash,zzz,unickname", "X100,ab,1,someone"))
    assert table.select(["hash", "creator"]).to_pylist() == [{"hash": "ab", "creator": "someone"}]
    assert "camera" not in table.column_names


def test_release_1_has_neither_dates_nor_gps(csv) -> None:
    row = one(csv(",unickname,hash", "3,someone,ab"))
    assert row["creator"] == "someone"
    assert (
        row["date_taken"] is row["date_taken_text"] is row["latitude"] is row["longitude"] is None
    )


def test_carriage_returns_and_byte_order_mark(csv) -> None:
    path = csv(
        "hash,unickname,longitude", "ab,x,1.5", "cd,y,", newline="\r\n", start=b"\xef\xbb\xbf"
    )
    assert read_metadata(path).select(["hash", "creator", "longitude"]).to_pylist() == [
        {"hash": "ab", "creator": "x", "longitude": 1.5},
        {"hash": "cd", "creator": "y", "longitude": None},
    ]


def test_dates_that_are_none(csv, caplog: pytest.LogCaptureFixture) -> None:
    lines = [
        "1,a,2007-05-06 06:11:48.0,L,a1,,",
        "2,a,0000-00-00 00:00:00.0,L,a2,,",
        "3,a,2007-02-31 06:11:48.0,L,a3,,",
        "4,a,,L,a4,,",
        "5,a,1999-12-31 23:59:59.5,L,a5,,",
    ]
    with caplog.at_level(logging.WARNING):
        rows = read_metadata(csv(HEADER, *lines)).to_pylist()
    assert [row["date_taken"] for row in rows] == [
        datetime.datetime(2007, 5, 6, 6, 11, 48),
        None,
        None,
        None,
        datetime.datetime(1999, 12, 31, 23, 59, 59, 500_000),
    ]
    assert rows[1]["date_taken_text"] == "0000-00-00 00:00:00.0"
    assert "2 dates cannot be read" in caplog.text


def test_first_row_of_a_repeated_hash_counts(csv, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        rows = read_metadata(csv("hash,unickname", "a,1", "b,2", "a,3")).to_pylist()
    assert [(row["hash"], row["creator"]) for row in rows] == [("a", "1"), ("b", "2")]
    assert "1 rows repeat an earlier hash" in caplog.text


def test_no_rows(csv) -> None:
    assert read_metadata(csv(HEADER)).num_rows == 0


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["hash,datetaken", "ab,"], r"required column 'unickname' is missing; found: 'hash', 'dat"),
        (["unickname", "x"], r"required column 'hash' is missing; found: 'unickname'"),
        (["<html>oops</html>"], r"required column 'hash' and 'unickname' is missing"),
        ([], r"is missing; found: "),
        (["hash,unickname,hash", "a,b,c"], r"the column 'hash' stands there more than once"),
        (["hash,unickname,latitude", "a,b,north"], r"column 'latitude': expected degrees: .*north"),
        (["hash,unickname", "a,b", "c"], r"Expected 2 columns, got 1"),
    ],
)
def test_bad_files_are_named(csv, lines: list[str], message: str) -> None:
    with pytest.raises(MetadataError, match=rf"pass_metadata\.csv: .*{message}"):
        read_metadata(csv(*lines))


def test_row_far_into_the_file_that_is_cut(csv) -> None:
    lines = [f"{number:032x},someone" for number in range(60_000)]  # 2 MB, read in pieces
    assert read_metadata(csv("hash,unickname", *lines))["hash"][59_999].as_py() == f"{59_999:032x}"
    with pytest.raises(MetadataError, match=r"pass_metadata\.csv: .*Expected 2 columns, got 1"):
        read_metadata(csv("hash,unickname", *lines, "cut"))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match=r"gone\.csv: cannot be read"):
        read_metadata(tmp_path / "gone.csv")


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "latin1.csv"
    path.write_bytes(b"hash,unickname\n" + b"ab,someone\n" * 9999 + b"cd,M\xfcller\n")
    with pytest.raises(MetadataError, match=r"latin1\.csv: cannot be read .*UTF8"):
        read_metadata(path)


def test_columns_as_text(csv) -> None:
    path = csv(
        ",unickname,hash,twice,x,twice", "07,NA,12e45,a,1.50,b", "8,,ab,,,", start=b"\xef\xbb\xbf"
    )
    assert columns_in(path) == [ROW_COLUMN, "unickname", "hash", "x"]
    assert read_text(path, ["hash", "x", ROW_COLUMN]).to_pylist() == [
        {"hash": "12e45", "x": "1.50", ROW_COLUMN: "07"},
        {"hash": "ab", "x": None, ROW_COLUMN: "8"},
    ]
    with pytest.raises(MetadataError, match="y"):
        read_text(path, ["hash", "y"])


@pytest.mark.parametrize(
    "text",
    [
        "2007-05-06 06:11:48Z",
        "2007-05-06T06:11:48z",
        "2007-05-06 06:11:48+02:00",
        "2007-05-06T06:11:48-07:00",
        " 2007-05-06 06:11:48 ",
    ],
)
def test_zones_are_left_out(text: str) -> None:
    assert parse_date(text) == datetime.datetime(2007, 5, 6, 6, 11, 48)
